// Rows of one store from CSV files at hand, as the store's agent would hand them to a worker: through the very same
// tables and ingest, so that types, order, quarantine and repeated rows can't differ.
#pragma once

#include <string>
#include <vector>

#include "aisle/v1/worker.pb.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/tables/schema.h"

namespace aisle::cli {

struct LocalRows {
  std::vector<v1::TableData> tables;  // Exactly the columns the plan names.
  uint64_t rows = 0;
  uint64_t quarantined = 0;
};

// From FOLDER/<table>.csv or FOLDER/<table>.csv.gz, through a temporary private folder that is gone at the end. The
// same files give the same rows in the same order, every time.
//   NotFound          a file, or a table of the plan that `schema` doesn't declare
//   InvalidArgument   a file that was refused, or a column whose type isn't the plan's
StatusOr<LocalRows> ReadLocalRows(const Plan& plan, const Schema& schema, const std::string& folder);

}  // namespace aisle::cli

// Handing a file to a store's agent through its drop folder, and waiting for what the agent says of it.
// The layout is the agent's: store-agent/ingest/drop_folder.h.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "base/ids.h"
#include "base/status.h"

namespace aisle::cli {

struct DropRequest {
  std::string file;  // *.csv or *.csv.gz; stays where it is.
  TableName table;
  std::string folder;  // The drop folder, or the inbox in it.
  absl::Duration wait;
};

struct DropAnswer {
  std::string report;  // The agent's JSON.
  std::string path;    // Of the report.
};

// The file appears in the inbox whole or not at all, under a name of its own. No polling: the agent's report wakes us.
//   InvalidArgument   the file's name doesn't end as the agent wants it
//   NotFound          no such file; or no agent has ever watched this folder for the table
//   DeadlineExceeded  no report within `wait`: the file lies in the inbox and will be taken when the agent runs
StatusOr<DropAnswer> DropAndWait(const DropRequest& request);

}  // namespace aisle::cli

// The rows that a plan gets: exactly its columns, and under the home-store rule only those of customers at home here.
#pragma once

#include "plans/plan.h"
#include "store-agent/policy/home_store.h"
#include "store-agent/tables/table_store.h"

namespace aisle {

// One table of the plan. The rule holds whatever the plan does with the rows: the customer column is read for it even
// if the plan doesn't ask for it. `home_store` null: every customer's rows. Errors as TableStore::Scan.
StatusOr<ColumnTable> RowsFor(const TableNeed& need, uint64_t bytes_max, const TableStore& tables,
                              const HomeStore* home_store);
// The same table as if it were empty.
StatusOr<ColumnTable> NoRowsFor(const TableNeed& need, const TableStore& tables);

}  // namespace aisle

#include "store-agent/task/plan_rows.h"

#include <algorithm>

namespace aisle {
namespace {

StatusOr<ScanRequest> AllOf(const TableNeed& need) {
  ScanRequest request;
  AISLE_ASSIGN_OR_RETURN(request.table, TableName::Parse(need.name));
  for (const ColumnNeed& column : need.columns) request.columns.push_back(column.name);
  return request;
}

}  // namespace

StatusOr<ColumnTable> NoRowsFor(const TableNeed& need, const TableStore& tables) {
  AISLE_ASSIGN_OR_RETURN(ScanRequest request, AllOf(need));
  request.time_first = 1;
  request.time_last = 0;
  return tables.Scan(request);
}

StatusOr<ColumnTable> RowsFor(const TableNeed& need, uint64_t bytes_max, const TableStore& tables,
                              const HomeStore* home_store) {
  AISLE_ASSIGN_OR_RETURN(ScanRequest request, AllOf(need));
  request.bytes_max = bytes_max;
  AISLE_ASSIGN_OR_RETURN(const TableSchema* schema, tables.SchemaOf(request.table));
  if (home_store == nullptr || !schema->customer) return tables.Scan(request);
  const std::string& customers = schema->columns[*schema->customer].name;
  const bool asked_for = std::ranges::find(request.columns, customers) != request.columns.end();
  if (!asked_for) request.columns.push_back(customers);
  AISLE_ASSIGN_OR_RETURN(ColumnTable table, tables.Scan(request));
  home_store->KeepOwn(table, customers);
  if (!asked_for) table.columns.pop_back();
  return table;
}

}  // namespace aisle

// What may change in tables.toml once a table has rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store-agent/tables/schema.h"

namespace aisle {

// The table as it is from now on: the stored columns in their stored order (that is how rows are laid out), then the
// new ones; ranges, headers and retention as declared now.
//
// Fine: new nullable columns (null in old rows), a nullable column where there was none, other ranges (of rows to
// come), headers, order, retention. FailedPrecondition, naming every offence: a column that is gone, another type,
// width or unit, a column that isn't nullable any more or is new and not nullable, another time, customer or sequence.
// A table without rows may change in any way.
StatusOr<TableSchema> Reconcile(const TableSchema& stored, const TableSchema& declared, uint64_t rows);

// Canonical bytes of a schema, for the record that the tables keep of it.
std::string EncodeSchema(const TableSchema& schema);
StatusOr<TableSchema> DecodeSchema(std::string_view bytes);

}  // namespace aisle

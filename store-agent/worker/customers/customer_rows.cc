#include "store-agent/worker/customers/customer_rows.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>

#include "store-agent/supervisor/wipe_task.h"

namespace aisle {
namespace {

const ColumnNeed* OwnerOf(const TableNeed& need) {
  const auto found = std::ranges::find(need.columns, ColumnType::kCustomer, &ColumnNeed::type);
  return found == need.columns.end() ? nullptr : &*found;
}

StatusOr<std::string_view> OwnersIn(const v1::TableData& table, const ColumnNeed& owner) {
  const auto found = std::ranges::find(table.columns(), owner.name, [](const auto& data) { return data.name(); });
  if (found == table.columns().end() || !found->has_int64_values() ||
      found->int64_values().size() != table.rows() * sizeof(int64_t)) {
    return InvalidArgument("table {} came without its customer column {} of {} rows", table.name(), owner.name,
                           table.rows());
  }
  if (table.rows() > std::numeric_limits<uint32_t>::max()) {
    return InvalidArgument("table {} has {} rows; the limit is {}", table.name(), table.rows(),
                           std::numeric_limits<uint32_t>::max());
  }
  return std::string_view(found->int64_values());
}

// `rows` of the cells of `width` bytes each.
std::string Pick(std::string_view cells, size_t width, const std::vector<uint32_t>& rows) {
  std::string picked;
  picked.reserve(rows.size() * width);
  for (const uint32_t row : rows) picked.append(cells.substr(row * width, width));
  return picked;
}

void PickColumn(const v1::ColumnData& column, const std::vector<uint32_t>& rows, v1::ColumnData& out) {
  out.set_name(column.name());
  if (column.has_double_values()) {
    out.set_double_values(Pick(column.double_values(), sizeof(double), rows));
  } else if (column.has_byte_values()) {
    out.set_byte_values(Pick(column.byte_values(), column.width(), rows));
    out.set_width(column.width());
  } else {
    out.set_int64_values(Pick(column.int64_values(), sizeof(int64_t), rows));
  }
}

}  // namespace

StatusOr<CustomerRows> CustomerRows::Group(const TableRows& tables, const Plan& plan) {
  CustomerRows grouped;
  std::map<int64_t, Customer> customers;
  for (const TableNeed& need : plan.tables) {
    const auto found = std::ranges::find(tables, need.name, [](const auto& data) { return data.name(); });
    if (found == tables.end()) return InvalidArgument("the task came without table {}", need.name);
    const ColumnNeed* owner = OwnerOf(need);
    grouped.tables_.push_back({.data = &*found, .split = owner != nullptr});
    if (owner == nullptr) continue;
    AISLE_ASSIGN_OR_RETURN(const std::string_view owners, OwnersIn(*found, *owner));
    for (uint32_t row = 0; row < found->rows(); ++row) {
      int64_t pseudonym = 0;
      std::memcpy(&pseudonym, owners.data() + row * sizeof pseudonym, sizeof pseudonym);
      if (pseudonym < 0) continue;
      Customer& customer = customers[pseudonym];
      customer.rows.resize(plan.tables.size());
      customer.rows[grouped.tables_.size() - 1].push_back(row);
    }
  }
  grouped.customers_.reserve(customers.size());
  for (auto& [pseudonym, customer] : customers) {
    customer.pseudonym = pseudonym;
    grouped.customers_.push_back(std::move(customer));
  }
  return grouped;
}

CustomerRows::Slice::~Slice() {
  for (const auto& table : copied_) WipeRows(*table);
}

CustomerRows::Slice CustomerRows::SliceOf(size_t i) const {
  Slice slice;
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (!tables_[t].split) {
      slice.views_.push_back(tables_[t].data);
      continue;
    }
    const std::vector<uint32_t>& rows = customers_[i].rows[t];
    auto& table = *slice.copied_.emplace_back(std::make_unique<v1::TableData>());
    table.set_name(tables_[t].data->name());
    table.set_rows(rows.size());
    for (const v1::ColumnData& column : tables_[t].data->columns()) PickColumn(column, rows, *table.add_columns());
    slice.views_.push_back(&table);
  }
  return slice;
}

}  // namespace aisle

// A store's rows, customer by customer. Everything that becomes a customer's vector is made from that customer's rows
// and from tables that hold no customers: prepare() never sees two customers at once, so no plan, however clever, can
// let one customer's rows into another one's vector, where nothing would clip them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/examples.h"

namespace aisle {

class CustomerRows {
 public:
  // Tables with a column of the type customer are split by it (the first, if there are several); rows whose customer is
  // null (negative) are nobody's and left out. Borrows `tables`, which must outlive this. InvalidArgument if the tables
  // aren't those of the plan, or a customer column isn't as long as its table.
  static StatusOr<CustomerRows> Group(const TableRows& tables, const Plan& plan);

  // Customers with at least one row in any table, by ascending pseudonym: the same rows make the same order.
  size_t size() const { return customers_.size(); }
  int64_t pseudonym(size_t i) const { return customers_[i].pseudonym; }

  // One customer's own tables: of split tables its rows in their order, the others whole. Owns what it copied, and
  // wipes it.
  class Slice {
   public:
    Slice() = default;
    ~Slice();
    Slice(Slice&&) noexcept = default;
    Slice& operator=(Slice&&) = delete;
    const TableViews& views() const { return views_; }

   private:
    friend class CustomerRows;
    std::vector<std::unique_ptr<v1::TableData>> copied_;
    TableViews views_;
  };
  Slice SliceOf(size_t i) const;

 private:
  struct Customer {
    int64_t pseudonym = 0;
    std::vector<std::vector<uint32_t>> rows;  // By table, in the order of `tables_`.
  };
  struct Table {
    const v1::TableData* data = nullptr;
    bool split = false;
  };
  std::vector<Table> tables_;
  std::vector<Customer> customers_;
};

}  // namespace aisle

// Every cause that `aisle explain` can name, with what to do about it.
#pragma once

#include <absl/time/time.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/explain/explanation.h"

namespace aisle {

struct Advice {
  std::string_view cause;  // "memory_cap": stable, for programs.
  std::string_view fix;    // A sentence or two; "{}" stands for the store, where there is one.
};

std::span<const Advice> AllAdvice();
// The fix for a cause, with the first of `stores` put in. A cause that isn't in the table is our own bug.
std::string FixFor(std::string_view cause, const std::vector<StoreId>& stores);

// A finding with its fix.
Finding MakeFinding(std::string_view cause, std::vector<StoreId> stores, std::string sentence);

// "leeds-01", "leeds-01 and york-02", "leeds-01, york-02 and 4 others".
std::string Naming(const std::vector<StoreId>& stores);
// "850ms", "4.2s", "3m12s".
std::string Lasting(absl::Duration span);

}  // namespace aisle

// Plans this store has turned down and would turn down again, so that headquarters need not ask twice.
#pragma once

#include <deque>
#include <vector>

#include "base/fleet.h"

namespace aisle::agent {

// True if nothing but a change at the site (policy, tables, rows) can change the answer.
bool IsLasting(RefusalReason reason);

// The latest kDeclinedPlansMax of them, oldest first.
class DeclinedPlans {
 public:
  void Add(const Digest& plan);
  void Clear() { plans_.clear(); }
  std::vector<Digest> list() const { return {plans_.begin(), plans_.end()}; }

 private:
  std::deque<Digest> plans_;
};

}  // namespace aisle::agent

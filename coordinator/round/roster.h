// Who takes part in a round, and how far each store has come. Ordered by store id, so that every walk is reproducible.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/fleet.h"

namespace aisle {

// A seat's state says what headquarters last heard of the store.
struct AskedToTrain {
  bool operator==(const AskedToTrain&) const = default;
};
struct HoldsUpdate {  // Trained; the finished vector is on the store's own disk.
  BlobName update;    // Under the secure sum its digest is all zero: it would say something of the vector.
  bool operator==(const HoldsUpdate&) const = default;
};
struct GaveUpdate {  // The vector is here: whole, verified, durable.
  BlobName update;
  std::string left = {};  // Why the store left the secure sum afterwards; its vector stays in. Empty if it didn't.
  bool operator==(const GaveUpdate&) const = default;
};
struct LeftBehind {  // The round went on without it: silent or late.
  std::string why = {};
  bool operator==(const LeftBehind&) const = default;
};
using Seat = std::variant<AskedToTrain, HoldsUpdate, GaveUpdate, Refused, Failed, LeftBehind>;

// "privacy_budget: the cap is reached": why a store refused or failed; empty for one that trained.
std::string DetailOf(const TaskOutcome& outcome);
// The same of a seat, also of one that was left behind, and of one whose vector is here and whose store left the sum
// afterwards.
std::string DetailOf(const Seat& seat);

// "selected", "trained", "collected", "refused", "failed", "silent".
std::string_view NameOf(const Seat& seat);

class Roster {
 public:
  void Add(const StoreId& store) { seats_.emplace(store, AskedToTrain{}); }
  // Null if the store has no seat.
  const Seat* Find(const StoreId& store) const;
  void Set(const StoreId& store, Seat seat) { seats_.insert_or_assign(store, std::move(seat)); }

  template <typename State>
  size_t Count() const {
    size_t count = 0;
    for (const auto& [store, seat] : seats_) count += std::holds_alternative<State>(seat) ? 1 : 0;
    return count;
  }
  template <typename State>
  std::vector<StoreId> StoresWith() const {
    std::vector<StoreId> stores;
    for (const auto& [store, seat] : seats_) {
      if (std::holds_alternative<State>(seat)) stores.push_back(store);
    }
    return stores;
  }
  const std::map<StoreId, Seat>& seats() const { return seats_; }
  size_t size() const { return seats_.size(); }
  bool operator==(const Roster&) const = default;

 private:
  std::map<StoreId, Seat> seats_;
};

}  // namespace aisle

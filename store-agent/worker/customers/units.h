// Whose example is whose, among examples that lie together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace aisle {

class Units {
 public:
  // Indices, ascending; either list may be empty. `seed` is for whatever is random in the program while it works on
  // this unit: its own, so that no unit's numbers depend on which others were there. `customer` is the unit's number
  // among all customers of the store.
  void Add(std::vector<int64_t> training, std::vector<int64_t> measured, uint64_t seed, size_t customer = 0) {
    units_.push_back({std::move(training), std::move(measured), seed, customer});
  }

  size_t size() const { return units_.size(); }
  // Unit `i`'s examples to train on.
  std::span<const int64_t> examples(size_t i) const { return units_[i].training; }
  // Those its metrics are measured on.
  std::span<const int64_t> measured(size_t i) const { return units_[i].measured; }
  uint64_t seed(size_t i) const { return units_[i].seed; }
  size_t customer(size_t i) const { return units_[i].customer; }

 private:
  struct Unit {
    std::vector<int64_t> training;
    std::vector<int64_t> measured;
    uint64_t seed = 0;
    size_t customer = 0;
  };
  std::vector<Unit> units_;
};

}  // namespace aisle

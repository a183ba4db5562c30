// How often a row has been met in one file: what tells equal rows of a file from a file read twice.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "base/storage/key_value_store.h"

namespace aisle {

// Counts contents by a 64-bit mark. Holds the latest kHeldMax in memory and the rest in a scratch family, which only
// has to outlive this object: `Clear` removes what was left there. Two contents of one mark share a count; that happens
// to one pair in 2^64 and only gives the later row a higher number, the same one whenever the file is read. Not
// thread-safe.
class OccurrenceCounter {
 public:
  static constexpr size_t kHeldMax = 1 << 16;

  OccurrenceCounter(KeyValueStore& database, Family scratch, uint64_t session, size_t held_max = kHeldMax);
  ~OccurrenceCounter();
  OccurrenceCounter(const OccurrenceCounter&) = delete;
  OccurrenceCounter& operator=(const OccurrenceCounter&) = delete;

  // How often the mark was counted before: 0 for the first time.
  StatusOr<uint32_t> Count(uint64_t mark);

 private:
  static constexpr uint64_t kFilterBits = uint64_t{1} << 23;

  std::string KeyOf(uint64_t mark) const;
  StatusOr<uint32_t> Spilled(uint64_t mark) const;
  Status Spill();
  bool MayBeSpilled(uint64_t mark) const;

  KeyValueStore& database_;
  Family scratch_;
  uint64_t session_;
  size_t held_max_;
  std::vector<bool> filter_;  // Of the marks in the family; empty if there are none.
  std::unordered_map<uint64_t, uint32_t> held_;
};

}  // namespace aisle

// Finds columns that hold payment card numbers, which no table may take in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace aisle {

// Whether `text` could be a card number: 13 to 19 digits, single spaces or hyphens between them allowed, that begin as
// card numbers do (2 to 6) and pass the Luhn check (ISO/IEC 7812-1, annex B). One in ten of other numbers passes too.
bool LooksLikeCardNumber(std::string_view text);

// Judges the columns of a sample of records. A column is taken for card numbers if more than half of its values that
// aren't empty look like one, at least kDistinctMin different ones among them. Not thread-safe.
class CardNumberSample {
 public:
  static constexpr size_t kDistinctMin = 4;

  explicit CardNumberSample(size_t columns) : columns_(columns) {}
  void Add(std::span<const std::string_view> fields);  // Fields beyond the columns are left out.
  std::optional<size_t> Suspect() const;               // The first such column.

 private:
  struct Tally {
    std::unordered_set<size_t> distinct_cards;  // Hashes.
    uint64_t cards = 0;
    uint64_t values = 0;
  };
  std::vector<Tally> columns_;
};

}  // namespace aisle

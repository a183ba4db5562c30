#include "store-agent/ingest/card_numbers.h"

#include <algorithm>

namespace aisle {

bool LooksLikeCardNumber(std::string_view text) {
  constexpr size_t kDigitsMin = 13;
  constexpr size_t kDigitsMax = 19;
  if (text.size() < kDigitsMin || text.size() > 2 * kDigitsMax) return false;
  int digits[kDigitsMax];
  size_t count = 0;
  bool separated = true;  // A separator may not come first, last, or after another.
  for (const char c : text) {
    const bool separator = c == ' ' || c == '-';
    if (separator && separated) return false;
    separated = separator;
    if (separator) continue;
    if (c < '0' || c > '9' || count == kDigitsMax) return false;
    digits[count++] = c - '0';
  }
  if (separated || count < kDigitsMin || digits[0] < 2 || digits[0] > 6) return false;
  int sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const int digit = digits[count - 1 - i];
    sum += i % 2 == 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0);
  }
  return sum % 10 == 0;
}

void CardNumberSample::Add(std::span<const std::string_view> fields) {
  for (size_t i = 0; i < std::min(fields.size(), columns_.size()); ++i) {
    if (fields[i].empty()) continue;
    Tally& tally = columns_[i];
    ++tally.values;
    if (!LooksLikeCardNumber(fields[i])) continue;
    ++tally.cards;
    if (tally.distinct_cards.size() < kDistinctMin)
      tally.distinct_cards.insert(std::hash<std::string_view>{}(fields[i]));
  }
}

std::optional<size_t> CardNumberSample::Suspect() const {
  const auto found = std::ranges::find_if(columns_, [](const Tally& tally) {
    return tally.distinct_cards.size() >= kDistinctMin && 2 * tally.cards > tally.values;
  });
  if (found == columns_.end()) return std::nullopt;
  return static_cast<size_t>(found - columns_.begin());
}

}  // namespace aisle

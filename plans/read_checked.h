// Values of plan.toml that have a range or a list of words: read, and refused in the table if they are outside of it.
// For the .cc files that parse plans.
#pragma once

#include <absl/time/time.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/config.h"

namespace aisle {

template <typename T>
void RefuseOutside(ConfigTable& table, std::string_view key, T value, T min, T max) {
  if (!(value >= min && value <= max)) {  // Written so that NaN is refused too.
    table.Refuse(key, fmt::format("is {}; it must be within {} to {}", value, min, max));
  }
}

inline void ReadNumber(ConfigTable& table, std::string_view key, double& value, double min, double max) {
  table.Read(key, value);
  RefuseOutside(table, key, value, min, max);
}

inline void ReadCount(ConfigTable& table, std::string_view key, uint32_t& value, uint32_t min, uint32_t max) {
  table.Read(key, value);
  RefuseOutside(table, key, value, min, max);
}

inline void ReadDuration(ConfigTable& table, std::string_view key, absl::Duration& value, absl::Duration max) {
  table.ReadDuration(key, value);
  if (value < absl::Seconds(1) || value > max) {
    table.Refuse(key, fmt::format("must be within 1s to {}s", absl::ToInt64Seconds(max)));
  }
}

// Reads one of a few words into an enum; anything else is a mistake that lists the words.
template <typename Enum, size_t N>
void ReadChoice(ConfigTable& table, std::string_view key, Enum& value,
                const std::array<std::pair<std::string_view, Enum>, N>& choices) {
  if (!table.Has(key)) return;
  std::string word;
  table.Read(key, word);
  std::string known;
  for (const auto& [name, choice] : choices) {
    if (word == name) {
      value = choice;
      return;
    }
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", name);
  }
  table.Refuse(key, fmt::format("must be one of {}", known));
}

}  // namespace aisle

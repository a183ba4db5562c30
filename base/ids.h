// Names of things, each its own type so that none can be swapped for another.
//
// A name is 1 to 64 characters of [a-z0-9._-] and starts with a letter or digit: it is safe as a file name, a URI
// segment and a metric-free log field. Construction goes through Parse; a default-constructed id is empty and equals no
// parsed one.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aisle {

inline constexpr size_t kNameLengthMax = 64;

// OK if `text` is a name as described above; else InvalidArgument naming `what`.
Status CheckName(std::string_view what, std::string_view text);

template <typename Tag>
class Name {
 public:
  Name() = default;
  static StatusOr<Name> Parse(std::string_view text) {
    AISLE_RETURN_IF_ERROR(CheckName(Tag::kWhat, text));
    return Name(std::string(text));
  }
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Name&) const = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct StoreIdTag {
  static constexpr std::string_view kWhat = "store id";
};
struct JobIdTag {
  static constexpr std::string_view kWhat = "job id";
};
struct TableNameTag {
  static constexpr std::string_view kWhat = "table name";
};
using StoreId = Name<StoreIdTag>;
using JobId = Name<JobIdTag>;
using TableName = Name<TableNameTag>;

// One round of one job; rounds of a job count from 1. Attempts that aborted keep their number: it is never used again.
struct RoundId {
  JobId job;
  uint32_t number = 0;
  auto operator<=>(const RoundId&) const = default;
};

std::string ToString(const RoundId& round);  // "demand/7"

}  // namespace aisle

template <typename Tag>
struct std::hash<aisle::Name<Tag>> {
  size_t operator()(const aisle::Name<Tag>& name) const noexcept { return std::hash<std::string>{}(name.str()); }
};
template <typename Tag>
struct fmt::formatter<aisle::Name<Tag>> : fmt::formatter<std::string_view> {
  auto format(const aisle::Name<Tag>& name, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(name.str(), context);
  }
};
template <>
struct fmt::formatter<aisle::RoundId> : fmt::formatter<std::string_view> {
  auto format(const aisle::RoundId& round, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(aisle::ToString(round), context);
  }
};

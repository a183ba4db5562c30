#include "base/ids.h"

#include <algorithm>

namespace aisle {
namespace {

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsNameCharacter(char c) { return IsLetterOrDigit(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

Status CheckName(std::string_view what, std::string_view text) {
  if (text.empty() || text.size() > kNameLengthMax) {
    return InvalidArgument("{} has {} characters; it needs 1 to {}", what, text.size(), kNameLengthMax);
  }
  if (!IsLetterOrDigit(text.front()) || !std::ranges::all_of(text, IsNameCharacter)) {
    return InvalidArgument("{} '{}' may hold only a-z, 0-9, '.', '_' and '-', and starts with a letter or digit", what,
                           text);
  }
  return OkStatus();
}

std::string ToString(const RoundId& round) { return fmt::format("{}/{}", round.job, round.number); }

}  // namespace aisle

#include "base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace aisle {
namespace {

bool Continues(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

// Bytes of the character that `text` begins with; 0 if it begins with none. No overlong forms, no surrogates, nothing
// above U+10FFFF.
size_t CharacterSize(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (text.size() < size || !std::ranges::all_of(text.substr(1, size - 1), Continues)) return 0;
  const auto second = static_cast<uint8_t>(text[1]);
  const bool odd = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                   (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return odd ? 0 : size;
}

}  // namespace

std::string_view CutText(std::string_view text, size_t size_max) {
  constexpr size_t kContinuationsMax = 3;
  if (text.size() <= size_max) return text;
  size_t size = size_max;
  while (size > 0 && size_max - size < kContinuationsMax && Continues(text[size])) --size;
  return text.substr(0, Continues(text[size]) ? size_max : size);  // So many in a row are no character anyway.
}

std::string Utf8Text(std::string_view text, size_t size_max) {
  text = CutText(text, size_max);
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    valid += size == 0 ? "?" : text.substr(0, size);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return valid;
}

}  // namespace aisle

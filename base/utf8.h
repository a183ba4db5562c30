// Text that leaves us: protobuf refuses a message with a string that isn't UTF-8 (RFC 3629), whole, at the other end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aisle {

// The longest head of at most `size_max` bytes that doesn't end within a character.
std::string_view CutText(std::string_view text, size_t size_max);

// The same, with '?' for every byte that belongs to no character.
std::string Utf8Text(std::string_view text, size_t size_max);

}  // namespace aisle

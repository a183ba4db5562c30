#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace aisle::fuzz {
namespace {

constexpr size_t kPieceMax = 64;
constexpr size_t kInputMax = 1 << 14;  // Of what is drawn.

// Where a parser's arithmetic breaks, if it breaks.
constexpr std::array<uint64_t, 14> kNumbers = {
    0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000u, 0xffffffffu, 1ull << 40, 1ull << 63, ~0ull};

}  // namespace

std::string Mutator::PieceOf(const std::string& input) {
  if (input.empty()) return std::string(1, static_cast<char>(random_.Below(256)));
  return input.substr(random_.Below(input.size()), 1 + random_.Below(kPieceMax));
}

void Mutator::PutNumber(std::string& input) {
  const uint64_t number = kNumbers[random_.Below(kNumbers.size())];
  const size_t size = std::min(size_t{1} << random_.Below(4), input.size());
  std::memcpy(input.data() + random_.Below(input.size() - size + 1), &number, size);
}

void Mutator::Change(std::string& input) {
  if (input.empty()) input = PieceOf(Any());
  const size_t at = random_.Below(input.size());
  switch (random_.Below(8)) {
    case 0:
      input[at] = static_cast<char>(input[at] ^ (1 << random_.Below(8)));
      return;
    case 1:
      input[at] = static_cast<char>(random_.Below(256));
      return;
    case 2:
      return PutNumber(input);
    case 3:
      input.erase(at, 1 + random_.Below(kPieceMax));
      return;
    case 4:
      input.insert(at, PieceOf(input));
      return;
    case 5:
      input.insert(at, PieceOf(Any()));
      return;
    case 6: {
      const std::string piece = PieceOf(Any());
      input.replace(at, piece.size(), piece);
      return;
    }
    default: {  // Its beginning, another's end.
      const std::string& other = Any();
      input.replace(at, std::string::npos, other, std::min(at, other.size()), std::string::npos);
      return;
    }
  }
}

std::string Mutator::Draw() {
  std::string input = Any();
  for (uint64_t changes = 1 + random_.Below(5); changes > 0; --changes) Change(input);
  if (input.size() > kInputMax) input.resize(kInputMax);
  return input;
}

}  // namespace aisle::fuzz

// What a fuzz target provides: the file tests/fuzz/NAME_fuzz.cc holds, in namespace aisle::fuzz::NAME,
//
//   void TryInput(std::string_view input);   Takes any bytes. Anything but returning (a crash, a hang, a sanitizer's
//                                            report) is a bug.
//   std::vector<std::string> Seeds();        Inputs the parser accepts: where the fuzzer starts from.
//
// and ends with AISLE_FUZZ_TARGET(NAME), or AISLE_DEAR_FUZZ_TARGET(NAME, COST). All targets are one program: with the
// preset fuzz libFuzzer drives that which it is asked for (libfuzzer.cc); every other build replays all of them,
// without a fuzzer (replay_test.cc). Either asks a target for its seeds before its first input; keys and whatever else
// is drawn are then the same in every run.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fixed_draws.h"

namespace aisle::fuzz {

struct Target {
  std::string_view name;
  void (*try_input)(std::string_view input);
  std::vector<std::string> (*seeds)();
  size_t cost;  // Of an input, in tenths of a millisecond or so: without a fuzzer so many times fewer are tried.

  // As above, with all that is drawn in them drawn from the same start (fixed_draws.h).
  void Try(std::string_view input) const {
    DrawAnew();
    try_input(input);
  }
  std::vector<std::string> Seeds() const {
    DrawAnew();
    return seeds();
  }
};

// Those of this program, in no order. Complete when main begins.
const std::vector<Target>& Targets();

struct Registration {
  explicit Registration(const Target& target);
};

// For targets of several parsers: the input's first byte says which.
struct Chosen {
  size_t which = 0;  // Below `count`.
  std::string_view input;
};
inline Chosen Choose(std::string_view input, size_t count) {
  if (input.empty()) return {};
  return {.which = static_cast<unsigned char>(input[0]) % count, .input = input.substr(1)};
}
inline std::string Choosing(size_t which, std::string_view input) {
  return static_cast<char>(which) + std::string(input);
}

}  // namespace aisle::fuzz

#define AISLE_FUZZ_TARGET(name) AISLE_DEAR_FUZZ_TARGET(name, 1)
#define AISLE_DEAR_FUZZ_TARGET(name, cost)                                    \
  namespace aisle::fuzz::name {                                               \
  const Registration kRegistration({#name "_fuzz", &TryInput, &Seeds, cost}); \
  }                                                                           \
  static_assert(true)

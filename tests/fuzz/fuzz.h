// What a fuzz target provides: the file tests/fuzz/NAME_fuzz.cc holds, in namespace aisle::fuzz::NAME,
//
//   void TryInput(std::string_view input);   Takes any bytes. Anything but returning (a crash, a hang, a sanitizer's
//                                            report) is a bug.
//   std::vector<std::string> Seeds();        Inputs the parser accepts: where the fuzzer starts from.
//
// and ends with AISLE_FUZZ_TARGET(NAME). With the preset fuzz each target is a program of its own that libFuzzer drives
// (libfuzzer.cc); every other build replays all of them in one program, without a fuzzer (replay_test.cc).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aisle::fuzz {

struct Target {
  std::string_view name;
  void (*try_input)(std::string_view input);
  std::vector<std::string> (*seeds)();
};

// Those of this program, in no order. Complete when main begins.
const std::vector<Target>& Targets();

struct Registration {
  explicit Registration(const Target& target);
};

}  // namespace aisle::fuzz

#define AISLE_FUZZ_TARGET(name)                                         \
  namespace aisle::fuzz::name {                                         \
  const Registration kRegistration({#name "_fuzz", &TryInput, &Seeds}); \
  }                                                                     \
  static_assert(true)

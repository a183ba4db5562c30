// What a fuzz target provides. With the fuzz preset libFuzzer drives it; in every other build replay.cc feeds it the
// seeds, each also cut at every byte and with bytes changed, so that a parser that crashes is found without a fuzzer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aisle::fuzz {

// Takes any bytes. Anything but returning (a crash, a hang, a sanitizer's report) is a bug.
void TryInput(std::string_view input);

// Inputs the parser accepts: where the fuzzer starts from.
std::vector<std::string> Seeds();

}  // namespace aisle::fuzz

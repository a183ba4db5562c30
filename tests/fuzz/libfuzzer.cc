// libFuzzer's door to a fuzz target. Called with --seeds FOLDER, writes the target's seeds there instead.
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  aisle::fuzz::TryInput({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::string_view((*argv)[1]) == "--seeds") {
    int number = 0;
    for (const std::string& seed : aisle::fuzz::Seeds()) {
      std::ofstream(std::string((*argv)[2]) + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
    }
    std::exit(0);
  }
  return 0;
}

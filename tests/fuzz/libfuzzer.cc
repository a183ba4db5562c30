// libFuzzer's door to the one target of a program. Called with --seeds FOLDER, writes the target's seeds there instead.
#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "tests/fuzz/fuzz.h"

namespace {

const aisle::fuzz::Target& TheTarget() { return aisle::fuzz::Targets().front(); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  TheTarget().try_input({reinterpret_cast<const char*>(data), size});
  return 0;
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::string_view((*argv)[1]) == "--seeds") {
    int number = 0;
    for (const std::string& seed : TheTarget().seeds()) {
      std::ofstream(std::string((*argv)[2]) + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
    }
    std::exit(0);
  }
  return 0;
}

// libFuzzer's door to the targets: one program holds them all, and the name it is started under says which one it is.
// With --seeds=FOLDER it first writes that target's seeds there.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/fuzz.h"

namespace {

const aisle::fuzz::Target* the_target = nullptr;

void Choose(std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  for (const aisle::fuzz::Target& target : aisle::fuzz::Targets()) {
    if (target.name == name) the_target = &target;
  }
  if (the_target != nullptr) return;
  std::fprintf(stderr, "this program is started under the name of a fuzz target, of which %.*s is none. There are:\n",
               static_cast<int>(name.size()), name.data());
  for (const aisle::fuzz::Target& target : aisle::fuzz::Targets()) std::fprintf(stderr, "  %s\n", target.name.data());
  std::exit(2);
}

void Write(const std::vector<std::string>& seeds, const std::string& folder) {
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const std::string& seed : seeds) {
    std::ofstream(folder + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  }
}

}  // namespace

// Where llvm-symbolizer isn't installed, binutils' addr2line names the lines of a stack.
extern "C" const char* __asan_default_options() { return "allow_addr2line=1"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  the_target->Try({reinterpret_cast<const char*>(data), size});
  return 0;
}

// libFuzzer passes over what begins with --.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kSeeds = "--seeds=";
  Choose((*argv)[0]);
  const std::vector<std::string> seeds = the_target->Seeds();
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (argument.starts_with(kSeeds)) Write(seeds, std::string(argument.substr(kSeeds.size())));
  }
  return 0;
}

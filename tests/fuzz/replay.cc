// Runs a fuzz target without a fuzzer: every seed, every prefix of it, and every byte of it changed in four ways; and
// what the fuzzer has found so far (corpus/NAME, some of it once broke something).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz {
namespace {

constexpr size_t kPlacesMax = 4096;  // Of a long seed, evenly spread.

size_t Stride(const std::string& seed) { return std::max<size_t>(1, seed.size() / kPlacesMax); }

TEST(ReplayTest, SurvivesItsSeeds) {
  ASSERT_FALSE(Seeds().empty());
  for (const std::string& seed : Seeds()) TryInput(seed);
}

TEST(ReplayTest, SurvivesSeedsCutAnywhere) {
  for (const std::string& seed : Seeds()) {
    for (size_t size = 0; size < seed.size(); size += Stride(seed)) TryInput(std::string_view(seed).substr(0, size));
  }
}

TEST(ReplayTest, SurvivesAnyByteChanged) {
  for (std::string seed : Seeds()) {
    for (size_t at = 0; at < seed.size(); at += Stride(seed)) {
      const char was = seed[at];
      for (const int flip : {0x01, 0x80, 0xff, 0x20}) {
        seed[at] = static_cast<char>(was ^ flip);
        TryInput(seed);
      }
      seed[at] = was;
    }
  }
}

TEST(ReplayTest, SurvivesTheCorpus) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(AISLE_FUZZ_CORPUS, none)) {
    SCOPED_TRACE(entry.path());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    ASSERT_TRUE(file.good() || file.eof());
    TryInput(input);
  }
}

TEST(ReplayTest, SurvivesOddInputs) {
  for (const std::string& input :
       {std::string(), std::string(1, '\0'), std::string(1000, '\xff'), std::string(100'000, '[')}) {
    TryInput(input);
  }
}

}  // namespace
}  // namespace aisle::fuzz

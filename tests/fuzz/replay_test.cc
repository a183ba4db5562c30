// Runs every fuzz target without a fuzzer: its seeds, each cut and with bytes changed; what the fuzzer has kept
// (corpus/NAME: inputs that reach something of their own, and those that once broke something); and inputs drawn from
// all of them by a seeded generator, always the same. What breaks a parser is left in a file.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/digest.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutator.h"

extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace aisle::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPlacesMax = 150;  // Of a seed, evenly spread.
constexpr size_t kDrawn = 1500;     // Inputs for each target.

std::string_view input_now;

// Safe in a signal handler.
void LeaveInput() {
  const int file = open("breaks-a-parser", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return;
  constexpr std::string_view kSaid = "the input that did it is in ./breaks-a-parser\n";
  if (write(file, input_now.data(), input_now.size()) >= 0) (void)!write(STDERR_FILENO, kSaid.data(), kSaid.size());
  close(file);
}

void OnSignal(int number) {
  LeaveInput();
  raise(number);
}

std::vector<std::string> CorpusOf(std::string_view name) {
  std::set<fs::path> paths;  // In one order everywhere.
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(AISLE_FUZZ_CORPUS) / name, none)) paths.insert(entry.path());
  std::vector<std::string> inputs;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

class ReplayTest : public ::testing::TestWithParam<Target> {
 protected:
  static void SetUpTestSuite() {
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
      struct sigaction action {};
      action.sa_handler = OnSignal;
      action.sa_flags = static_cast<int>(SA_RESETHAND);
      if (__sanitizer_set_death_callback == nullptr || number == SIGABRT) sigaction(number, &action, nullptr);
    }
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(LeaveInput);
  }
  static void TearDownTestSuite() { std::signal(SIGABRT, SIG_DFL); }

  static void Try(std::string_view input) {
    input_now = input;
    GetParam().Try(input);
  }
  static size_t Stride(const std::string& seed) { return 1 + seed.size() * GetParam().cost / kPlacesMax; }
  const std::vector<std::string> seeds_ = GetParam().Seeds();
};

TEST_P(ReplayTest, SurvivesItsSeeds) {
  ASSERT_FALSE(seeds_.empty());
  for (const std::string& seed : seeds_) Try(seed);
}

TEST_P(ReplayTest, SurvivesSeedsCutAnywhere) {
  for (const std::string& seed : seeds_) {
    for (size_t size = 0; size < seed.size(); size += Stride(seed)) Try(std::string_view(seed).substr(0, size));
  }
}

TEST_P(ReplayTest, SurvivesAnyByteChanged) {
  for (std::string seed : seeds_) {
    for (size_t at = 0; at < seed.size(); at += Stride(seed)) {
      const char was = seed[at];
      for (const int flip : {0x01, 0x80, 0xff, 0x20}) {
        seed[at] = static_cast<char>(was ^ flip);
        Try(seed);
      }
      seed[at] = was;
    }
  }
}

TEST_P(ReplayTest, SurvivesOddInputs) {
  for (const std::string& input :
       {std::string(), std::string(1, '\0'), std::string(1000, '\xff'), std::string(100'000, '[')}) {
    Try(input);
  }
}

TEST_P(ReplayTest, SurvivesTheCorpus) {
  for (const std::string& input : CorpusOf(GetParam().name)) Try(input);
}

TEST_P(ReplayTest, SurvivesWhatIsDrawnFromTheCorpus) {
  std::vector<std::string> known = CorpusOf(GetParam().name);
  known.insert(known.end(), seeds_.begin(), seeds_.end());
  AesCtrStream random(SecretBytes::CopyOf(Sha256::Of(GetParam().name).view()), "fuzz");
  Mutator mutator(std::move(known), random);
  for (size_t drawn = 0; drawn < kDrawn / GetParam().cost; ++drawn) Try(mutator.Draw());
}

INSTANTIATE_TEST_SUITE_P(, ReplayTest, ::testing::ValuesIn(Targets()),
                         [](const auto& test) { return std::string(test.param.name); });

// What a new process makes of all seeds. A target draws its keys once, so this one may hold other draws by now.
std::string DigestOfSeedsElsewhere() {
  const auto say = [] {
    std::string all;
    for (const Target& target : Targets()) {
      for (const std::string& seed : target.Seeds()) all += Sha256::Of(seed).Hex();
    }
    std::fputs(Sha256::Of(all).Hex().c_str(), stderr);
    std::_Exit(0);
  };
  std::string said;
  EXPECT_EXIT(say(), ::testing::ExitedWithCode(0), ::testing::Truly([&](const std::string& text) {
                said = text;
                return true;
              }));
  return said;
}

TEST(SeedsTest, AreTheSameInEveryProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // Begins the program anew.
  const std::string first = DigestOfSeedsElsewhere();
  EXPECT_EQ(first.size(), 2 * Digest::kSize) << first;
  EXPECT_EQ(first, DigestOfSeedsElsewhere());
}

TEST(CorpusTest, BelongsToTargets) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(AISLE_FUZZ_CORPUS, none)) {
    EXPECT_TRUE(std::ranges::any_of(
        Targets(), [&](const Target& target) { return target.name == entry.path().filename().string(); }))
        << entry.path() << " is of no target";
  }
}

// Who clones the tree carries it.
TEST(CorpusTest, StaysSmall) {
  constexpr uintmax_t kSizeMax = 600 << 10;
  uintmax_t size = 0;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(AISLE_FUZZ_CORPUS, none)) {
    if (entry.is_regular_file()) size += entry.file_size();
  }
  EXPECT_LE(size, kSizeMax) << "./dev fuzz --merge keeps what is needed";
}

// Not even one that was made for this: who searches the tree for keys finds none.
TEST(CorpusTest, HoldsNoPrivateKey) {
  for (const Target& target : Targets()) {
    for (const std::string& input : CorpusOf(target.name)) {
      EXPECT_EQ(input.find("PRIVATE KEY"), std::string::npos) << target.name;
    }
  }
}

}  // namespace
}  // namespace aisle::fuzz

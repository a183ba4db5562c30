#include "base/cover.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace aisle {
namespace {

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

// The mark to die at is read once in a program's life, so each of these runs in a program of its own.
class DieAtTest : public ::testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv("AISLE_DIE_AT", "commit.test.after#3", 1);
    if (DieAt().empty()) GTEST_SKIP() << "this build never dies at marks";
  }
  void TearDown() override { ::unsetenv("AISLE_DIE_AT"); }
};

TEST_F(DieAtTest, EndsTheProgramAtTheNamedPassageAndNoSooner) {
  EXPECT_EXIT(
      {
        AISLE_COVER("commit.test.after");
        AISLE_COVER("commit.test.after");
        std::fputs("alive after two", stderr);
        AISLE_COVER("commit.test.after");
        ::_exit(0);
      },
      KilledBySignal(SIGKILL), "alive after two");
}

TEST_F(DieAtTest, OtherMarksAreHarmless) {
  EXPECT_EXIT(
      {
        for (int i = 0; i < 9; ++i) AISLE_COVER("commit.test.before");
        ::_exit(7);
      },
      ExitedWithCode(7), "");
}

TEST_F(DieAtTest, WithoutANumberItIsTheFirstPassage) {
  ::setenv("AISLE_DIE_AT", "commit.test.after", 1);
  EXPECT_EXIT(AISLE_COVER("commit.test.after"), KilledBySignal(SIGKILL), "");
}

TEST(CoverTest, CountsPassagesByMark) {
  const uint64_t before = CoverageCount("cover_test.here");
  AISLE_COVER("cover_test.here");
  AISLE_COVER("cover_test.here");
  EXPECT_EQ(CoverageCount("cover_test.here"), before + 2);
  EXPECT_EQ(CoverageCount("cover_test.nowhere"), 0U);
}

}  // namespace
}  // namespace aisle

// A store whose clock is wrong is named in the log: once, and again only after it was right in between.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/executor.h"
#include "coordinator/catalog/memory_state_store.h"
#include "coordinator/stores/store_book.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoreClockTest : public ::testing::Test {
 protected:
  StoreClockTest() {
    const EnrolmentRecord code{.code_hash = Sha256::Of("code"), .store = store_, .expires_at = clock_.Now()};
    EXPECT_TRUE(book_.PutRedemption(code, {.current = Sha256::Of("key")}, clock_.Now() + absl::Hours(72)).ok());
  }
  // What the log says of a check-in by a clock that is so far ahead.
  std::string SaidOf(absl::Duration ahead) {
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE(book_.Present(store_, CheckIn{.clock = clock_.Now() + ahead}).ok());
    return ::testing::internal::GetCapturedStderr();
  }

  const StoreId store_ = *StoreId::Parse("leeds-01");
  ManualExecutor clock_;
  MemoryStateStore state_;
  StoreBook book_{state_, clock_};
};

TEST_F(StoreClockTest, OneWarningWithTheDifference) {
  EXPECT_THAT(SaidOf(absl::Minutes(4)), IsEmpty());
  EXPECT_THAT(SaidOf(absl::Hours(2)), HasSubstr("leeds-01 is 2h ahead of ours"));
  EXPECT_THAT(SaidOf(absl::Hours(2)), IsEmpty());
  EXPECT_THAT(SaidOf(-absl::Minutes(90)), IsEmpty()) << "it is known to be off";
  EXPECT_THAT(SaidOf(absl::ZeroDuration()), IsEmpty());
  EXPECT_THAT(SaidOf(-absl::Minutes(90)), HasSubstr("leeds-01 is 1h30m behind ours"));
}

TEST_F(StoreClockTest, AStoreThatDoesntSayIsntJudged) {
  EXPECT_THAT(SaidOf(absl::UnixEpoch() - clock_.Now()), IsEmpty());
}

}  // namespace
}  // namespace aisle

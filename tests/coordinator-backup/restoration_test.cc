#include "coordinator/backup/restoration.h"

#include <gtest/gtest.h>

#include "base/storage/files.h"
#include "coordinator/catalog/memory_state_store.h"
#include "tests/base/expect_cover.h"
#include "tests/coordinator-catalog/sample_records.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

class RestorationTest : public ::testing::Test {
 protected:
  RestorationTest() {
    JobRecord ended = SampleJob("ended");
    ended.state = JobState::kFinished;
    ended.version_floor = 0;
    JobRecord running = SampleJob("demand");
    running.version_floor = 0;
    running.ended_at.reset();
    RoundRecord open = SampleRound(Round("demand", 9));
    open.phase = RoundPhase::kTraining;
    open.closed_at.reset();
    StoreRecord waiting = SampleStore("waiting");
    waiting.code->used.reset();
    waiting.code->used_by.reset();
    Commit(StateChange().Put(ended).Put(running).Put(open).Put(SampleStore("member")).Put(waiting));
    Commit(StateChange().AppendEvent(open.id, 0, "an event"));
  }
  void Commit(const StateChange& change) { ASSERT_TRUE(state_.Commit(change, Durability::kSynced).ok()); }
  JobRecord JobNow(const char* job) { return state_.FindJob(Job(job)).value().value(); }
  RestorationReport CarriedOver(absl::Time made_at, absl::Time now) {
    const auto report = CarryOver(state_, made_at, now);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value().value();
  }

  MemoryStateStore state_;
};

TEST_F(RestorationTest, NumbersGoOnBeyondAllThatCanHaveBeenUsed) {
  const RestorationReport report = CarriedOver(At(0), At(90));
  EXPECT_EQ(report.gap, 2 * kNumbersPerMinute) << "a minute and a half: two have begun";
  EXPECT_EQ(JobNow("demand").next_round_number, 10 + report.gap);
  EXPECT_EQ(JobNow("demand").version_floor, 7 + report.gap);
  EXPECT_EQ(JobNow("demand").model_version, 7U) << "the latest model is still the latest there is";
  EXPECT_EQ(JobNow("ended").next_round_number, 10U);
  EXPECT_EQ(FindRestored(state_).value()->numbers_from, report.gap);
}

TEST_F(RestorationTest, OneBackupRestoredTwiceUsesNoNumberTwice) {
  MemoryStateStore second;
  ASSERT_TRUE(second.Commit(StateChange().Put(JobNow("demand")), Durability::kSynced).ok());
  CarriedOver(At(0), At(30));
  ASSERT_TRUE(CarryOver(second, At(0), At(95)).ok());
  const JobRecord later = second.FindJob(Job("demand")).value().value();
  EXPECT_GE(later.next_round_number, JobNow("demand").next_round_number + kNumbersPerMinute);
  EXPECT_GE(later.version_floor, JobNow("demand").version_floor + kNumbersPerMinute);
}

TEST_F(RestorationTest, OpenRoundsAreOver) {
  EXPECT_EQ(CarriedOver(At(0), At(30)).rounds_ended, 1U);
  const RoundRecord round = state_.FindRound(Round("demand", 9)).value().value();
  EXPECT_EQ(round.phase, RoundPhase::kAborted);
  EXPECT_EQ(round.closed_at, At(30));
  EXPECT_EQ(round.abort_reason.find("restored: "), 0U);
  EXPECT_TRUE(state_.ListJournals().value().empty());
  EXPECT_EQ(JobNow("demand").rounds_aborted, 3U);
  EXPECT_EQ(JobNow("demand").state, JobState::kRunning);
}

TEST_F(RestorationTest, AJobThatWasCancelledWhileItsRoundClosedHasEnded) {
  JobRecord cancelled = JobNow("demand");
  cancelled.state = JobState::kCancelled;
  Commit(StateChange().Put(cancelled));
  CarriedOver(At(0), At(30));
  EXPECT_EQ(JobNow("demand").state, JobState::kCancelled);
  EXPECT_EQ(JobNow("demand").ended_at, At(30));
}

TEST_F(RestorationTest, UnusedCodesAreVoidAndMembersStay) {
  EXPECT_EQ(CarriedOver(At(0), At(30)).codes_voided, 1U);
  EXPECT_FALSE(state_.FindStore(Store("waiting")).value()->code.has_value());
  EXPECT_FALSE(state_.FindStoreByCode(Sha256::Of("waiting")).value().has_value());
  EXPECT_EQ(state_.FindStore(Store("member")).value(), SampleStore("member"));
}

TEST_F(RestorationTest, DoneAgainForTheSameBackupItChangesNothing) {
  CarriedOver(At(0), At(30));
  const JobRecord once = JobNow("demand");
  const test::ExpectCover cover("restoration.done_already");
  EXPECT_FALSE(CarryOver(state_, At(0), At(500)).value().has_value());
  EXPECT_EQ(JobNow("demand"), once);
}

TEST_F(RestorationTest, ABackupOfARestoredCoordinatorMovesOnOnceMore) {
  const RestorationReport first = CarriedOver(At(0), At(30));
  const RestorationReport second = CarriedOver(At(200), At(230));
  EXPECT_EQ(JobNow("demand").next_round_number, 10 + first.gap + second.gap);
  EXPECT_EQ(FindRestored(state_).value()->numbers_from, first.gap + second.gap);
  EXPECT_EQ(FindRestored(state_).value()->made_at, At(200));
}

TEST_F(RestorationTest, AClockBeforeTheBackupIsRefused) {
  EXPECT_EQ(CarryOver(state_, At(1000), At(0)).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(CarryOver(state_, At(60), At(0)).ok()) << "clocks differ a little";
}

TEST_F(RestorationTest, AFailedWriteChangesNothing) {
  state_.FailCommits(ResourceExhausted("the disk is full"));
  const JobRecord before = JobNow("demand");
  EXPECT_EQ(CarryOver(state_, At(0), At(30)).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(JobNow("demand"), before);
  EXPECT_TRUE(CarryOver(state_, At(0), At(30)).value().has_value());
}

TEST_F(RestorationTest, TheRecordOfItIsReadBackAndCheckedWhole) {
  const Restored restored{.made_at = At(1), .at = At(2), .numbers_from = 600};
  const std::string bytes = EncodeRestored(restored);
  EXPECT_EQ(DecodeRestored(bytes).value(), restored);
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeRestored(bytes.substr(0, size)).ok());
}

class RestoredFolderTest : public RestorationTest {
 protected:
  Status Start(const char* chain = "northwind") {
    return CarryOverIfRestored(folder_.File(""), *ChainName::Parse(chain), state_, At(30));
  }
  const TemporaryFolder folder_;
};

TEST_F(RestoredFolderTest, TheMarkIsPutAwayOnceItIsDone) {
  folder_.Write("backup.toml", fmt::format("chain = \"northwind\"\nmade_unix_us = {}\n", absl::ToUnixMicros(At(0))));
  ASSERT_TRUE(Start().ok());
  EXPECT_FALSE(FileExists(folder_.File("backup.toml")));
  EXPECT_TRUE(FileExists(folder_.File("restored.toml")));
  EXPECT_EQ(FindRestored(state_).value()->made_at, At(0));
}

TEST_F(RestoredFolderTest, WithoutAMarkNothingHappens) {
  ASSERT_TRUE(Start().ok());
  EXPECT_FALSE(FindRestored(state_).value().has_value());
}

TEST_F(RestoredFolderTest, AnotherChainsBackupAndADamagedMarkAreRefused) {
  folder_.Write("backup.toml", fmt::format("chain = \"northwind\"\nmade_unix_us = {}\n", absl::ToUnixMicros(At(0))));
  const Status other = Start("southwind");
  EXPECT_EQ(other.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(other).find("southwind"), std::string_view::npos);
  folder_.Write("backup.toml", "chain = 7\n");
  EXPECT_FALSE(Start().ok());
  EXPECT_FALSE(FindRestored(state_).value().has_value());
}

}  // namespace
}  // namespace aisle

// The coordinator as its stores and its data team see it, in virtual time.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "aggregation/weights.h"
#include "base/cover.h"
#include "base/reason.h"
#include "tests/base/expect_cover.h"
#include "tests/coordinator-driver/headquarters.h"

namespace aisle::test {
namespace {

class CoordinatorTest : public ::testing::Test {
 protected:
  void Open(int stores) {
    for (int i = 1; i <= stores; ++i) {
      stores_.push_back(std::make_unique<ScriptedStore>(headquarters_, fmt::format("s{}", i)));
      stores_.back()->value = 1000 * i;
    }
  }
  // Everybody acts until the job is over or nothing moves for `patience` turns.
  void PlayAll(const std::string& job, int patience = 200) {
    for (int turn = 0; turn < patience; ++turn) {
      for (const auto& store : stores_) store->Play();
      headquarters_.Advance(absl::Milliseconds(700));
      if (headquarters_.Job(job).ended_at) break;
    }
    for (const auto& store : stores_) store->Play();  // The last round's end.
  }
  Headquarters headquarters_;
  std::vector<std::unique_ptr<ScriptedStore>> stores_;
};

TEST_F(CoordinatorTest, AJobRunsFromSubmissionToItsLastModel) {
  Open(3);
  for (const auto& store : stores_) store->Play();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 3)).ok());
  PlayAll("demand");
  EXPECT_EQ(headquarters_.Job("demand").state, JobState::kFinished);
  const std::vector<ModelRecord> models = headquarters_.Models("demand");
  ASSERT_EQ(models.size(), 3);
  EXPECT_EQ(models[2].stores, 3);
  EXPECT_EQ(models[2].round.number, 3);
  EXPECT_GT(models[2].epsilon_floor, models[0].epsilon_floor);
  // Three rounds, each moving every weight by (1000 + 2000 + 3000) / 65536 / 3.
  const Weights weights = DecodeWeights(headquarters_.LatestWeights("demand")).value();
  EXPECT_NEAR(weights.values[0], 3 * 6000.0 / 65536 / 3, 1e-6);
  ASSERT_EQ(stores_[0]->closed.size(), 3);
  EXPECT_EQ(stores_[0]->closed[2].outcome, RoundOutcome::kCommitted);
  EXPECT_EQ(stores_[0]->closed[2].model_version, 3);
}

TEST_F(CoordinatorTest, AHeldCheckInIsAnsweredTheMomentThereIsATask) {
  Open(3);
  for (const auto& store : stores_) {
    store->CheckIn();
    EXPECT_FALSE(store->answer()) << "nothing to do yet: the call is held";
  }
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  for (const auto& store : stores_) EXPECT_NE(store->Got<TrainInstruction>(), nullptr) << "no time has passed";
}

TEST_F(CoordinatorTest, ALedgersHeadIsKeptAndGivenBack) {
  Open(1);
  ScriptedStore& store = *stores_[0];
  const LedgerHead opening{.entries = 0, .digest = Sha256::Of("opening")};
  const LedgerHead third{.entries = 3, .digest = Sha256::Of("third")};
  store.willing = false;
  const auto says = [&](const LedgerClaim& claim) {
    store.ledger = claim;
    store.CheckIn();
    headquarters_.Advance(absl::Minutes(1));
    return store.acknowledged;
  };
  EXPECT_EQ(says({.head = opening}), opening);
  EXPECT_EQ(says({.head = third}), opening) << "the store hasn't found the opening in its ledger yet";
  EXPECT_EQ(says({.head = third, .verified = opening}), third);
  headquarters_.Restart();
  EXPECT_EQ(says({.head = third}), third);
}

TEST_F(CoordinatorTest, AStoreWhoseLedgerWasRolledBackGetsNoTask) {
  Open(4);
  for (const auto& store : stores_) {
    store->ledger = LedgerClaim{.head = {.entries = 5, .digest = Sha256::Of("five")}};
    store->willing = false;
    store->CheckIn();
    store->willing = true;
  }
  ScriptedStore& store = *stores_[0];
  store.ledger = LedgerClaim{.head = {.entries = 2, .digest = Sha256::Of("two")}};
  store.CheckIn();
  ASSERT_NE(store.Got<ComeBack>(), nullptr) << "at once, so that it learns of it";
  EXPECT_EQ(store.acknowledged->entries, 5u);
  store.ledger->halted = true;
  for (const auto& each : stores_) each->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  headquarters_.Advance();
  EXPECT_EQ(store.Got<TrainInstruction>(), nullptr);
  EXPECT_NE(stores_[3]->Got<TrainInstruction>(), nullptr);
  const StoreRecord record = headquarters_.state().FindStore(store.id()).value().value();
  EXPECT_NE(record.ledger_trouble.find("rolled back"), std::string::npos) << record.ledger_trouble;
  EXPECT_EQ(record.ledger->entries, 5u) << "what was acknowledged stays so";
  // The right ledger is put back.
  store.ledger = LedgerClaim{.head = {.entries = 5, .digest = Sha256::Of("five")}};
  store.CheckIn();
  store.ledger->verified = store.acknowledged;
  store.CheckIn();
  EXPECT_EQ(headquarters_.state().FindStore(store.id()).value()->ledger_trouble, "");
}

TEST_F(CoordinatorTest, NoTimerLiesBetweenAnEventAndItsAnswer) {
  Open(3);
  const absl::Time began = headquarters_.executor().Now();
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 3)).ok());
  for (uint32_t number = 1; number <= 3; ++number) {
    for (const auto& store : stores_) ASSERT_NE(store->Got<TrainInstruction>(), nullptr) << "a task";
    const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
    EXPECT_EQ(round.number, number);
    for (const auto& store : stores_) store->CheckIn(StoreStanding::kTraining, round);
    for (const auto& store : stores_) {
      EXPECT_FALSE(store->answer());
      EXPECT_TRUE(store->Report(round, 5).ok());
    }
    for (const auto& store : stores_) ASSERT_NE(store->Got<CollectInstruction>(), nullptr) << "a change of phase";
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_TRUE(stores_[i]->Upload(round).ok());
      stores_[i]->CheckIn(StoreStanding::kUploaded, round);
      EXPECT_FALSE(stores_[i]->answer());
    }
    EXPECT_TRUE(stores_[2]->Upload(round).ok());
    stores_[2]->CheckIn(StoreStanding::kUploaded, round);
    for (const auto& store : stores_) {
      ASSERT_NE(store->Got<RoundClosed>(), nullptr) << "a commit";
      EXPECT_EQ(store->Got<RoundClosed>()->outcome, RoundOutcome::kCommitted);
    }
    for (const auto& store : stores_) store->CheckIn();
  }
  EXPECT_EQ(headquarters_.Models("demand").size(), 3);
  EXPECT_EQ(headquarters_.executor().Now(), began) << "virtual time stood still, so nothing waited for a timer";
}

TEST_F(CoordinatorTest, AHeldCheckInEndsWithATimeToComeBack) {
  Open(1);
  stores_[0]->CheckIn();
  headquarters_.Advance(absl::Seconds(19));
  EXPECT_FALSE(stores_[0]->answer());
  headquarters_.Advance(absl::Seconds(2));
  ASSERT_NE(stores_[0]->Got<ComeBack>(), nullptr);
  EXPECT_GT(stores_[0]->Got<ComeBack>()->after, absl::ZeroDuration());
}

TEST_F(CoordinatorTest, EveryAnswerCanBeAskedForAgain) {
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  stores_[0]->CheckIn();  // The answer got lost; the store knows of no round.
  ASSERT_NE(stores_[0]->Got<TrainInstruction>(), nullptr);
  EXPECT_EQ(stores_[0]->Got<TrainInstruction>()->round, round);
  for (const auto& store : stores_) {
    EXPECT_TRUE(store->Report(round, 5).ok());
    EXPECT_TRUE(store->Report(round, 5).ok()) << "said twice, counted once";
  }
  for (const auto& store : stores_) EXPECT_TRUE(store->Upload(round).ok());
  EXPECT_FALSE(stores_[0]->Upload(round).ok()) << "the round is over";
  stores_[0]->CheckIn(StoreStanding::kUploaded, round);
  ASSERT_NE(stores_[0]->Got<RoundClosed>(), nullptr) << "also long after the round has gone";
  EXPECT_EQ(stores_[0]->Got<RoundClosed>()->outcome, RoundOutcome::kCommitted);
  EXPECT_EQ(headquarters_.Models("demand").size(), 1);
}

TEST_F(CoordinatorTest, AStoreThatRefusesCostsTheRoundNothing) {
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  EXPECT_TRUE(stores_[0]->Refuse(round, RefusalReason::kPrivacyBudget).ok());
  for (int i = 1; i < 3; ++i) EXPECT_TRUE(stores_[static_cast<size_t>(i)]->Report(round, 5).ok());
  for (int i = 1; i < 3; ++i) EXPECT_TRUE(stores_[static_cast<size_t>(i)]->Upload(round).ok());
  EXPECT_EQ(headquarters_.Models("demand").size(), 1);
  const RoundRecord record = headquarters_.Rounds("demand")[0];
  EXPECT_EQ(record.stores_refused, 1);
  EXPECT_EQ(record.stores_collected, 2);
  EXPECT_NE(headquarters_.state().FindStore(stores_[0]->id()).value()->last_refusal.find("privacy_budget"),
            std::string::npos);
}

TEST_F(CoordinatorTest, ASilentStoreIsLeftOutAtTheDeadline) {
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(stores_[static_cast<size_t>(i)]->Report(round, 5).ok());
  headquarters_.Advance(absl::Minutes(11));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(stores_[static_cast<size_t>(i)]->Upload(round).ok());
  EXPECT_EQ(headquarters_.Models("demand").size(), 1);
  stores_[2]->CheckIn(StoreStanding::kTraining, round);
  ASSERT_NE(stores_[2]->Got<RoundClosed>(), nullptr);
  EXPECT_EQ(stores_[2]->Got<RoundClosed>()->outcome, RoundOutcome::kLeftOut);
}

TEST_F(CoordinatorTest, APlanThatNoStoreCanServeWaitsAndAbortsWithTheReason) {
  Open(3);
  for (const auto& store : stores_) store->tables = {*TableName::Parse("other")};
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  for (const auto& store : stores_) EXPECT_FALSE(store->answer());
  headquarters_.Advance(absl::Seconds(31));
  ASSERT_FALSE(headquarters_.Rounds("demand").empty());
  EXPECT_NE(headquarters_.Rounds("demand")[0].abort_reason.find("too_few_stores"), std::string::npos);
  EXPECT_EQ(headquarters_.Job("demand").state, JobState::kRunning) << "rounds that nobody came to don't end a job";
}

TEST_F(CoordinatorTest, TheFastestStoresDontCrowdOutTheOthers) {
  Open(4);  // Of which three are wanted. The first always answers first, the last one always last.
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 40)).ok());
  for (int turn = 0; turn < 800 && !headquarters_.Job("demand").ended_at; ++turn) {
    for (const auto& store : stores_) {
      store->Step();
      headquarters_.Advance(absl::Milliseconds(7));
    }
  }
  ASSERT_EQ(headquarters_.Job("demand").state, JobState::kFinished);
  std::vector<uint64_t> joined;
  for (const auto& store : stores_) {
    joined.push_back(headquarters_.state().FindStore(store->id()).value()->rounds_selected);
  }
  EXPECT_EQ(std::accumulate(joined.begin(), joined.end(), uint64_t{0}), 40 * 3);
  EXPECT_LE(*std::ranges::max_element(joined) - *std::ranges::min_element(joined), 2)
      << ::testing::PrintToString(joined);
}

TEST_F(CoordinatorTest, AStoreThatKeepsAwayDelaysAFullRoundByAMomentOnly) {
  Open(4);  // Of which three are wanted.
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 2)).ok());
  const auto passed_over = std::ranges::find_if(
      stores_, [](const auto& store) { return store->template Got<TrainInstruction>() == nullptr; });
  ASSERT_NE(passed_over, stores_.end());
  headquarters_.coordinator().HangUp((*passed_over)->certificate(), 1);
  stores_.erase(passed_over);
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  for (const auto& store : stores_) EXPECT_TRUE(store->Report(round, 5).ok());
  for (const auto& store : stores_) EXPECT_TRUE(store->Upload(round).ok());
  for (const auto& store : stores_) store->CheckIn();
  headquarters_.Advance(absl::Milliseconds(39));
  for (const auto& store : stores_) EXPECT_FALSE(store->answer()) << "it would be the absent store's turn";
  headquarters_.Advance(absl::Milliseconds(1));
  for (const auto& store : stores_) EXPECT_NE(store->Got<TrainInstruction>(), nullptr);
}

TEST_F(CoordinatorTest, StoresThatAreNotWillingAreNotWaitedFor) {
  Open(4);
  stores_[3]->willing = false;
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1, {.cohort_target = 4})).ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(stores_[static_cast<size_t>(i)]->Got<TrainInstruction>(), nullptr) << "no time has passed";
  }
}

TEST_F(CoordinatorTest, ARefusedPlanIsNotOfferedAgain) {
  Open(3);
  const Submission submission = headquarters_.PlanFor("demand", 1);
  stores_[0]->declined = {submission.plan};
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(submission).ok());
  headquarters_.Advance(absl::Seconds(31));  // Selecting takes whom it has; the held calls have ended by then.
  for (const auto& store : stores_) store->CheckIn();
  EXPECT_EQ(stores_[0]->Got<TrainInstruction>(), nullptr);
  EXPECT_NE(stores_[1]->Got<TrainInstruction>(), nullptr);
}

TEST_F(CoordinatorTest, SeveralJobsRunAtOnceAndNoStoreServesTwo) {
  Open(6);
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("first", 2)).ok());
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("second", 2)).ok());
  for (int turn = 0; turn < 100; ++turn) {
    for (const auto& store : stores_) store->Play();
    headquarters_.Advance(absl::Milliseconds(700));
  }
  EXPECT_EQ(headquarters_.Job("first").state, JobState::kFinished);
  EXPECT_EQ(headquarters_.Job("second").state, JobState::kFinished);
}

TEST_F(CoordinatorTest, CancellingEndsTheJobAndTellsWhoWaits) {
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 5)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  stores_[0]->CheckIn(StoreStanding::kTraining, round);
  EXPECT_FALSE(stores_[0]->answer());
  headquarters_.coordinator().Cancel(*JobId::Parse("demand"), "wrong plan", [](StatusOr<JobRecord>) {});
  headquarters_.Advance();
  ASSERT_NE(stores_[0]->Got<RoundClosed>(), nullptr);
  EXPECT_NE(stores_[0]->Got<RoundClosed>()->reason.find("wrong plan"), std::string::npos);
  EXPECT_EQ(headquarters_.Job("demand").state, JobState::kCancelled);
}

TEST_F(CoordinatorTest, PausesAfterAbortsAreShortAgainOnceARoundIsCommitted) {
  Open(3);
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 2)).ok());
  const auto next_round = [&] {
    for (int tries = 0; tries < 10'000; ++tries) {
      for (const auto& store : stores_) store->CheckIn();
      headquarters_.Advance(absl::Milliseconds(100));
      if (const auto* task = stores_[0]->Got<TrainInstruction>()) return task->round;
    }
    ADD_FAILURE() << "no round was opened";
    return RoundId{.job = *JobId::Parse("demand")};
  };
  const auto pause_after_abort = [&] {
    const RoundId round = next_round();
    for (const auto& store : stores_) (void)store->Refuse(round, RefusalReason::kPrivacyBudget);
    const absl::Time aborted = headquarters_.executor().Now();
    EXPECT_GT(next_round().number, round.number);
    return headquarters_.executor().Now() - aborted;
  };
  const absl::Duration first = pause_after_abort();
  absl::Duration last;
  for (int i = 0; i < 5; ++i) last = pause_after_abort();
  EXPECT_GT(last, 8 * first);
  const RoundId round = next_round();
  for (const auto& store : stores_) EXPECT_TRUE(store->Report(round, 5).ok());
  for (const auto& store : stores_) EXPECT_TRUE(store->Upload(round).ok());
  ASSERT_EQ(headquarters_.Models("demand").size(), 1);
  EXPECT_LE(pause_after_abort(), 2 * first);
}

TEST_F(CoordinatorTest, AJobFailsAfterTwentyAbortedRoundsInARow) {
  Open(2);
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  int refused = 0;
  for (int turn = 0; turn < 2000 && !headquarters_.Job("demand").ended_at; ++turn) {
    EXPECT_EQ(headquarters_.Job("demand").state, JobState::kRunning) << "after " << refused << " rounds";
    for (const auto& store : stores_) store->CheckIn();
    if (const auto* task = stores_[0]->Got<TrainInstruction>()) {
      EXPECT_TRUE(stores_[0]->Refuse(task->round, RefusalReason::kPrivacyBudget).ok());
      ++refused;
    }
    headquarters_.Advance(absl::Seconds(19));
  }
  EXPECT_EQ(refused, 20);
  const JobRecord job = headquarters_.Job("demand");
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_NE(job.state_reason.find("20 rounds in a row"), std::string::npos) << job.state_reason;
  EXPECT_NE(job.state_reason.find("1 refused"), std::string::npos) << job.state_reason;
  const size_t rounds = headquarters_.Rounds("demand").size();
  headquarters_.Advance(absl::Minutes(11));
  EXPECT_EQ(headquarters_.Rounds("demand").size(), rounds) << "no round is opened for it any more";
}

TEST_F(CoordinatorTest, SubmissionsAreRefusedWithTheirReason) {
  Submission submission = headquarters_.PlanFor("demand", 1);
  submission.plan_signature[5] ^= 1;
  EXPECT_EQ(headquarters_.Submit(submission).status().code(), StatusCode::kUnauthenticated);
  submission = headquarters_.PlanFor("demand", 101);
  EXPECT_EQ(headquarters_.Submit(submission).status().code(), StatusCode::kInvalidArgument);
  submission = headquarters_.PlanFor("demand", 1);
  submission.plan = Sha256::Of("no such blob");
  EXPECT_EQ(headquarters_.Submit(submission).status().code(), StatusCode::kNotFound);
  submission = headquarters_.PlanFor("demand", 1);
  submission.cohort_target = 4;
  EXPECT_EQ(headquarters_.Submit(submission).status().code(), StatusCode::kInvalidArgument);
  submission = headquarters_.PlanFor("demand", 1);
  EXPECT_TRUE(headquarters_.Submit(submission).ok());
  EXPECT_EQ(headquarters_.Submit(submission).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(CoordinatorTest, ARevokedStoreIsRefusedAtOnceAlsoWhileItWaits) {
  Open(1);
  stores_[0]->CheckIn();
  headquarters_.coordinator().Revoke(stores_[0]->id(), "stolen", [](StatusOr<StoreRecord>) {});
  headquarters_.Advance();
  ASSERT_TRUE(stores_[0]->answer());
  EXPECT_EQ(ReasonOf(stores_[0]->answer()->status()), Reason::kRevoked);
  stores_[0]->CheckIn();
  EXPECT_EQ(ReasonOf(stores_[0]->answer()->status()), Reason::kRevoked);
}

TEST_F(CoordinatorTest, ALostWriteTakesEverybodyBackToWhatIsDurable) {
  const test::ExpectCover cover("coordinator.write_lost");
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  headquarters_.state().FailCommits(ResourceExhausted("the disk is full"));
  EXPECT_EQ(stores_[0]->Report(round, 5).code(), StatusCode::kResourceExhausted) << "not acknowledged";
  for (const auto& store : stores_) EXPECT_TRUE(store->Report(round, 5).ok()) << "the next try goes through";
  for (const auto& store : stores_) EXPECT_TRUE(store->Upload(round).ok());
  EXPECT_EQ(headquarters_.Models("demand").size(), 1);
}

TEST_F(CoordinatorTest, AStreamGoesOnThroughALostWrite) {
  const test::ExpectCover cover("coordinator.write_lost");
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  for (const auto& store : stores_) EXPECT_TRUE(store->Report(round, 5).ok());
  StatusOr<ScriptedStore::Stream> stream = stores_[0]->BeginUpload(round);
  ASSERT_TRUE(stream.ok());
  headquarters_.state().FailCommits(ResourceExhausted("the disk is full"));
  EXPECT_EQ(stores_[1]->Upload(round).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(stores_[1]->Upload(round).ok());
  EXPECT_TRUE(stores_[2]->Upload(round).ok());
  EXPECT_TRUE(stores_[0]->EndUpload(*std::move(stream)).ok()) << "begun before the write was lost";
  ASSERT_EQ(headquarters_.Models("demand").size(), 1);
  EXPECT_EQ(headquarters_.Models("demand")[0].stores, 3);
}

TEST_F(CoordinatorTest, WhileTheStateCannotBeReadNoStoreIsToldThatItsRoundIsOver) {
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  headquarters_.state().BreakAtNextCommit(Unavailable("the disk is gone"));
  EXPECT_EQ(stores_[0]->Report(round, 5).code(), StatusCode::kUnavailable);
  EXPECT_EQ(headquarters_.Submit(headquarters_.PlanFor("other", 1)).status().code(), StatusCode::kUnavailable);
  headquarters_.state().Mend();
  EXPECT_EQ(stores_[1]->Report(round, 5).code(), StatusCode::kUnavailable) << "nobody has looked yet";
  headquarters_.Advance(absl::Seconds(5));
  for (const auto& store : stores_) EXPECT_TRUE(store->Report(round, 5).ok());
  for (const auto& store : stores_) EXPECT_TRUE(store->Upload(round).ok());
  EXPECT_EQ(headquarters_.Models("demand").size(), 1);
}

TEST_F(CoordinatorTest, AModelThatFindsNoRoomOnTheDiskIsTriedAgain) {
  const SmallDisk disk("64k");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk isn't allowed here";
  disk.Fill();
  const test::ExpectCover cover("coordinator.commit_retried");
  Open(3);
  for (const auto& store : stores_) store->CheckIn();
  ASSERT_TRUE(headquarters_.Submit(headquarters_.PlanFor("demand", 1)).ok());
  const RoundId round = stores_[0]->Got<TrainInstruction>()->round;
  for (const auto& store : stores_) EXPECT_TRUE(store->Report(round, 5).ok());
  const std::string incoming = headquarters_.blob_folder() + "/incoming";
  std::filesystem::rename(incoming, incoming + ".away");
  std::filesystem::create_directory_symlink(disk.folder().path(), incoming);
  for (const auto& store : stores_) EXPECT_TRUE(store->Upload(round).ok());
  headquarters_.Advance(absl::Minutes(1));
  EXPECT_TRUE(headquarters_.Models("demand").empty());
  EXPECT_EQ(headquarters_.Job("demand").state, JobState::kRunning);
  std::filesystem::remove(incoming);
  std::filesystem::rename(incoming + ".away", incoming);
  headquarters_.Advance(absl::Seconds(5));
  ASSERT_EQ(headquarters_.Models("demand").size(), 1) << "of the updates that were kept";
  EXPECT_EQ(headquarters_.Models("demand")[0].stores, 3);
}

TEST(WaitingRoomTest, StoresThatFindItFullAreToldWhenToComeBack) {
  const test::ExpectCover cover("coordinator.waiting_room_full");
  Headquarters headquarters({.pace = {.waiting_max = 1}});
  ScriptedStore first(headquarters, "s1");
  ScriptedStore second(headquarters, "s2");
  first.CheckIn();
  EXPECT_FALSE(first.answer());
  second.CheckIn();
  ASSERT_NE(second.Got<ComeBack>(), nullptr);
  EXPECT_GT(second.Got<ComeBack>()->after, absl::ZeroDuration());
}

TEST_F(CoordinatorTest, BlobsOfNoActiveJobAreNotGivenOut) {
  Open(1);
  const BlobName secret = headquarters_.blobs().Put("somebody else's").value();
  Status opened;
  headquarters_.coordinator().OpenBlob(
      stores_[0]->certificate(), secret.digest,
      [&](StatusOr<std::shared_ptr<const BlobReader>> blob) { opened = blob.status(); });
  headquarters_.Advance();
  EXPECT_EQ(opened.code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace aisle::test

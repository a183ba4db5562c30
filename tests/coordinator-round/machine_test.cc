// What holds in every phase, and laws over random walks.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "coordinator/round/transitions.h"
#include "tests/coordinator-round/round_walk.h"

namespace aisle::test {
namespace {

TEST(MachineTest, CancellingEndsEveryPhaseBeforeCommitting) {
  for (const auto& walk_to :
       {+[](Walk&) {}, +[](Walk& walk) { walk.ToTraining(); }, +[](Walk& walk) { walk.ToCollecting(); }}) {
    Walk walk;
    walk_to(walk);
    const Effects effects = walk.Give(RoundCancelled{"no longer wanted"});
    EXPECT_EQ(std::get<Aborted>(walk.round.phase()).reason, AbortReason::kCancelled);
    EXPECT_TRUE(std::holds_alternative<CloseRound>(effects.back()));
  }
}

TEST(MachineTest, AClosedRoundListensToNothing) {
  Walk walk;
  walk.ToCommitting().Give(ModelPublished{1});
  const Phase before = walk.round.phase();
  EXPECT_TRUE(walk.Collect(1).empty());
  EXPECT_TRUE(walk.Train(4).empty());
  EXPECT_TRUE(walk.Give(RoundCancelled{""}).empty());
  EXPECT_TRUE(walk.Give(DeadlinePassed{PhaseName::kCommitted}).empty());
  EXPECT_EQ(walk.round.phase(), before);
}

TEST(MachineTest, DutiesFollowTheStory) {
  Walk walk;
  EXPECT_TRUE(std::holds_alternative<NoDuty>(walk.round.DutyOf(Store(1))));
  walk.Offer(1);
  EXPECT_TRUE(std::holds_alternative<DutyWait>(walk.round.DutyOf(Store(1))));
  for (int i = 2; i <= 4; ++i) walk.Offer(i);
  EXPECT_TRUE(std::holds_alternative<DutyTrain>(walk.round.DutyOf(Store(1))));
  walk.Train(1);
  EXPECT_TRUE(std::holds_alternative<DutyWait>(walk.round.DutyOf(Store(1))));
  walk.Train(2);
  walk.Train(3);
  EXPECT_TRUE(std::holds_alternative<DutyUpload>(walk.round.DutyOf(Store(1))));
  EXPECT_EQ(std::get<DutyDone>(walk.round.DutyOf(Store(4))).outcome, RoundOutcome::kLeftOut);
  walk.Collect(1);
  EXPECT_TRUE(std::holds_alternative<DutyWait>(walk.round.DutyOf(Store(1))));
  walk.Collect(2);
  walk.Collect(3);
  walk.Give(ModelPublished{5});
  EXPECT_EQ(std::get<DutyDone>(walk.round.DutyOf(Store(1))).outcome, RoundOutcome::kCommitted);
}

std::string Capitalised(std::string_view name) {
  std::string text(name);
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

TEST(MachineTest, TheDocumentsDrawExactlyTheMovesThatExist) {
  std::ifstream file(std::string(AISLE_SOURCE_FOLDER) + "/docs/architecture.md");
  std::set<std::string> drawn;
  for (std::string line; std::getline(file, line);) {
    const size_t from = line.find_first_not_of(' ');
    if (line.find(" --> ") != std::string::npos && line.find(" : ") != std::string::npos)
      drawn.insert(line.substr(from));
  }
  std::set<std::string> exist;
  for (const Transition& move : kTransitions) {
    exist.insert(
        fmt::format("{} --> {} : {}", Capitalised(NameOf(move.from)), Capitalised(NameOf(move.to)), move.when));
  }
  EXPECT_EQ(drawn, exist);
}

// Any events in any order: the round never breaks its own rules.
Event AnyEvent(int kind, int store) {
  switch (kind) {
    case 0:
      return StoreOffered{Store(store), {.rounds_joined = static_cast<uint64_t>(store % 3)}};
    case 1:
      return OutcomeReported{Store(store), Trained{UpdateOf(store)}};
    case 2:
      return OutcomeReported{Store(store), Refused{RefusalReason::kOutsideHours, "closed"}};
    case 3:
      return OutcomeReported{Store(store), Failed{FailureReason::kPlanError, "nan"}};
    case 4:
      return UpdateCollected{Store(store), UpdateOf(store).digest};
    case 5:
      return DeadlinePassed{PhaseName::kSelecting};
    case 6:
      return DeadlinePassed{PhaseName::kTraining};
    case 7:
      return DeadlinePassed{PhaseName::kCollecting};
    case 8:
      return ModelPublished{3};
    default:
      return OutcomeReported{Store(store), Trained{{.digest = UpdateOf(store).digest, .size = 8}}};
  }
}

RC_GTEST_PROP(MachineLaws, AnyWalkFoldsEachUpdateOnceAndCommitsEnough,
              (const std::vector<std::pair<uint8_t, uint8_t>>& steps)) {
  Walk walk;
  std::multiset<StoreId> folded;
  for (const auto& [kind, store] : steps) {
    const Effects effects = walk.Give(AnyEvent(kind % 10, store % 7));
    for (const FoldUpdate& fold : Only<FoldUpdate>(effects)) folded.insert(fold.store);
    for (const ApplySum& apply : Only<ApplySum>(effects)) {
      RC_ASSERT(apply.survivors.size() >= walk.round.policy().cohort_min);
      RC_ASSERT(apply.survivors.size() <= walk.round.policy().cohort_target);
      RC_ASSERT(std::multiset<StoreId>(apply.survivors.begin(), apply.survivors.end()) == folded);
    }
  }
  for (const StoreId& store : folded) RC_ASSERT(folded.count(store) == 1);
}

RC_GTEST_PROP(MachineLaws, AReplayGivesTheVerySameRound, (const std::vector<std::pair<uint8_t, uint8_t>>& steps)) {
  Walk lived;
  Walk replayed;
  std::vector<std::pair<Event, absl::Time>> journal;
  for (const auto& [kind, store] : steps) {
    lived.now += absl::Seconds(store);
    const Event event = AnyEvent(kind % 10, store % 7);
    if (!lived.round.Check(event).ok()) continue;
    lived.Give(event);
    journal.emplace_back(event, lived.now);
  }
  for (const auto& [event, at] : journal) replayed.round.Handle(event, at);
  RC_ASSERT(lived.round.phase() == replayed.round.phase());
}

}  // namespace
}  // namespace aisle::test

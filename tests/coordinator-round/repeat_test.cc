// What is said again changes nothing, is known as such, and so needs no place in a journal.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/coordinator-round/sum_walk.h"

namespace aisle::test {
namespace {

// A round in which a cohort is formed anew, stores fall silent, refuse, fail and change their minds.
SumWalk EventfulRound() {
  SumWalk walk;
  walk.ToSharing();
  walk.silent = {2, 3, 4};
  walk.All(PhaseName::kSharing, &SumWalk::Deal).All(PhaseName::kAdvertising, &SumWalk::Advertise);
  walk.All(PhaseName::kSharing, &SumWalk::Deal);
  walk.All(PhaseName::kCollecting, &SumWalk::Upload).All(PhaseName::kConfirming, &SumWalk::Confirm);
  EXPECT_TRUE(walk.Leave(7).ok());
  walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
  EXPECT_EQ(walk.phase(), PhaseName::kCommitting);
  EXPECT_TRUE(walk.Say(ModelPublished{3}).ok());
  return walk;
}

// Everything that a store may say about how its task went.
std::vector<Event> Outcomes(int store) {
  return {OutcomeReported{Store(store), Refused{RefusalReason::kRosterForged, "made up for this test"}},
          OutcomeReported{Store(store), Refused{RefusalReason::kShareWrong, "another reason"}},
          OutcomeReported{Store(store), Failed{FailureReason::kStorage, "a third"}},
          OutcomeReported{Store(store), Trained{{.digest = Digest(), .size = kUpdateSize}}}};
}

void ExpectRepeatsAreNothing(const RoundMachine& machine, const Event& event, absl::Time now, std::string_view where) {
  if (!machine.Check(event).ok()) return;
  RoundMachine after = machine;
  const Effects effects = after.Handle(event, now);
  const bool nothing = after.phase() == machine.phase() && effects.empty();
  EXPECT_EQ(machine.IsRepeat(event), nothing) << where << ", an event of kind " << event.index();
}

TEST(RepeatTest, AnEventIsARepeatExactlyIfItWouldChangeNothing) {
  const SumWalk walk = EventfulRound();
  for (size_t events = 0; events <= walk.journal().size(); ++events) {
    const RoundMachine machine = walk.Replayed(events);
    const std::string where = fmt::format("after {} events, {}", events, NameOf(NameOfPhase(machine.phase())));
    for (const auto& [event, at] : walk.journal()) ExpectRepeatsAreNothing(machine, event, at, where);
    for (int store = 1; store <= 9; ++store) {
      for (const Event& event : Outcomes(store)) ExpectRepeatsAreNothing(machine, event, walk.now, where);
    }
  }
}

// Whatever stores say in whatever order, however often: what a journal would have to keep of it is bounded.
RC_GTEST_PROP(RepeatLaws, AStoreChangesARoundAFewTimesAtMost, (const std::vector<std::pair<uint8_t, uint8_t>>& said)) {
  static const SumWalk* const walk = new SumWalk(EventfulRound());
  for (size_t events = 0; events < walk->journal().size(); events += 7) {
    RoundMachine machine = walk->Replayed(events);
    size_t kept = 0;
    for (const auto& [who, what] : said) {
      const Event event = Outcomes(who % 8 + 1)[what % 4];
      if (!machine.Check(event).ok() || machine.IsRepeat(event)) continue;
      machine.Handle(event, walk->now);
      ++kept;
    }
    RC_ASSERT(kept <= 16U);  // Each of eight stores: it trained, and it left.
  }
}

TEST(RepeatTest, InTrainingWhoLeftHasLeft) {
  Walk walk;
  walk.ToTraining();
  walk.Refuse(1);
  walk.Train(1);
  walk.Give(OutcomeReported{Store(1), Failed{FailureReason::kOther, "another word"}});
  EXPECT_EQ(*RosterOf(walk.round.phase())->Find(Store(1)),
            Seat(Refused{RefusalReason::kPrivacyBudget, "the cap is reached"}));
}

}  // namespace
}  // namespace aisle::test

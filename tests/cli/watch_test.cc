#include "cli/watch.h"

#include <gtest/gtest.h>

#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

v1::Round CommittedRound(uint32_t number) {
  v1::Round round;
  round.mutable_round()->set_job("demand");
  round.mutable_round()->set_number(number);
  round.set_phase(v1::ROUND_PHASE_COMMITTED);
  round.set_stores_selected(3);
  round.set_stores_collected(3);
  round.set_model_version(number);
  return round;
}

v1::JobSnapshot SnapshotAt(uint32_t number) {
  v1::JobSnapshot snapshot;
  snapshot.mutable_job()->set_id("demand");
  snapshot.mutable_job()->set_rounds_total(10);
  snapshot.mutable_job()->set_rounds_committed(number);
  snapshot.mutable_job()->set_model_version(number);
  snapshot.mutable_job()->set_privacy_unit("store");
  snapshot.mutable_job()->set_epsilon_floor(2.5);
  snapshot.mutable_job()->set_delta(1e-5);
  *snapshot.mutable_round() = CommittedRound(number);
  return snapshot;
}

class WatchViewTest : public ::testing::Test {
 protected:
  // What is printed for snapshots at these rounds; `lost` can't be looked up.
  std::string Shown(WatchFrom from, const std::vector<uint32_t>& rounds, uint32_t lost = 0) {
    const TemporaryFolder folder;
    std::FILE* file = std::fopen((folder / "out").c_str(), "w");
    Output out(file, stderr);
    WatchView view(out, false, from, [&](uint32_t number) -> StatusOr<v1::Round> {
      if (number == lost) return NotFound("no such round");
      return CommittedRound(number);
    });
    for (const uint32_t round : rounds) view.Show(SnapshotAt(round));
    std::fclose(file);
    return ReadAll(folder / "out");
  }
  static std::vector<int> RoundsIn(const std::string& text) {
    std::vector<int> rounds;
    for (size_t at = text.find("round "); at != std::string::npos; at = text.find("round ", at + 1)) {
      rounds.push_back(std::stoi(text.substr(at + 6)));
    }
    return rounds;
  }
};

TEST_F(WatchViewTest, TellsOfEachRoundOnceInOrder) {
  EXPECT_EQ(RoundsIn(Shown(WatchFrom::kFirstRound, {1, 1, 2, 2, 3})), (std::vector<int>{1, 2, 3}));
}

TEST_F(WatchViewTest, LooksUpRoundsThatCameAndWentBetweenTwoSnapshots) {
  EXPECT_EQ(RoundsIn(Shown(WatchFrom::kFirstRound, {3, 6})), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(RoundsIn(Shown(WatchFrom::kPresentRound, {3, 6})), (std::vector<int>{3, 4, 5, 6}));
}

TEST_F(WatchViewTest, GoesOnWithoutARoundThatCannotBeHad) {
  EXPECT_EQ(RoundsIn(Shown(WatchFrom::kFirstRound, {1, 4}, 2)), (std::vector<int>{1, 3, 4}));
}

TEST_F(WatchViewTest, StatesTheJobsEpsilonOnlyBesideTheRoundItHoldsFor) {
  const std::string shown = Shown(WatchFrom::kFirstRound, {2});
  EXPECT_EQ(shown.find("epsilon"), shown.rfind("epsilon")) << shown;
  EXPECT_LT(shown.find("round    2"), shown.find("epsilon 2.5 (store, delta 1e-05, by RDP)")) << shown;
}

TEST(LiveTextTest, SaysPhaseStoresEpsilonBytesAndTimeLeft) {
  v1::JobSnapshot snapshot = SnapshotAt(4);
  snapshot.mutable_round()->set_phase(v1::ROUND_PHASE_TRAINING);
  snapshot.mutable_round()->set_stores_trained(2);
  snapshot.mutable_round()->set_bytes_up(2048);
  snapshot.set_seconds_per_round(15);
  EXPECT_EQ(LiveText(snapshot),
            "demand 4/10  training  stores 2/3 trained  ETA 1m30s  epsilon 2.5 (store, delta 1e-05, by RDP)  up 2.0 "
            "KiB  down 0 B");
  snapshot.mutable_round()->set_stores_stepped(1);
  snapshot.mutable_round()->set_stores_asked(2);
  for (const auto& [phase, said] :
       std::map<v1::RoundPhase, std::string>{{v1::ROUND_PHASE_ADVERTISING, "advertising  stores 1/2 showed keys  "},
                                             {v1::ROUND_PHASE_SHARING, "sharing  stores 1/2 dealt  "},
                                             {v1::ROUND_PHASE_CONFIRMING, "confirming  stores 1/2 signed  "},
                                             {v1::ROUND_PHASE_UNMASKING, "unmasking  stores 1/2 revealed  "}}) {
    snapshot.mutable_round()->set_phase(phase);
    EXPECT_NE(LiveText(snapshot).find(said), std::string::npos) << LiveText(snapshot);
  }
  snapshot.clear_round();
  snapshot.mutable_job()->set_state(v1::JOB_STATE_QUEUED);
  snapshot.set_stores_waiting(2);
  EXPECT_EQ(LiveText(snapshot), "demand 4/10  queued, 2 stores waiting");
}

}  // namespace
}  // namespace aisle::cli

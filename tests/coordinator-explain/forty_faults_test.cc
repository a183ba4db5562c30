// Faults, each played against a real coordinator at a store that a seed chooses; each must be named first, with the
// store that it happened to and with what to do.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "coordinator/backup/restoration.h"
#include "tests/coordinator-explain/scene.h"

namespace aisle::test {
namespace {

const PlanTerms kThreeOfFour{.cohort_min = 3, .cohort_target = 4};
const PlanTerms kAllThree{.cohort_min = 3, .cohort_target = 3};
constexpr uint32_t kSeeds[] = {1, 2, 3, 5, 8};

enum class Ask { kRound, kStore, kJob };

struct Fault {
  std::string name;
  Ask ask = Ask::kRound;
  std::string cause;
  std::function<v1::Explanation(uint32_t seed, StoreId& culprit)> play;
  bool at_store = true;  // It happened to the culprit, and to nobody else.
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

// Plays `act` in a chain of so many stores, then asks.
Fault Make(std::string name, Ask ask, std::string cause, int stores, std::function<void(Scene&)> act,
           bool at_store = true, const CoordinatorPolicy& policy = {}) {
  return {.name = std::move(name),
          .ask = ask,
          .cause = std::move(cause),
          .play =
              [=](uint32_t seed, StoreId& culprit) {
                Scene scene(seed, stores, policy);
                culprit = scene.culprit_id();
                act(scene);
                return ask == Ask::kRound ? scene.AskRound() : ask == Ask::kStore ? scene.AskStore() : scene.AskJob();
              },
          .at_store = at_store};
}

Fault Refusal(RefusalReason reason) {
  return Make("Refused_" + std::string(NameOf(reason)), Ask::kRound, std::string(NameOf(reason)), 4, [=](Scene& scene) {
    scene.Begin(kThreeOfFour);
    EXPECT_TRUE(scene.culprit().Refuse(scene.round(), reason).ok());
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  });
}

Fault Failure(FailureReason reason) {
  return Make("Failed_" + std::string(NameOf(reason)), Ask::kRound, std::string(NameOf(reason)), 4, [=](Scene& scene) {
    scene.Begin(kThreeOfFour);
    scene.Fail(scene.culprit(), reason);
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  });
}

// The culprit falls silent in this phase of a round with the secure sum.
Fault SilentIn(RoundPhase phase, std::string cause) {
  return Make("Silent_" + std::string(NameOf(phase)), Ask::kRound, std::move(cause), 5, [=](Scene& scene) {
    scene.Begin({.cohort_min = 4, .cohort_target = 5, .secure_sum = true});
    scene.PlayUntil(phase);
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  });
}

// Two of three come; `act` says why the culprit doesn't.
Fault Absent(std::string name, std::string cause, std::function<void(Scene&)> act) {
  return Make(std::move(name), Ask::kRound, std::move(cause), 3, [=](Scene& scene) {
    act(scene);
    scene.absent.insert(&scene.culprit());
    scene.Begin(kAllThree);
    scene.PlayOut();
  });
}

Fault Store(std::string name, std::string cause, std::function<void(Scene&)> act) {
  return Make(std::move(name), Ask::kStore, std::move(cause), 3, std::move(act));
}

void AddRefusalsAndFailures(std::vector<Fault>& faults) {
  for (int reason = 1; reason <= static_cast<int>(RefusalReason::kLedgerHalted); ++reason) {
    faults.push_back(Refusal(static_cast<RefusalReason>(reason)));
  }
  for (int reason = 1; reason <= kFailureReasonCount; ++reason) {
    faults.push_back(Failure(static_cast<FailureReason>(reason)));
  }
}

void AddSilences(std::vector<Fault>& faults) {
  faults.push_back(Make("Silent_training", Ask::kRound, "training_silent", 4, [](Scene& scene) {
    scene.Begin(kThreeOfFour);
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  }));
  faults.push_back(Make("Silent_uploading", Ask::kRound, "upload_silent", 4, [](Scene& scene) {
    scene.Begin(kThreeOfFour);
    scene.PlayUntil(RoundPhase::kCollecting);
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  }));
  faults.push_back(Make("Slow_uploading", Ask::kRound, "upload_slow", 4, [](Scene& scene) {
    scene.Begin(kThreeOfFour);
    scene.PlayUntil(RoundPhase::kCollecting);
    scene.UploadHalf(scene.culprit());
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  }));
  faults.push_back(SilentIn(RoundPhase::kAdvertising, "advert_silent"));
  faults.push_back(SilentIn(RoundPhase::kSharing, "shares_silent"));
  faults.push_back(SilentIn(RoundPhase::kConfirming, "confirm_silent"));
  faults.push_back(Make(
      "Silent_unmasking", Ask::kRound, "reveal_silent", 5,
      [](Scene& scene) {
        scene.Begin({.cohort_min = 4, .cohort_target = 5, .secure_sum = true});
        scene.PlayUntil(RoundPhase::kUnmasking);
        for (const auto& store : scene.stores) scene.absent.insert(store.get());
        scene.PlayOut();
      },
      false));
  faults.push_back(Make("Caught_a_forged_roster", Ask::kRound, "roster_forged", 5, [](Scene& scene) {
    scene.Begin({.cohort_min = 4, .cohort_target = 5, .secure_sum = true});
    scene.PlayUntil(RoundPhase::kSharing);
    EXPECT_TRUE(scene.culprit().Refuse(scene.round(), RefusalReason::kRosterForged).ok());
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  }));
}

void AddSlowRounds(std::vector<Fault>& faults) {
  faults.push_back(Make("Straggler_training", Ask::kRound, "straggler_training", 4, [](Scene& scene) {
    scene.Begin({.cohort_min = 4, .cohort_target = 4});
    scene.absent = {&scene.culprit()};
    for (int turn = 0; turn < 30; ++turn) scene.PlayTurn(absl::Seconds(3));
    scene.absent = {};
    scene.PlayOut();
  }));
  faults.push_back(Make("Straggler_uploading", Ask::kRound, "straggler_upload", 4, [](Scene& scene) {
    scene.Begin({.cohort_min = 4, .cohort_target = 4});
    scene.PlayUntil(RoundPhase::kCollecting);
    scene.absent = {&scene.culprit()};
    for (int turn = 0; turn < 20; ++turn) scene.PlayTurn(absl::Seconds(3));
    scene.absent = {};
    scene.PlayOut();
  }));
  faults.push_back(Make(
      "Coordinator_killed", Ask::kRound, "coordinator_restarted", 4,
      [](Scene& scene) {
        scene.Begin(kThreeOfFour);
        scene.headquarters.Restart(true);
        scene.PlayOut();
      },
      false));
  faults.push_back(Make(
      "Coordinators_disk_full", Ask::kRound, "commit_retried", 4,
      [](Scene& scene) {
        const std::string incoming = scene.headquarters.blob_folder() + "/incoming";
        scene.Begin(kThreeOfFour);
        scene.PlayUntil(RoundPhase::kCollecting);
        std::filesystem::rename(incoming, incoming + ".away");
        std::ofstream(incoming) << "in the way";
        for (int turn = 0; turn < 10; ++turn) scene.PlayTurn();
        std::filesystem::remove(incoming);
        std::filesystem::rename(incoming + ".away", incoming);
        scene.PlayOut();
      },
      false));
  faults.push_back(Make(
      "Waited_for_stores", Ask::kRound, "waited_for_stores", 4,
      [](Scene& scene) {
        scene.culprit().CheckIn();
        scene.headquarters.Advance(absl::Seconds(30));  // Told to come back; it doesn't.
        scene.absent = {&scene.culprit()};
        scene.Begin(kThreeOfFour);
        scene.PlayOut();
      },
      false));
}

void AddAbsences(std::vector<Fault>& faults) {
  faults.push_back(Absent("Never_joined", "not_joined", [](Scene& scene) {
    scene.coordinator().Revoke(scene.culprit_id(), "moved", [](const auto&) {});
    scene.coordinator().Reinstate(scene.culprit_id(), [](const auto&) {});
    scene.headquarters.Advance();
  }));
  faults.push_back(Absent("Revoked", "revoked", [](Scene& scene) {
    scene.coordinator().Revoke(scene.culprit_id(), "stolen", [](const auto&) {});
    scene.headquarters.Advance();
  }));
  faults.push_back(Absent("Box_with_an_old_key", "key_refused", [](Scene& scene) {
    (void)scene.headquarters.Enrol(scene.culprit_id().str());  // Another box is that store now.
    scene.culprit().CheckIn();
  }));
  faults.push_back(Absent("Certificate_ended", "certificate_ended",
                          [](Scene& scene) { scene.headquarters.Advance(absl::Hours(80)); }));
  faults.push_back(Absent("Silent_for_long", "silent", [](Scene& scene) {
    scene.culprit().CheckIn();
    scene.headquarters.Advance(absl::Minutes(30));
  }));
  faults.push_back(Absent("Unwilling", "unwilling", [](Scene& scene) {
    scene.culprit().willing = false;
    scene.culprit().CheckIn();
  }));
  faults.push_back(Absent("Without_the_table", "table_missing", [](Scene& scene) {
    scene.culprit().tables = {*TableName::Parse("weather")};
    scene.culprit().CheckIn();
  }));
  faults.push_back(Absent("Declined_the_plan", "plan_declined", [](Scene& scene) {
    scene.culprit().declined = {scene.headquarters.PlanFor("demand", 1, kAllThree).plan};
    scene.culprit().CheckIn();
  }));
  faults.push_back(Absent("Ledger_rolled_back", "ledger_trouble", [](Scene& scene) {
    scene.culprit().ledger = LedgerClaim{.head = {.entries = 5, .digest = Sha256::Of("five")}};
    scene.culprit().willing = false;
    scene.culprit().CheckIn();
    scene.culprit().willing = true;
    scene.culprit().ledger = LedgerClaim{.head = {.entries = 2, .digest = Sha256::Of("two")}};
    scene.culprit().CheckIn();
  }));
  faults.push_back(Absent("Busy_elsewhere", "busy", [](Scene& scene) {
    scene.culprit().CheckIn();
    scene.Submit("urgent", {.cohort_min = 1, .cohort_target = 1});
    EXPECT_NE(scene.culprit().Got<TrainInstruction>(), nullptr);
  }));
  faults.push_back(Absent("Came_too_late", "came_too_late", [](Scene& scene) {
    scene.culprit().CheckIn();
    scene.headquarters.Advance(absl::Seconds(30));
  }));
}

void AddStores(std::vector<Fault>& faults) {
  faults.push_back(Store("A_clock_that_is_off", "clock_skew",
                         [](Scene& scene) { scene.CheckInAt(scene.culprit(), absl::Minutes(-7)); }));
  faults.push_back(Store("An_old_agent", "agent_too_old", [](Scene& scene) {
    scene.CheckInOfOld(scene.culprit());
    scene.Submit("demand", {.cohort_min = 3, .cohort_target = 3, .secure_sum = true});
  }));
  faults.push_back(Store("A_code_that_ended", "code_ended", [](Scene& scene) {
    scene.coordinator().Revoke(scene.culprit_id(), "moved", [](const auto&) {});
    scene.coordinator().Reinstate(scene.culprit_id(), [](const auto&) {});
    scene.coordinator().Invite(scene.culprit_id(), std::nullopt, [](const auto&) {});
    scene.headquarters.Advance(absl::Hours(73));
  }));
  faults.push_back(Store("A_store_that_never_called", "never_seen", [](Scene&) {}));
  faults.push_back(Store("Nothing_to_do", "no_job", [](Scene& scene) { scene.culprit().CheckIn(); }));
  faults.push_back(Store("Fails_every_time", "memory_cap", [](Scene& scene) {
    scene.Begin({.cohort_min = 2, .cohort_target = 3});
    scene.Fail(scene.culprit(), FailureReason::kMemoryCap);
    scene.absent = {&scene.culprit()};
    scene.PlayOut();
  }));
}

void AddJobs(std::vector<Fault>& faults) {
  faults.push_back(Make(
      "Job_cancelled", Ask::kJob, "cancelled", 3,
      [](Scene& scene) {
        scene.Begin(kAllThree);
        scene.coordinator().Cancel(*JobId::Parse("demand"), "a typo in the plan", [](const auto&) {});
        scene.headquarters.Advance();
      },
      false));
  faults.push_back(Make(
      "Round_cancelled", Ask::kRound, "cancelled", 3,
      [](Scene& scene) {
        scene.Begin(kAllThree);
        scene.coordinator().Cancel(*JobId::Parse("demand"), "", [](const auto&) {});
        scene.headquarters.Advance();
      },
      false));
  faults.push_back(Make(
      "Restored_from_a_backup", Ask::kRound, "restored", 3,
      [](Scene& scene) {
        scene.Begin(kAllThree);
        const absl::Time now = scene.headquarters.executor().Now();
        EXPECT_TRUE(CarryOver(scene.headquarters.state(), now, now).ok());
        scene.headquarters.Restart();
      },
      false));
  faults.push_back(Make(
      "Chain_too_small", Ask::kJob, "chain_too_small", 2, [](Scene& scene) { scene.Begin(kAllThree); }, false));
  CoordinatorPolicy impatient;
  impatient.aborts_in_a_row_max = 1;
  faults.push_back(Make(
      "Job_given_up", Ask::kJob, "aborted_in_a_row", 3,
      [](Scene& scene) {
        scene.Begin(kAllThree);
        scene.Fail(scene.culprit(), FailureReason::kPlanError);
        scene.headquarters.Advance();
      },
      false, impatient));
  faults.push_back(Make("Job_stuck_by_one_store", Ask::kJob, "plan_error", 3, [](Scene& scene) {
    scene.Begin(kAllThree);
    scene.Fail(scene.culprit(), FailureReason::kPlanError);
    scene.headquarters.Advance();
  }));
  faults.push_back(Make(
      "Job_starved", Ask::kJob, "waiting_for_turn", 3,
      [](Scene& scene) {
        for (const auto& store : scene.stores) store->CheckIn();
        scene.Submit("urgent", kAllThree, 1, 9);
        scene.Submit("demand", kAllThree);
        for (int turn = 0; turn < 400 && !scene.Round().closed_at; ++turn) {
          for (const auto& store : scene.stores) {
            store->CheckIn(StoreStanding::kTraining, RoundId{*JobId::Parse("urgent"), 1});
          }
          scene.headquarters.Advance(absl::Seconds(1));
        }
      },
      false));
}

std::vector<Fault> AllFaults() {
  std::vector<Fault> faults;
  AddRefusalsAndFailures(faults);
  AddSilences(faults);
  AddSlowRounds(faults);
  AddAbsences(faults);
  AddStores(faults);
  AddJobs(faults);
  return faults;
}

class FortyFaultsTest : public ::testing::TestWithParam<Fault> {};

TEST_P(FortyFaultsTest, IsNamedFirstWithTheStoreAndTheFix) {
  const Fault& fault = GetParam();
  for (const uint32_t seed : kSeeds) {
    SCOPED_TRACE(seed);
    StoreId culprit;
    const v1::Explanation explanation = fault.play(seed, culprit);
    SCOPED_TRACE(explanation.DebugString());
    ASSERT_FALSE(explanation.findings().empty());
    const v1::Finding& first = explanation.findings(0);
    EXPECT_EQ(first.cause(), fault.cause);
    EXPECT_FALSE(first.fix().empty());
    EXPECT_EQ(first.fix().find("{}"), std::string::npos);
    if (!fault.at_store) continue;
    ASSERT_EQ(first.stores_size(), 1);
    EXPECT_EQ(first.stores(0), culprit.str());
    EXPECT_NE(first.sentence().find(culprit.str()), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(, FortyFaultsTest, ::testing::ValuesIn(AllFaults()),
                         [](const auto& test) { return test.param.name; });

TEST(FaultListTest, ThereAreForty) { EXPECT_GE(AllFaults().size(), 40U); }

TEST(ExplainTest, NothingIsWrongWithAnUndisturbedRound) {
  for (const bool secure_sum : {false, true}) {
    Scene scene(1, 5);
    scene.Begin({.cohort_min = 4, .cohort_target = 5, .secure_sum = secure_sum});
    scene.PlayOut(absl::Milliseconds(50));
    const v1::Explanation explanation = scene.AskRound();
    EXPECT_TRUE(explanation.findings().empty()) << explanation.DebugString();
    EXPECT_NE(explanation.headline().find("was committed"), std::string::npos);
    EXPECT_TRUE(scene.AskJob().findings().empty()) << scene.AskJob().DebugString();
  }
}

TEST(ExplainTest, WhatIsNotThereIsSaidSo) {
  Scene scene(1, 1);
  const auto ask = [&](const v1::ExplainRequest& request) {
    StatusCode code = StatusCode::kOk;
    scene.coordinator().Read([&](const Coordinator& now) { code = Explain(now, request).status().code(); });
    scene.headquarters.Advance();
    return code;
  };
  v1::ExplainRequest request;
  EXPECT_EQ(ask(request), StatusCode::kInvalidArgument);
  request.set_store("nobody");
  EXPECT_EQ(ask(request), StatusCode::kNotFound);
  request.set_job("nothing");
  EXPECT_EQ(ask(request), StatusCode::kNotFound);
  request.mutable_round()->set_job("nothing");
  EXPECT_EQ(ask(request), StatusCode::kNotFound);
  request.mutable_round()->set_job("../up");
  EXPECT_EQ(ask(request), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle::test

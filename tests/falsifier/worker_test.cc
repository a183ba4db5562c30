// Attacks on the whole path of a customer's rows, with noise: worker, coins, clip, sum, Release. Two stores that differ
// in one customer, many seeds. False alarms: kFalseAlarms for each verdict.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/falsifier/claims.h"
#include "tests/falsifier/pull_plan.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

constexpr int64_t kTarget = 5;

// Clean updates of many rounds, each with coins of its own, and the direction in which the target shows.
struct Rounds {
  std::vector<std::vector<int32_t>> with;
  std::vector<std::vector<int32_t>> without;
  std::vector<int32_t> target;
};

Rounds RoundsOf(PullWorker& worker, const std::vector<Pull>& rows, size_t count) {
  Rounds rounds;
  PullPlan alone;
  rounds.target = PullWorker(alone).Update(Only(rows, kTarget));
  const std::vector<Pull> others = Without(rows, kTarget);
  for (size_t i = 0; i < count; ++i) {
    rounds.with.push_back(worker.Update(rows, 2 * i));
    rounds.without.push_back(worker.Update(others, 2 * i + 1));
  }
  return rounds;
}

// After the agent's Release, with noise of std z * Delta: what lies along the target's vector.
Runs Attacked(const Rounds& rounds, const Grid& grid, double z) {
  AesCtrStream noise = Stream(1, "agent");
  size_t next = 0;
  return RunBoth(rounds.with.size(), [&](bool with) {
    std::vector<int32_t> clean = with ? rounds.with[next] : rounds.without[next];
    if (!with) ++next;
    // The sampling rate is for the ledger; Release looks at z alone.
    const auto released =
        Release(ReceiptFor(MakeCustomerDebit(1, z)), SecretVector<int32_t>(std::move(clean)), grid.quantizer, noise);
    return Along(std::span<const int32_t>(Centered(released.value().Reveal())),
                 std::span<const int32_t>(rounds.target));
  });
}

// Few others, so that they don't hide the target.
std::vector<Pull> Handful() {
  return {{1, 1, 0.4}, {1, 2, -3}, {2, 2, 0.2}, {3, 1, std::nan("")}, {kTarget, 0, 40}, {kTarget, 0, -5}};
}

TEST(WorkerPathTest, TwoStoresHoldWhatTheLedgerBooks) {
  constexpr double kRate = 0.4;
  PullWorker worker({.q = kRate, .z = 0.8});
  const Rounds rounds = RoundsOf(worker, Handful(), 1'500);
  const Debit debit = MakeCustomerDebit(kRate, 0.8);
  const Runs runs = Attacked(rounds, worker.grid(), 0.8);
  EXPECT_LE(ExcessShown(runs, BookedClaim(debit, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, LossClaim(kRate, 0.8, 1), kFalseAlarms), 0);
  // The same rounds with a third of the noise are refuted: the attack does reach the target.
  EXPECT_GT(ExcessShown(Attacked(rounds, worker.grid(), 0.27), LossClaim(kRate, 0.8, 1), kFalseAlarms), 0);
}

// A program that the target's rows break off: the target is left out, as the agent asks for after its worker died
// (BrokenOffTest has the dying). What used to be sent then, zeros from everybody, is refuted.
TEST(WorkerPathTest, ACustomerWhoBreaksTheProgramOffIsWithinTheClaim) {
  constexpr double kRate = 0.4;
  constexpr uint32_t kTargetsNumber = 4;  // Customers 1 to 40, numbered from 0.
  // So many that they are never all silent by chance.
  PullWorker worker({.q = kRate, .z = 0.8});
  std::vector<Pull> rows;
  for (int64_t who = 1; who <= 40; ++who) rows.push_back({who, who == kTarget ? 1 : 0, 40});
  Rounds now;
  Rounds silenced;
  for (size_t i = 0; i < 800; ++i) {
    v1::WorkerRequest request = worker.Request(rows, 2 * i);
    const std::vector<int32_t> all = worker.UpdateFor(request);
    request.mutable_train()->add_left_out()->set_customer(kTargetsNumber);
    now.with.push_back(worker.UpdateFor(request));
    const bool drawn = all != now.with.back();
    silenced.with.push_back(drawn ? std::vector<int32_t>(all.size()) : all);
    now.without.push_back(worker.Update(Without(rows, kTarget), 2 * i + 1));
  }
  silenced.without = now.without;
  silenced.target = now.target = worker.Update(Without(rows, kTarget));  // What the others say together.
  EXPECT_LE(ExcessShown(Attacked(now, worker.grid(), 0.8), LossClaim(kRate, 0.8, 1), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(Attacked(silenced, worker.grid(), 0.8), LossClaim(kRate, 0.8, 1), kFalseAlarms), 0);
}

// The sampling rate gets from plan.toml to the coins. Were it lost on the way, everybody would be in every round:
TEST(WorkerPathTest, ASamplingRateLostOnTheWayIsRefuted) {
  PullWorker lost({.q = 1, .z = 0.8});
  const Runs all = Attacked(RoundsOf(lost, Handful(), 1'000), lost.grid(), 0.8);
  EXPECT_GT(ExcessShown(all, LossClaim(0.1, 0.8, 1), kFalseAlarms), 0);
  PullWorker kept({.q = 0.1, .z = 0.8});
  const Runs some = Attacked(RoundsOf(kept, Handful(), 300), kept.grid(), 0.8);
  EXPECT_LE(ExcessShown(some, LossClaim(0.1, 0.8, 1), kFalseAlarms), 0);
  // And of 300 rounds with 4 customers, a tenth is drawn: five sigma.
  uint64_t drawn = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) drawn += kept.Train(Handful(), seed).trained().customers_drawn();
  EXPECT_NEAR(static_cast<double>(drawn), 120, 5 * std::sqrt(1200 * 0.1 * 0.9));
}

// Mode local-sgd: noised at every step in the worker; what leaves is the sum of its steps.
TEST(WorkerPathTest, LocalSgdHoldsWhatItsStepsBook) {
  constexpr uint32_t kSteps = 4;
  const auto attacked = [&](double z) {
    PullWorker worker(
        {.mode = "local-sgd", .q = 0.5, .z = z, .training = "", .more_privacy = "steps = 4\nupdate_norm_max = 100.0"});
    uint64_t seed = 0;
    return RunBoth(800, [&](bool with) {
      const std::vector<Pull> rows = with ? Handful() : Without(Handful(), kTarget);
      return static_cast<double>(worker.Update(rows, ++seed)[0]);
    });
  };
  Debit debit = MakeCustomerDebit(0.5, 1);
  debit.releases = kSteps;
  EXPECT_LE(ExcessShown(attacked(1), BookedClaim(debit, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(attacked(1), LossClaim(0.5, 1, kSteps), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(attacked(0.4), LossClaim(0.5, 1, kSteps), kFalseAlarms), 0);
}

}  // namespace
}  // namespace aisle

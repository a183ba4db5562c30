// Was this customer in the store? Membership inference on a small plan, through the worker: without noise it must
// succeed (or the attack would be no test of anything), with noise it must not beat what the promise allows.
//
// The attacker is as strong as the threat model has it: knows the model, the plan and the candidate's rows, and sees
// the store's vector. The score is how far the vector points where the candidate would push it (Shokri et al. 2017
// asked the question; for a noised sum this score is the most powerful there is, by the lemma of Neyman and Pearson).
#include <gtest/gtest.h>

#include <cmath>

#include "tests/falsifier/binomial.h"
#include "tests/falsifier/claims.h"
#include "tests/falsifier/pull_plan.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

constexpr int kStores = 150;
constexpr int64_t kCustomers = 12;

// Each customer pulls a direction of its own, all over 200 parameters, with a strength of its own.
PullPlan SmallPlan(double q) {
  PullPlan plan{.dimensions = 200, .q = q};
  plan.loss = R"(
    angle = batch["axis"].to(7).unsqueeze(1) * torch.square(torch.arange(1, 201, dtype=7)) * 0.37
    return -batch["pull"] * torch.mv(torch.cos(angle).to(6), self.w))";
  return plan;
}

std::vector<Pull> Store(int store) {
  std::vector<Pull> rows;
  for (int64_t who = 0; who < kCustomers; ++who) rows.push_back({who, 1 + kCustomers * store + who, 0.5});
  return rows;
}

// The score of each store's first customer, in stores that hold it and in the same without it.
Runs Scores(double q, double z) {
  PullWorker worker(SmallPlan(q));
  PullWorker alone(SmallPlan(1));
  AesCtrStream noise = Stream(1, "membership");
  Runs runs;
  for (int store = 0; store < kStores; ++store) {
    const std::vector<int32_t> candidate = alone.Update(Only(Store(store), 0));
    for (const bool member : {true, false}) {
      std::vector<int32_t> update =
          worker.Update(member ? Store(store) : Without(Store(store), 0), static_cast<uint64_t>(2 * store + member));
      if (z > 0) {
        update = Centered(Release(ReceiptFor(MakeCustomerDebit(1, z)), SecretVector<int32_t>(std::move(update)),
                                  worker.grid().quantizer, noise)
                              .value()
                              .Reveal());
      }
      (member ? runs.with : runs.without)
          .push_back(Along(std::span<const int32_t>(update), std::span<const int32_t>(candidate)));
    }
  }
  return runs;
}

TEST(MembershipTest, WithoutNoiseItSucceeds) {
  const Runs scores = Scores(1, 0);
  EXPECT_GT(AreaUnderCurve(scores), 0.97);
  EXPECT_GT(EpsilonShown(scores, 1e-6, kFalseAlarms), 1);
  EXPECT_GT(ExcessShown(scores, GaussianClaim(1), kFalseAlarms), 0);
}

// With noise z, no attack has an area under the curve over Phi(1 / (z sqrt 2)); 5 sigma of the estimate are allowed
// (Hanley and McNeil 1982: its variance is at most that of 1/2, (2 n + 1) / (12 n^2)).
TEST(MembershipTest, WithNoiseItStaysWithinThePromise) {
  const double room = 5 * std::sqrt((2.0 * kStores + 1) / (12.0 * kStores * kStores));
  for (const double z : {1.0, 4.0}) {
    const Runs scores = Scores(1, z);
    EXPECT_LE(AreaUnderCurve(scores), NormalCdf(1 / (z * std::sqrt(2.0))) + room) << z;
    EXPECT_LE(ExcessShown(scores, BookedClaim(MakeCustomerDebit(1, z), Tier::kFloor), kFalseAlarms), 0) << z;
  }
}

// Sampling alone hides who was drawn, not who wasn't: without noise it fails. With both, little is left to see.
TEST(MembershipTest, SamplingNeedsItsNoise) {
  const Claim claim = LossClaim(0.25, 2, 1);
  EXPECT_GT(ExcessShown(Scores(0.5, 0), claim, kFalseAlarms), 0);
  const Runs scores = Scores(0.25, 2);
  EXPECT_LE(ExcessShown(scores, claim, kFalseAlarms), 0);
  const double room = 5 * std::sqrt((2.0 * kStores + 1) / (12.0 * kStores * kStores));
  EXPECT_LE(AreaUnderCurve(scores), 0.5 + 0.25 * (NormalCdf(1 / (2 * std::sqrt(2.0))) - 0.5) + room);
}

}  // namespace
}  // namespace aisle

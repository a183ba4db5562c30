// The classic mistakes of differentially private training. Each is made here on purpose, and refuted; then our own code
// stands the same attack. False alarms: kFalseAlarms for each verdict.
//
// BatchNorm, which no plan may use: carry_over_test.cc. A sampling rate lost on its way to the worker: worker_test.cc.
// Noise used again on changed data: noise_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "privacy/unit_sampler.h"
#include "tests/falsifier/claims.h"
#include "tests/falsifier/customers.h"

namespace aisle {
namespace {

constexpr size_t kRuns = 3'000;

// A store of ten who all pull one way, and one who pulls the other way.
Neighbours Pulling(double q, double z) {
  Neighbours store{.grid = MakeGrid(2), .others = {}, .target = {}, .q = q, .z = z};
  store.target = Axis(store.grid, 0, 1);
  for (int i = 0; i < 10; ++i) store.others.push_back(Axis(store.grid, 0, -1));
  return store;
}

// A store of ten whose vectors are zero.
Neighbours Quiet(double q, double z) {
  Neighbours store{.grid = MakeGrid(2), .others = Customers(10, std::vector<float>(2)), .target = {}, .q = q, .z = z};
  store.target = Axis(store.grid, 0, 1);
  return store;
}

bool Refutes(const Runs& runs, const Claim& claim) { return ExcessShown(runs, claim, kFalseAlarms) > 0; }

class MistakeTest : public ::testing::Test {
 protected:
  AesCtrStream coins_ = Stream(1, "coins");
  AesCtrStream noise_ = Stream(1, "noise");
  double Noise(double z) { return Noised(grid_, z, {0, 0}, noise_)[0]; }
  Grid grid_ = MakeGrid(2);
};

// An epoch of shuffled batches takes everybody exactly once; coins take 35 % of people never (Chua et al. 2024, "How
// Private are DP-SGD Implementations?").
TEST_F(MistakeTest, ShuffledBatchesPricedAsPoisson) {
  constexpr size_t kBatches = 10;
  const Neighbours store = Quiet(1.0 / kBatches, 0.25);
  const Claim claim = LossClaim(store.q, store.z, kBatches);
  const Runs shuffled = RunBoth(kRuns, [&](bool with) {
    const size_t batch = coins_.Below(kBatches);
    double highest = -HUGE_VAL;
    for (size_t i = 0; i < kBatches; ++i) highest = std::max(highest, (with && i == batch ? 1 : 0) + Noise(store.z));
    return highest;
  });
  const Runs ours = RunBoth(kRuns, [&](bool with) {
    double highest = -HUGE_VAL;
    for (size_t i = 0; i < kBatches; ++i) highest = std::max(highest, store.Step(with, coins_, noise_));
    return highest;
  });
  EXPECT_TRUE(Refutes(shuffled, claim));
  EXPECT_FALSE(Refutes(ours, claim));
}

// Where a batch is full, whoever comes in pushes somebody out: two vectors change.
TEST_F(MistakeTest, ACapOnTheDraw) {
  constexpr size_t kCap = 3;
  const Neighbours store = Pulling(0.5, 1);
  const Claim claim = LossClaim(store.q, store.z, 1);
  const Runs capped = RunBoth(kRuns, [&](bool with) {
    Customers held = store.Held(with);
    std::ranges::reverse(held);  // The target first in line.
    Customers drawn = Drawn(held, store.q, coins_);
    drawn.resize(std::min(drawn.size(), kCap), std::vector<float>(2));
    return Noised(store.grid, store.z, SumOf(store.grid, drawn), noise_)[0];
  });
  EXPECT_TRUE(Refutes(capped, claim));
  EXPECT_FALSE(Refutes(store.Steps(kRuns, 2), claim));
}

TEST_F(MistakeTest, AFixedBatchSizePricedAsPoisson) {
  constexpr size_t kBatch = 5;
  const Neighbours store = Pulling(static_cast<double>(kBatch) / 11, 1);
  const Claim claim = LossClaim(store.q, store.z, 1);
  const Runs fixed = RunBoth(2 * kRuns, [&](bool with) {
    const Customers held = store.Held(with);
    const bool drawn = with && coins_.Below(held.size()) < kBatch;
    return -static_cast<double>(kBatch) + (drawn ? 2 : 0) + Noise(store.z);
  });
  EXPECT_TRUE(Refutes(fixed, claim));
  EXPECT_FALSE(Refutes(store.Steps(2 * kRuns, 3), claim));
}

// The noise is made for one vector in q * N_plan; where few came, one in a few moves a mean much further.
TEST_F(MistakeTest, DivisionByTheRealisedCount) {
  constexpr double kPlanned = 10;
  Neighbours store{.grid = grid_, .others = {Axis(grid_, 0, 1)}, .target = Axis(grid_, 0, -1), .q = 1, .z = 2};
  const Claim claim = GaussianClaim(store.z);
  const Runs realised = RunBoth(kRuns, [&](bool with) {
    const Customers held = store.Held(with);
    const double sum = static_cast<double>(SumOf(grid_, held)[0]) / grid_.delta();
    return sum / static_cast<double>(held.size()) + Noise(store.z) / kPlanned;
  });
  EXPECT_TRUE(Refutes(realised, claim));
  EXPECT_FALSE(Refutes(store.Steps(kRuns, 4), claim));
}

// A weight is part of the vector, or there is no clip.
TEST_F(MistakeTest, WeightsTimesClip) {
  constexpr float kWeight = 3;
  Neighbours store = Quiet(1, 1);
  const Claim claim = GaussianClaim(store.z);
  const Runs after = RunBoth(kRuns, [&](bool with) {
    return static_cast<double>(kWeight) * static_cast<double>(SumOf(grid_, store.Held(with))[0]) / grid_.delta() +
           Noise(store.z);
  });
  EXPECT_TRUE(Refutes(after, claim));
  store.target = Axis(grid_, 0, kWeight);
  EXPECT_FALSE(Refutes(store.Steps(kRuns, 5), claim));
}

// "norm > clip" is false for NaN, so what has a NaN in it goes through as it is, and cleaning up the NaN itself later
// leaves the rest.
TEST_F(MistakeTest, ANormThatIsNotANumber) {
  Neighbours store = Quiet(1, 1);
  store.target = {1000, std::numeric_limits<float>::quiet_NaN()};
  const Claim claim = GaussianClaim(store.z);
  const Runs wrong = RunBoth(kRuns, [&](bool with) {
    std::vector<double> sum = {Noise(store.z), Noise(store.z)};
    if (!with) return sum[0];
    const double norm = std::hypot(store.target[0], store.target[1]);
    const double scale = norm > 1 ? 1 / norm : 1;
    for (size_t i = 0; i < 2; ++i) sum[i] += std::isnan(store.target[i]) ? 0 : store.target[i] * scale;
    return sum[0];
  });
  EXPECT_TRUE(Refutes(wrong, claim));
  EXPECT_FALSE(Refutes(store.Steps(kRuns, 6), claim));
  // Not even where the integers would be made of it.
  EXPECT_EQ(SumOf(grid_, {store.target}), (std::vector<int32_t>{0, 0}));
}

// min(1, clip / 0) * 0 is fine, clip / 0 * 0 isn't a number; and then the whole sum isn't.
TEST_F(MistakeTest, ANormOfZero) {
  Neighbours store = Quiet(1, 1);
  store.target = {0, 0};
  const Claim claim = GaussianClaim(store.z);
  const Runs wrong = RunBoth(kRuns, [&](bool with) {
    const double norm = std::hypot(store.target[0], store.target[1]);
    return Noise(store.z) + (with ? store.target[0] * (1 / norm) : 0);
  });
  EXPECT_TRUE(Refutes(wrong, claim));
  EXPECT_FALSE(Refutes(store.Steps(kRuns, 7), claim));
  EXPECT_EQ(SumOf(grid_, store.Held(true)), SumOf(grid_, store.Held(false)));
}

// One odd example changes what everybody else's become. (Plans that do so are refused: carry_over_test.cc.)
TEST_F(MistakeTest, NormalisingOverTheBatch) {
  const auto normalised_sum = [](std::vector<double> values) {
    const auto count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double variance = 0;
    for (const double value : values) variance += (value - mean) * (value - mean) / count;
    double sum = 0;
    for (const double value : values) sum += std::clamp((value - mean) / std::sqrt(variance + 1e-5), -1.0, 1.0);
    return sum;
  };
  const Runs wrong = RunBoth(kRuns, [&](bool with) {
    std::vector<double> values = {1, 1.1, 1.2, 1, 1.1, 1.2, 1, 1.1, 1.2, 3};
    if (with) values.push_back(-100);
    return normalised_sum(std::move(values)) + Noise(1);
  });
  EXPECT_TRUE(Refutes(wrong, GaussianClaim(1)));
}

// Everybody takes part, and the ledger is told that every tenth did.
TEST_F(MistakeTest, ASamplingRateOfOneByAccident) {
  const Claim claim = LossClaim(0.1, 1, 1);
  EXPECT_TRUE(Refutes(Quiet(1, 1).Steps(kRuns, 8), claim));
  EXPECT_FALSE(Refutes(Quiet(0.1, 1).Steps(kRuns, 9), claim));
}

// Coins that headquarters could work out (from the round's number, say) hide nothing.
TEST_F(MistakeTest, CoinsThatAreNoSecret) {
  constexpr double kRate = 0.1;
  constexpr double kZ = 0.5;
  const Claim claim = LossClaim(kRate, kZ, 1);
  const Runs known = RunBoth(5 * kRuns, [&](bool with) {
    const bool would_be_drawn = UnitSampler::Make(kRate).value().Draw(1, coins_).size() == 1;
    const double released = (with && would_be_drawn ? 1 : 0) + Noise(kZ);
    return would_be_drawn ? released : -HUGE_VAL;  // Whoever knows the coins looks only at rounds that count.
  });
  EXPECT_TRUE(Refutes(known, claim));
  EXPECT_FALSE(Refutes(Quiet(kRate, kZ).Steps(5 * kRuns, 10), claim));
}

}  // namespace
}  // namespace aisle

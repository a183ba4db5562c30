// Attacks on the noise alone: the discrete Gaussian sampler, and Release, which adds it. False alarms: kFalseAlarms
// each.
#include <gtest/gtest.h>

#include <cmath>

#include "aggregation/modular_sum.h"
#include "privacy/discrete_gaussian.h"
#include "tests/falsifier/claims.h"
#include "tests/falsifier/mechanism.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

Runs SamplerRuns(int64_t sigma, int64_t sensitivity, size_t count) {
  AesCtrStream stream = Stream(1, "sampler");
  std::vector<int64_t> noise(2 * count);
  DiscreteGaussian::Make(sigma)->Fill(stream, noise);
  size_t next = 0;
  return RunBoth(count, [&](bool with) { return static_cast<double>(noise[next++] + (with ? sensitivity : 0)); });
}

struct Sampler {
  int64_t sigma;
  int64_t sensitivity;
};
class SamplerTest : public ::testing::TestWithParam<Sampler> {};

TEST_P(SamplerTest, HoldsTheExactProfileAndTheRenyiCurve) {
  const auto [sigma, sensitivity] = GetParam();
  const Runs runs = SamplerRuns(sigma, sensitivity, 300'000);
  const double z = static_cast<double>(sigma) / static_cast<double>(sensitivity);
  EXPECT_LE(ExcessShown(runs, DiscreteGaussianClaim(sigma, sensitivity), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, RenyiClaim(RdpCurve::Gaussian(z).value()), kFalseAlarms), 0);
}

INSTANTIATE_TEST_SUITE_P(, SamplerTest,
                         ::testing::Values(Sampler{1, 1}, Sampler{1, 2}, Sampler{3, 1}, Sampler{3, 2}, Sampler{40, 40},
                                           Sampler{1000, 500}),
                         [](const auto& test) {
                           return "Sigma" + std::to_string(test.param.sigma) + "Moved" +
                                  std::to_string(test.param.sensitivity);
                         });

// The attack would have seen a tenth less noise.
TEST(SamplerPowerTest, ATenthMoreSensitivityIsRefuted) {
  for (const int64_t sigma : {40, 1000}) {
    const Runs runs = SamplerRuns(sigma, sigma + sigma / 10, 300'000);
    EXPECT_GT(ExcessShown(runs, DiscreteGaussianClaim(sigma, sigma), kFalseAlarms), 0) << sigma;
  }
}

constexpr size_t kLength = 9;

// A vector on the grid of norm Delta, or of `times` as much.
std::vector<int32_t> UnitVector(const Grid& grid, double times = 1) {
  std::vector<int32_t> vector(kLength);
  const double each = times * grid.delta() / std::sqrt(static_cast<double>(kLength));
  for (size_t i = 0; i < kLength; ++i) vector[i] = static_cast<int32_t>(i % 2 == 0 ? each : -each);
  return vector;
}

std::vector<int32_t> Released(const Grid& grid, const Debit& debit, std::vector<int32_t> clean, RandomSource& noise) {
  const auto released =
      Release(ReceiptFor(debit), SecretVector<int32_t>(std::move(clean)), grid.quantizer, noise).value();
  return Centered(released.Reveal());
}

class ReleaseTest : public ::testing::TestWithParam<double> {};

// One whole vector more or less: what mode store does.
TEST_P(ReleaseTest, HoldsWhatTheLedgerBooks) {
  const double z = GetParam();
  const Grid grid = MakeGrid(kLength, {}, z);
  const Debit debit = MakeDebit(z);
  AesCtrStream noise = Stream(2, "release");
  const std::vector<int32_t> unit = UnitVector(grid);
  const Runs runs = RunBoth(z > 2 ? 16'000 : 4'000, [&](bool with) {
    const auto released = Released(grid, debit, with ? unit : std::vector<int32_t>(kLength), noise);
    return Along(std::span<const int32_t>(released), std::span<const int32_t>(unit));
  });
  EXPECT_LE(ExcessShown(runs, BookedClaim(debit, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, GaussianClaim(z), kFalseAlarms), 0);
  EXPECT_LE(MuShown(runs, kFalseAlarms), 1 / z);
  EXPECT_GT(MuShown(runs, kFalseAlarms), 0.4 / z);  // The attack is a good one.
  EXPECT_GT(ExcessShown(runs, GaussianClaim(2.5 * z), kFalseAlarms), 0);
}

INSTANTIATE_TEST_SUITE_P(, ReleaseTest, ::testing::Values(0.5, 1.0, 3.0),
                         [](const auto& test) { return "Z" + std::to_string(static_cast<int>(10 * test.param)); });

// The floor is paid anew for every release, as the ledger says: two of the same vector tell more than one.
TEST(ReleasesTest, TwoReleasesHoldWhatTwoDebitsBook) {
  const Grid grid = MakeGrid(kLength);
  const Debit debit = MakeDebit(1);
  Debit both = debit;
  both.releases = 2;
  AesCtrStream noise = Stream(3, "twice");
  const std::vector<int32_t> unit = UnitVector(grid);
  const Runs runs = RunBoth(6'000, [&](bool with) {
    const std::vector<int32_t> clean = with ? unit : std::vector<int32_t>(kLength);
    double sum = 0;
    for (int release = 0; release < 2; ++release) {
      sum += Along(std::span<const int32_t>(Released(grid, debit, clean, noise)), std::span<const int32_t>(unit));
    }
    return sum;
  });
  EXPECT_LE(ExcessShown(runs, BookedClaim(both, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(runs, GaussianClaim(std::sqrt(0.5)), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(runs, GaussianClaim(1), kFalseAlarms), 0);  // Booked as one, it would be a lie.
}

// Whoever sees only the sum of four stores, each with its own noise, has a quarter of the information.
TEST(ReleasesTest, TheSumOfStoresHoldsTheAggregateTier) {
  const Grid grid = MakeGrid(kLength);
  Debit debit = MakeDebit(1);
  debit.sum_stores = 4;
  AesCtrStream noise = Stream(4, "sum");
  const std::vector<int32_t> unit = UnitVector(grid);
  const Runs runs = RunBoth(4'000, [&](bool with) {
    ModularSum sum(kLength);
    for (uint32_t store = 0; store < debit.sum_stores; ++store) {
      const bool holds = with && store == 0;
      const auto released =
          Release(ReceiptFor(debit), SecretVector<int32_t>(holds ? unit : std::vector<int32_t>(kLength, 99)),
                  grid.quantizer, noise)
              .value();
      EXPECT_TRUE(sum.Add(released.Reveal()).ok());
    }
    std::vector<int32_t> total(kLength);
    for (size_t i = 0; i < kLength; ++i) total[i] = sum.Centered(i);
    return Along(std::span<const int32_t>(total), std::span<const int32_t>(unit));
  });
  EXPECT_LE(ExcessShown(runs, BookedClaim(debit, Tier::kAggregate), kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(runs, GaussianClaim(8), kFalseAlarms), 0);
}

// Clamping for headroom comes after the noise and tells nothing more, however tight it is.
TEST(ReleasesTest, TheClampIsPostProcessing) {
  const Grid grid = MakeGrid(kLength, {}, 0);
  const Debit debit = MakeDebit(200);  // Far more noise than this grid was made for: most coordinates are clamped.
  AesCtrStream noise = Stream(5, "clamp");
  const std::vector<int32_t> unit = UnitVector(grid);
  const auto attack = [&](const std::vector<int32_t>& one) {
    return RunBoth(4'000, [&](bool with) {
      const auto released = Released(grid, debit, with ? one : std::vector<int32_t>(kLength), noise);
      return Along(std::span<const int32_t>(released), std::span<const int32_t>(one));
    });
  };
  EXPECT_LE(ExcessShown(attack(unit), GaussianClaim(200), kFalseAlarms), 0);
}

// Noise drawn twice from one seed, on rows that have changed: it cancels, and the change stands there bare. A receipt
// is good for one release, and ReleaseAndSpool (store-agent/task) draws a fresh key for each.
TEST(ReleasesTest, NoiseUsedAgainOnChangedDataIsRefuted) {
  const Grid grid = MakeGrid(kLength);
  const Debit debit = MakeDebit(1);
  Debit both = debit;
  both.releases = 2;
  const std::vector<int32_t> unit = UnitVector(grid);
  const auto change_seen = [&](bool same_seed) {
    uint8_t run = 0;
    return RunBoth(200, [&](bool with) {
      AesCtrStream first = Stream(++run, "first");
      AesCtrStream second = Stream(run, same_seed ? "first" : "second");
      const auto before = Released(grid, debit, std::vector<int32_t>(kLength), first);
      const auto after = Released(grid, debit, with ? unit : std::vector<int32_t>(kLength), second);
      std::vector<int32_t> difference(kLength);
      for (size_t i = 0; i < kLength; ++i) difference[i] = after[i] - before[i];
      return Along(std::span<const int32_t>(difference), std::span<const int32_t>(unit));
    });
  };
  EXPECT_GT(ExcessShown(change_seen(true), BookedClaim(both, Tier::kFloor), kFalseAlarms), 0);
  EXPECT_LE(ExcessShown(change_seen(false), BookedClaim(both, Tier::kFloor), kFalseAlarms), 0);
}

}  // namespace
}  // namespace aisle

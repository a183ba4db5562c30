// The falsifier itself: it must see what is broken, and must leave alone what isn't. Noise comes from <random> here, so
// that nothing of ours is taken for granted. False alarms: 1e-6 for each verdict, unless a test counts them.
#include "tests/falsifier/falsifier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/falsifier/binomial.h"
#include "tests/falsifier/claims.h"

namespace aisle {
namespace {

constexpr double kFalseAlarms = 1e-6;

// The number that a Gaussian mechanism of sensitivity 1 publishes.
Runs GaussianRuns(size_t count, double noise, uint32_t seed, double q = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal(0, noise);
  std::bernoulli_distribution coin(q);
  return RunBoth(count, [&](bool with) { return (with && coin(engine) ? 1.0 : 0.0) + normal(engine); });
}

// Published values: R's binom.test(7, 20)$conf.int and its like.
TEST(BinomialTest, BoundsAreClopperAndPearsons) {
  EXPECT_NEAR(ProbabilityLow(7, 20, 0.025), 0.1539092, 1e-6);
  EXPECT_NEAR(ProbabilityHigh(7, 20, 0.025), 0.5921885, 1e-6);
  EXPECT_NEAR(ProbabilityHigh(0, 100, 0.05), 1 - std::pow(0.05, 0.01), 1e-12);  // The rule of three.
  EXPECT_EQ(ProbabilityLow(0, 100, 0.05), 0);
  EXPECT_EQ(ProbabilityHigh(100, 100, 0.05), 1);
  EXPECT_NEAR(ProbabilityLow(100, 100, 0.05), std::pow(0.05, 0.01), 1e-12);
}

// By the definition of the bounds: at the bound, so many or more hits have exactly the chance alpha.
TEST(BinomialTest, BoundsHoldTheirAlphaExactly) {
  for (const size_t hits : {1U, 17U, 600U, 999U}) {
    const double p = ProbabilityLow(hits, 1000, 1e-6);
    double chance = 0;
    for (size_t k = hits; k <= 1000; ++k) {
      const auto n = static_cast<double>(k);
      chance += std::exp(std::lgamma(1001) - std::lgamma(n + 1) - std::lgamma(1001 - n) + n * std::log(p) +
                         (1000 - n) * std::log1p(-p));
    }
    EXPECT_NEAR(chance, 1e-6, 1e-11) << hits;
  }
}

TEST(BinomialTest, QuantilesInvertTheNormalDistribution) {
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-12);
  for (const double x : {-8.0, -1.5, 0.0, 3.0}) EXPECT_NEAR(NormalQuantile(NormalCdf(x)), x, 1e-7);
}

struct Power {
  const char* name;
  double claimed;
  double real;
  size_t runs;
};
class PowerTest : public ::testing::TestWithParam<Power> {};

// Less noise than claimed must be seen: without this, nothing that follows in this folder says anything.
TEST_P(PowerTest, LessNoiseThanClaimedIsRefuted) {
  const auto [name, claimed, real, runs] = GetParam();
  EXPECT_GT(ExcessShown(GaussianRuns(runs, real, 1), GaussianClaim(claimed), kFalseAlarms), 0);
  EXPECT_GT(MuShown(GaussianRuns(runs, real, 2), kFalseAlarms), 1 / claimed);
}

INSTANTIATE_TEST_SUITE_P(, PowerTest,
                         ::testing::Values(Power{"HalfTheNoise", 1, 0.5, 600}, Power{"HalfOfMuch", 6, 3, 30'000},
                                           Power{"AFifthLess", 1, 0.8, 8'000},
                                           Power{"ATwentiethLess", 1, 0.95, 600'000}, Power{"NoneAtAll", 1, 1e-9, 100}),
                         [](const auto& test) { return test.param.name; });

TEST(FalsifierTest, TheNoiseClaimedIsNotRefuted) {
  for (const double noise : {0.3, 1.0, 6.0}) {
    const Runs runs = GaussianRuns(50'000, noise, 3);
    EXPECT_LE(ExcessShown(runs, GaussianClaim(noise), kFalseAlarms), 0) << noise;
    EXPECT_LE(ExcessShown(runs, RenyiClaim(RdpCurve::Gaussian(noise).value()), kFalseAlarms), 0) << noise;
    EXPECT_LE(MuShown(runs, kFalseAlarms), 1 / noise);
    EXPECT_GT(MuShown(runs, kFalseAlarms), 0.5 / noise);  // And isn't blind either.
  }
}

// Alarms at a rate of 5 % are allowed to be as many: 1000 verdicts, at most 50 expected; over 86 would come once in a
// million. (Clopper-Pearson being cautious, there are far fewer.)
TEST(FalsifierTest, FalseAlarmsAreAsRareAsSaid) {
  int alarms = 0;
  const Claim claim = GaussianClaim(1);
  for (uint32_t seed = 0; seed < 1000; ++seed)
    alarms += ExcessShown(GaussianRuns(200, 1, seed), claim, 0.05) > 0 ? 1 : 0;
  EXPECT_LE(alarms, 86);
}

TEST(FalsifierTest, EpsilonShownIsUnderTheTruthAndNotFarUnder) {
  // Randomised response with e^2 : 1 has exactly epsilon 2.
  std::mt19937 engine(4);
  std::bernoulli_distribution coin(std::exp(2.0) / (1 + std::exp(2.0)));
  const Runs runs = RunBoth(40'000, [&](bool with) { return with == coin(engine) ? 1.0 : 0.0; });
  EXPECT_LE(EpsilonShown(runs, 0, kFalseAlarms), 2);
  EXPECT_GT(EpsilonShown(runs, 0, kFalseAlarms), 1.8);
  const Claim two([](double epsilon) { return epsilon >= 2 ? 0.0 : 1.0; });
  const Claim less([](double epsilon) { return epsilon >= 1.5 ? 0.0 : 1.0; });
  EXPECT_LE(ExcessShown(runs, two, kFalseAlarms), 0);
  EXPECT_GT(ExcessShown(runs, less, kFalseAlarms), 0);
}

TEST(FalsifierTest, SamplingWithTwiceTheRateIsRefuted) {
  for (const double q : {0.1, 0.2}) {
    const Claim claim = LossClaim(q, 0.7, 1);
    EXPECT_LE(ExcessShown(GaussianRuns(40'000, 0.7, 5, q), claim, kFalseAlarms), 0);
    EXPECT_GT(ExcessShown(GaussianRuns(40'000, 0.7, 6, 2 * q), claim, kFalseAlarms), 0);
  }
}

// An outcome that is no number is an event like any other.
TEST(FalsifierTest, NotANumberIsSeen) {
  const Runs runs = RunBoth(200, [](bool with) { return with ? std::nan("") : 0.0; });
  EXPECT_GT(EpsilonShown(runs, 1e-6, kFalseAlarms), 1);
}

TEST(FalsifierTest, TheAreaUnderTheCurveIsTheChanceToScoreHigher) {
  EXPECT_EQ(AreaUnderCurve({.with = {3, 1}, .without = {2, 0}}), 0.75);
  EXPECT_EQ(AreaUnderCurve({.with = {1, 1}, .without = {1, 1}}), 0.5);
  // Gaussians one noise apart: Phi(1 / sqrt 2).
  EXPECT_NEAR(AreaUnderCurve(GaussianRuns(20'000, 1, 7)), NormalCdf(std::sqrt(0.5)), 0.015);
}

}  // namespace
}  // namespace aisle

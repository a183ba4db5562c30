#include "privacy/accounting/gaussian.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace aisle {
namespace {

TEST(GaussianTest, LogErfcAgreesWithErfcAndGoesOnBeyondIt) {
  for (double x = -5; x < 25; x += 0.37) EXPECT_NEAR(LogErfc(x), std::log(std::erfc(x)), 1e-11 * (1 + x * x)) << x;
  EXPECT_NEAR(LogErfc(10 - 1e-9), LogErfc(10 + 1e-9), 1e-6);
  // erfc(30) = 2.5646562037561e-393 (Wolfram).
  EXPECT_NEAR(LogErfc(30), std::log(2.5646562037561) - 393 * std::log(10), 1e-9);
}

TEST(GaussianTest, DeltaIsTheKnownOne) {
  EXPECT_NEAR(GaussianDelta(1, 1), 0.12693673750664392, 1e-12);  // Balle and Wang 2018, theorem 8.
  EXPECT_NEAR(GaussianDelta(0, 1), std::erf(1 / (2 * std::sqrt(2.0))), 1e-12);
}

TEST(GaussianTest, EpsilonIsTheKnownOne) {
  EXPECT_NEAR(GaussianEpsilon(1, 1e-5).value(), 4.377178095681133, 1e-8);
  EXPECT_NEAR(GaussianEpsilon(2, 1e-6).value(), 2.254084650219736, 1e-8);
}

RC_GTEST_PROP(GaussianProperty, EpsilonAndDeltaAreInverse, ()) {
  const double z = *rc::gen::inRange(5, 5000) * 0.01;
  const double delta = std::pow(10, -*rc::gen::inRange(1, 12));
  const double epsilon = GaussianEpsilon(z, delta).value();
  RC_ASSERT(GaussianDelta(epsilon, z) <= delta);
  if (epsilon > 0) RC_ASSERT(GaussianDelta(epsilon * (1 - 1e-6), z) > delta * (1 - 1e-9));
}

RC_GTEST_PROP(GaussianProperty, TheNoiseForAPromiseKeepsIt, ()) {
  const double epsilon = *rc::gen::inRange(1, 2000) * 0.01;
  const double delta = std::pow(10, -*rc::gen::inRange(2, 10));
  const double releases = *rc::gen::inRange(1, 500);
  const double z = GaussianNoiseMultiplier(epsilon, delta, releases).value();
  const double kept = GaussianEpsilon(z / std::sqrt(releases), delta).value();
  RC_ASSERT(kept <= epsilon * (1 + 1e-8));
  RC_ASSERT(kept >= epsilon * (1 - 1e-6));
}

TEST(GaussianTest, ReachesTheEndsOfItsRange) {
  const double tiny_noise = GaussianEpsilon(1e-3, 1e-12).value();
  EXPECT_GT(tiny_noise, 5e5);
  EXPECT_TRUE(std::isfinite(tiny_noise));
  EXPECT_EQ(GaussianEpsilon(1e6, 0.01).value(), 0.0);
}

TEST(GaussianTest, RefusesNumbersOutOfRange) {
  for (const double z : {0.0, -1.0, double{INFINITY}, std::nan("")}) EXPECT_FALSE(GaussianEpsilon(z, 1e-5).ok());
  for (const double delta : {0.0, 1.0, -0.1, std::nan("")}) {
    EXPECT_FALSE(GaussianEpsilon(1, delta).ok());
    EXPECT_FALSE(GaussianNoiseMultiplier(1, delta, 1).ok());
  }
  EXPECT_FALSE(GaussianNoiseMultiplier(0, 1e-5, 1).ok());
  EXPECT_FALSE(GaussianNoiseMultiplier(INFINITY, 1e-5, 1).ok());
  EXPECT_FALSE(GaussianNoiseMultiplier(1, 1e-5, 0).ok());
}

}  // namespace
}  // namespace aisle

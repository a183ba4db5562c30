#include "privacy/accounting/rdp.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "privacy/accounting/gaussian.h"

namespace aisle {
namespace {

double AnyNoise() { return *rc::gen::inRange(30, 1000) * 0.01; }
double AnyRate() { return *rc::gen::inRange(1, 999) * 0.001; }
double AnyDelta() { return std::pow(10, -*rc::gen::inRange(2, 12)); }

TEST(RdpTest, OrdersAreTheFixedGrid) {
  const std::span<const double> orders = RdpOrders();
  EXPECT_EQ(orders.size(), 99U + 53 + 4);
  EXPECT_EQ(orders.front(), 1.1);
  EXPECT_EQ(orders.back(), 1024);
  EXPECT_TRUE(std::ranges::is_sorted(orders));
}

TEST(RdpTest, GaussianIsAlphaOverTwiceTheSquaredNoise) {
  EXPECT_DOUBLE_EQ(RdpOfSampledGaussian(1, 2, 16), 2.0);
  EXPECT_EQ(RdpCurve::Gaussian(2)->values()[0], 1.1 / 8);
}

TEST(RdpTest, SampledOrderTwoHasAClosedForm) {
  // E[(mixture / base)^2] = 1 + q^2 (exp(1 / z^2) - 1).
  for (const double q : {0.001, 0.1, 0.7}) {
    EXPECT_NEAR(RdpOfSampledGaussian(q, 0.8, 2), std::log1p(q * q * std::expm1(1 / 0.64)), 1e-12);
  }
}

TEST(RdpTest, TheSmallestCostsKeepTheirDigits) {
  // To first order in q^2, E[r^alpha] - 1 = alpha (alpha - 1) / 2 * q^2 (exp(1 / z^2) - 1).
  for (const double q : {1e-6, 1e-9}) {
    for (const double z : {1.0, 20.0, 256.0}) {
      for (const double alpha : {1.1, 1.5, 2.0, 2.5, 8.0}) {
        const double first = alpha / 2 * q * q * std::expm1(1 / (z * z));
        EXPECT_NEAR(RdpOfSampledGaussian(q, z, alpha) / first, 1, 1e-4) << q << " " << z << " " << alpha;
      }
    }
  }
}

// Integrated with 30 digits by mpmath from the definition.
TEST(RdpTest, FractionalOrdersAreTheIntegrals) {
  EXPECT_NEAR(RdpOfSampledGaussian(0.1, 2, 1.5), 0.00209893459571, 1e-13);
  EXPECT_NEAR(RdpOfSampledGaussian(0.1, 0.8, 1.5), 0.0233050462499, 1e-12);
  EXPECT_NEAR(RdpOfSampledGaussian(0.01, 0.6, 1.5), 0.000965538407961, 1e-13);
  EXPECT_NEAR(RdpOfSampledGaussian(0.01, 8, 1.5), 1.18098468896e-6, 1e-13);
  EXPECT_NEAR(RdpOfSampledGaussian(0.001, 0.6, 1.5), 1.09646706628e-5, 1e-13);
  EXPECT_NEAR(RdpOfSampledGaussian(0.01, 1, 2.5), 0.000217575332281880, 1e-13);
}

RC_GTEST_PROP(RdpProperty, AFractionJustOverAWholeOrderIsNextToIt, ()) {
  // The integral and the binomial sum, which know nothing of each other.
  const double z = AnyNoise();
  const double q = AnyRate();
  const int alpha = *rc::gen::inRange(2, 64);
  const double whole = RdpOfSampledGaussian(q, z, alpha);
  RC_ASSERT(std::fabs(RdpOfSampledGaussian(q, z, alpha + 1e-9) - whole) < 1e-6 * (1 + whole));
}

RC_GTEST_PROP(RdpProperty, SamplingNeverCosts, ()) {
  const double z = AnyNoise();
  const double q = AnyRate();
  const double alpha = 1 + *rc::gen::inRange(1, 300) * 0.1;
  const double sampled = RdpOfSampledGaussian(q, z, alpha);
  RC_ASSERT(sampled >= 0);
  RC_ASSERT(sampled <= RdpOfSampledGaussian(1, z, alpha) * (1 + 1e-9));
}

RC_GTEST_PROP(RdpProperty, GrowsWithTheOrder, ()) {
  const double z = AnyNoise();
  const double q = AnyRate();
  const RdpCurve curve = RdpCurve::SampledGaussian(q, z).value();
  for (size_t i = 1; i < curve.values().size(); ++i) {
    RC_ASSERT(curve.values()[i] >= curve.values()[i - 1] * (1 - 1e-6) - 1e-12);
  }
}

RC_GTEST_PROP(RdpProperty, CompositionAdds, ()) {
  const RdpCurve curve = RdpCurve::Gaussian(AnyNoise()).value();
  RdpCurve twice = curve;
  twice += curve;
  RC_ASSERT(twice == curve * 2);
  RC_ASSERT(curve * 0 == RdpCurve());
}

RC_GTEST_PROP(RdpProperty, IsAnUpperBoundOfTheExactGaussian, ()) {
  const double z = AnyNoise();
  const double delta = AnyDelta();
  const double improved = EpsilonOf(RdpCurve::Gaussian(z).value(), delta).epsilon;
  RC_ASSERT(improved >= GaussianEpsilon(z, delta).value() * (1 - 1e-8));
  RC_ASSERT(improved <= EpsilonOf(RdpCurve::Gaussian(z).value(), delta, RdpConversion::kClassic).epsilon + 1e-12);
}

RC_GTEST_PROP(RdpProperty, BudgetAndEpsilonAreInverse, ()) {
  const double alpha = 1 + *rc::gen::inRange(1, 600) * 0.1;
  const double epsilon = *rc::gen::inRange(100, 10000) * 0.01;
  const double delta = AnyDelta();
  const double budget = RdpBudgetAt(alpha, epsilon, delta);
  RC_PRE(budget > 0);
  RC_ASSERT(EpsilonAt(alpha, budget, delta) <= epsilon + 1e-9);
  RC_ASSERT(EpsilonAt(alpha, budget * 1.001 + 1e-6, delta) > epsilon);
}

TEST(RdpTest, NothingReleasedCostsNothing) { EXPECT_EQ(EpsilonOf(RdpCurve(), 1e-6).epsilon, 0.0); }

TEST(RdpTest, StaysFiniteAtTheEndsOfItsRange) {
  for (const double q : {1e-9, 1e-4, 0.5, 0.999999}) {
    for (const double z : {0.05, 0.3, 30.0, 256.0}) {
      const RdpCurve curve = RdpCurve::SampledGaussian(q, z).value();
      for (const double value : curve.values()) {
        EXPECT_TRUE(std::isfinite(value) && value >= 0) << "q " << q << ", z " << z;
      }
    }
  }
}

TEST(RdpTest, RefusesNumbersOutOfRange) {
  for (const double z : {0.0, -1.0, double{INFINITY}, std::nan("")}) EXPECT_FALSE(RdpCurve::Gaussian(z).ok());
  for (const double q : {0.0, -0.1, 1.1, std::nan("")}) EXPECT_FALSE(RdpCurve::SampledGaussian(q, 1).ok());
}

}  // namespace
}  // namespace aisle

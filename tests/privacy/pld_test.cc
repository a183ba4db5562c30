#include "privacy/accounting/pld.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "privacy/accounting/gaussian.h"
#include "privacy/accounting/laplace.h"
#include "privacy/accounting/pld_compose.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

double EpsilonOfOne(const LossMechanism& mechanism, uint64_t count, double delta, PldAccuracy accuracy = {}) {
  PldAccountant accountant(accuracy);
  EXPECT_TRUE(accountant.Add(mechanism, count).ok());
  return accountant.Epsilon(delta).value();
}

double AnyDelta() { return std::pow(10, -*rc::gen::inRange(2, 13)); }
SampledGaussian AnySampled() {
  return {.sampling_rate = *rc::gen::inRange(1, 1000) * 0.001, .noise_multiplier = *rc::gen::inRange(4, 60) * 0.1};
}

RC_GTEST_PROP(PldProperty, GaussianIsTheExactOneAndNeverUnderIt, ()) {
  const double z = *rc::gen::inRange(3, 1000) * 0.1;
  const auto count = *rc::gen::inRange<uint64_t>(1, 1000);
  const double delta = AnyDelta();
  const double exact = GaussianEpsilon(z / std::sqrt(static_cast<double>(count)), delta).value();
  const double ours = EpsilonOfOne(SampledGaussian{1, z}, count, delta);
  RC_ASSERT(ours >= exact * (1 - 2e-9));
  RC_ASSERT(ours <= exact + 1e-3);
}

RC_GTEST_PROP(PldProperty, LaplaceOnceIsTheExactOneAndNeverUnderIt, ()) {
  const double scale = *rc::gen::inRange(2, 400) * 0.05;
  const double delta = AnyDelta();
  const double exact = LaplaceEpsilon(scale, delta).value();
  const double ours = EpsilonOfOne(Laplace{scale}, 1, delta);
  RC_ASSERT(ours >= exact - 1e-12);
  RC_ASSERT(ours <= exact + 1e-3);
}

RC_GTEST_PROP(PldProperty, NeverOverRenyiBothWaysConverted, ()) {
  const SampledGaussian mechanism = AnySampled();
  const auto count = *rc::gen::inRange<uint64_t>(1, 2000);
  const double delta = AnyDelta();
  const RdpCurve curve = RdpCurve::SampledGaussian(mechanism.sampling_rate, mechanism.noise_multiplier).value() *
                         static_cast<double>(count);
  const double ours = EpsilonOfOne(mechanism, count, delta);
  RC_ASSERT(ours <= EpsilonOf(curve, delta).epsilon * (1 + 1e-9));
  RC_ASSERT(EpsilonOf(curve, delta).epsilon <= EpsilonOf(curve, delta, RdpConversion::kClassic).epsilon);
}

RC_GTEST_PROP(PldProperty, EpsilonAndDeltaAreInverse, ()) {
  PldAccountant accountant;
  RC_ASSERT(accountant.Add(AnySampled(), *rc::gen::inRange<uint64_t>(1, 500)).ok());
  RC_ASSERT(accountant.Add(AnySampled(), *rc::gen::inRange<uint64_t>(1, 500)).ok());
  const double epsilon = *rc::gen::inRange(0, 1000) * 0.01;
  const double delta = accountant.Delta(epsilon).value();
  RC_PRE(delta > 1e-15 && delta < 0.5);
  // Where delta hardly falls with epsilon, a little of delta is a lot of epsilon.
  const double back = accountant.Epsilon(delta).value();
  RC_ASSERT(std::fabs(back - epsilon) <= 1e-3 || std::fabs(accountant.Delta(back).value() / delta - 1) < 1e-4);
}

RC_GTEST_PROP(PldProperty, MoreReleasesCostMoreInWhateverOrder, ()) {
  const SampledGaussian one = AnySampled();
  const SampledGaussian other = AnySampled();
  const double delta = AnyDelta();
  PldAccountant forth;
  PldAccountant back;
  RC_ASSERT(forth.Add(one, 40).ok() && forth.Add(other, 30).ok() && forth.Add(one, 60).ok());
  RC_ASSERT(back.Add(other, 30).ok() && back.Add(one, 100).ok());
  const double both = forth.Epsilon(delta).value();
  RC_ASSERT(std::fabs(both - back.Epsilon(delta).value()) < 1e-9 * (1 + both));
  RC_ASSERT(both >= EpsilonOfOne(one, 100, delta) - 1e-3);
  RC_ASSERT(both >= EpsilonOfOne(other, 30, delta) - 1e-3);
}

TEST(PldTest, PlainGaussiansOfAnyNoiseAreOneGaussian) {
  PldAccountant accountant;
  ASSERT_TRUE(accountant.Add(SampledGaussian{1, 3}, 9).ok());   // As one with z = 1.
  ASSERT_TRUE(accountant.Add(SampledGaussian{1, 2}, 12).ok());  // 1 / z^2 = 1 + 3
  EXPECT_NEAR(accountant.Epsilon(1e-6).value(), GaussianEpsilon(0.5, 1e-6).value(), 1e-3);
}

// Losses of hundreds, where the unit's absence alone would make an output too unlikely for floating point.
TEST(PldTest, LittleNoiseIsNotUnderTheExactGaussianEither) {
  const double z = 0.3 / std::sqrt(99);
  for (const double delta : {1e-2, 1e-6, 1e-7, 1e-8, 1e-12}) {
    const double exact = GaussianEpsilon(z, delta).value();
    const double ours = EpsilonOfOne(SampledGaussian{1, 0.3}, 99, delta);
    EXPECT_GE(ours, exact) << delta;
    EXPECT_LE(ours, exact + 1e-3) << delta;
  }
}

TEST(PldTest, AFinerMeshComesCloserFromAbove) {
  const SampledGaussian mechanism{0.01, 1};
  const double coarse = EpsilonOfOne(mechanism, 5000, 1e-5, {.epsilon = 0.02, .share = 1});
  const double usual = EpsilonOfOne(mechanism, 5000, 1e-5);
  const double fine = EpsilonOfOne(mechanism, 5000, 1e-5, {.epsilon = 1e-5});
  EXPECT_GT(coarse, usual);
  EXPECT_GT(usual, fine);
  EXPECT_LT(coarse - fine, 0.02);
  EXPECT_LT(usual - fine, 5e-4);
}

// By its definition, every pair of losses of two different parts.
TEST(PldTest, CompositionIsTheConvolution) {
  const LossPmf first{.mesh = 0.25, .first = -2, .mass = {0.2, 0.1, 0.3, 0.1, 0.3}, .infinity = 0};
  const LossPmf second{.mesh = 0.25, .first = -1, .mass = {0.5, 0.2, 0.299}, .infinity = 0.001};
  const LossComposition composition({{first, 2}, {second, 1}});
  const auto delta_of = [&](double epsilon) {
    double delta = 0.001;
    for (size_t i = 0; i < 5; ++i) {
      for (size_t j = 0; j < 5; ++j) {
        for (size_t k = 0; k < 3; ++k) {
          const double loss = 0.25 * (static_cast<double>(i + j + k) - 5);
          delta += first.mass[i] * first.mass[j] * second.mass[k] * std::max(0.0, -std::expm1(epsilon - loss));
        }
      }
    }
    return delta;
  };
  for (const double epsilon : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const double delta = composition.Delta(epsilon, composition.TiltForEpsilon(epsilon));
    EXPECT_GE(delta, delta_of(epsilon));
    EXPECT_NEAR(delta, delta_of(epsilon), 1e-9);
    EXPECT_NEAR(composition.Epsilon(delta, composition.TiltForDelta(delta)), epsilon, 1e-6);
  }
  EXPECT_TRUE(std::isinf(composition.Epsilon(0.0005, composition.TiltForDelta(0.0005))));
}

TEST(PldTest, ExtremesAreAnsweredWithNumbers) {
  for (const double q : {1e-6, 0.5, 1.0}) {
    for (const double z : {0.1, 1e3}) {
      for (const uint64_t count : {uint64_t{1}, uint64_t{1'000'000}}) {
        const double epsilon = EpsilonOfOne(SampledGaussian{q, z}, count, 1e-12);
        EXPECT_TRUE(std::isfinite(epsilon) && epsilon >= 0) << q << " " << z << " " << count << ": " << epsilon;
        if (q == 1) {
          EXPECT_GE(epsilon, GaussianEpsilon(z / std::sqrt(static_cast<double>(count)), 1e-12).value() * (1 - 1e-8));
        }
      }
    }
  }
}

TEST(PldTest, NothingReleasedCostsNothing) {
  PldAccountant accountant;
  EXPECT_TRUE(accountant.Add(Laplace{1}, 0).ok());
  EXPECT_EQ(accountant.Epsilon(1e-6).value(), 0);
  EXPECT_EQ(accountant.Delta(0).value(), 0);
}

TEST(PldTest, RefusesNumbersOutOfRange) {
  PldAccountant accountant;
  for (const LossMechanism& wrong :
       {LossMechanism(SampledGaussian{0, 1}), LossMechanism(SampledGaussian{1.1, 1}),
        LossMechanism(SampledGaussian{0.5, 0}), LossMechanism(SampledGaussian{0.5, NAN}),
        LossMechanism(SampledGaussian{0.5, INFINITY}), LossMechanism(Laplace{0}),
        LossMechanism(DiscreteGaussianCount{0.01, 1}), LossMechanism(DiscreteGaussianCount{1, 0})}) {
    EXPECT_EQ(accountant.Add(wrong, 1).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(accountant.Add(Laplace{1}, PldAccountant::kReleasesMax + 1).code(), StatusCode::kInvalidArgument);
  for (const double delta : {0.0, 1e-31, 1.0, -1.0, static_cast<double>(NAN)}) {
    EXPECT_EQ(accountant.Epsilon(delta).status().code(), StatusCode::kInvalidArgument) << delta;
  }
  for (const double epsilon : {-0.1, 1e16, static_cast<double>(NAN)}) {
    EXPECT_EQ(accountant.Delta(epsilon).status().code(), StatusCode::kInvalidArgument) << epsilon;
  }
}

TEST(PldTest, RefusesMoreMechanismsThanItsBound) {
  PldAccountant accountant;
  for (size_t i = 0; i < PldAccountant::kMechanismsMax; ++i) {
    ASSERT_TRUE(accountant.Add(Laplace{1 + 0.01 * static_cast<double>(i)}, 1).ok());
  }
  EXPECT_EQ(accountant.Add(Laplace{100}, 1).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(accountant.Add(Laplace{1}, 1).ok());
}

}  // namespace
}  // namespace aisle

#include "privacy/accounting/calibrate.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "privacy/accounting/gaussian.h"

namespace aisle {
namespace {

constexpr Accountant kAll[] = {Accountant::kRdp, Accountant::kPld, Accountant::kExact};

RC_GTEST_PROP(CalibrateProperty, NoiseKeepsTheTargetAndLittleLessDoesNot, ()) {
  const Accountant accountant = *rc::gen::element(Accountant::kRdp, Accountant::kExact);
  const NoiseTarget target{.epsilon = *rc::gen::inRange(1, 2000) * 0.01,
                           .delta = std::pow(10, -*rc::gen::inRange(3, 11)),
                           .sampling_rate = accountant == Accountant::kExact ? 1 : *rc::gen::inRange(1, 1000) * 0.001,
                           .steps = *rc::gen::inRange<uint64_t>(1, 2000)};
  const double z = CalibrateNoise(target, accountant).value();
  const auto epsilon_at = [&](double noise) {
    return EpsilonOf({.noise_multiplier = noise, .sampling_rate = target.sampling_rate, .steps = target.steps},
                     target.delta, accountant)
        .value();
  };
  RC_ASSERT(epsilon_at(z) <= target.epsilon);
  if (z > 1e-3) RC_ASSERT(epsilon_at(z * 0.9998) > target.epsilon);
}

TEST(CalibrateTest, TighterAccountantsNeedLessNoise) {
  const NoiseTarget target{.epsilon = 2, .delta = 1e-6, .sampling_rate = 0.01, .steps = 500};
  const double rdp = CalibrateNoise(target, Accountant::kRdp).value();
  const double pld = CalibrateNoise(target, Accountant::kPld).value();
  EXPECT_LT(pld, rdp);
  EXPECT_GT(pld, 0.8 * rdp);
  EXPECT_LE(EpsilonOf({.noise_multiplier = pld, .sampling_rate = 0.01, .steps = 500}, 1e-6, Accountant::kPld).value(),
            2);
}

TEST(CalibrateTest, WithoutSamplingAllKnowTheClosedForm) {
  const NoiseTarget target{.epsilon = 1, .delta = 1e-6, .sampling_rate = 1, .steps = 100};
  const double closed = GaussianNoiseMultiplier(1, 1e-6, 100).value();
  EXPECT_NEAR(CalibrateNoise(target, Accountant::kExact).value() / closed, 1, 1.1e-4);
  EXPECT_NEAR(CalibrateNoise(target, Accountant::kPld).value() / closed, 1, 2e-3);
  EXPECT_GT(CalibrateNoise(target, Accountant::kRdp).value(), closed);
}

TEST(CalibrateTest, WhatSamplingAloneKeepsNeedsAlmostNoNoise) {
  // One unit in a million takes part, once, and delta forgives a chance in a thousand.
  const NoiseTarget target{.epsilon = 1, .delta = 1e-3, .sampling_rate = 1e-6, .steps = 1};
  EXPECT_EQ(CalibrateNoise(target, Accountant::kPld).value(), 1e-3);
}

TEST(CalibrateTest, AccountantsHaveNames) {
  for (const Accountant accountant : kAll) EXPECT_EQ(ParseAccountant(ToString(accountant)).value(), accountant);
  EXPECT_EQ(ParseAccountant("zcdp").status().code(), StatusCode::kInvalidArgument);
}

TEST(CalibrateTest, RefusesNumbersOutOfRange) {
  const NoiseTarget good{.epsilon = 1, .delta = 1e-6, .sampling_rate = 0.1, .steps = 10};
  for (auto change :
       {+[](NoiseTarget& target) { target.epsilon = 0; }, +[](NoiseTarget& target) { target.epsilon = NAN; },
        +[](NoiseTarget& target) { target.delta = 0; }, +[](NoiseTarget& target) { target.delta = 1; },
        +[](NoiseTarget& target) { target.sampling_rate = 0; },
        +[](NoiseTarget& target) { target.sampling_rate = 1.5; }, +[](NoiseTarget& target) { target.steps = 0; }}) {
    NoiseTarget target = good;
    change(target);
    EXPECT_EQ(CalibrateNoise(target, Accountant::kRdp).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(CalibrateNoise(target, Accountant::kPld).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(CalibrateNoise(good, Accountant::kExact).status().code(), StatusCode::kInvalidArgument);
}

TEST(CalibrateTest, RefusesWhatNoNoiseCanKeep) {
  const NoiseTarget target{.epsilon = 1e-6, .delta = 1e-12, .sampling_rate = 1, .steps = 1'000'000};
  EXPECT_EQ(CalibrateNoise(target, Accountant::kExact).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle

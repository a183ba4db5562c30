// Laplace noise, sums of discrete Gaussians and samples of fixed size.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "privacy/accounting/discrete_sum.h"
#include "privacy/accounting/fixed_size.h"
#include "privacy/accounting/laplace.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

TEST(LaplaceTest, DivergenceGrowsToTheLargestLoss) {
  EXPECT_NEAR(RdpOfLaplace(2, 1 + 1e-9), 0.5 + std::expm1(-0.5), 1e-6);  // Kullback and Leibler's.
  EXPECT_LT(RdpOfLaplace(2, 10), RdpOfLaplace(2, 20));
  EXPECT_LT(RdpOfLaplace(2, 1e6), 0.5);
  EXPECT_NEAR(RdpOfLaplace(2, 1e6), 0.5, 1e-5);
  EXPECT_TRUE(std::isfinite(RdpOfLaplace(1e-3, 1024)));
}

RC_GTEST_PROP(LaplaceProperty, EpsilonAndDeltaAreInverseAndUnderRenyi, ()) {
  const double scale = *rc::gen::inRange(1, 400) * 0.05;
  const double delta = std::pow(10, -*rc::gen::inRange(2, 12));
  const double epsilon = LaplaceEpsilon(scale, delta).value();
  RC_PRE(epsilon > 0);
  RC_ASSERT(std::fabs(LaplaceDelta(epsilon, scale) - delta) < 1e-15);
  for (const double alpha : RdpOrders()) {
    RC_ASSERT(EpsilonAt(alpha, RdpOfLaplace(scale, alpha), delta) >= epsilon - 1e-12);
  }
}

TEST(LaplaceTest, RefusesNumbersOutOfRange) {
  EXPECT_EQ(LaplaceEpsilon(0, 1e-6).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(LaplaceEpsilon(1, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(LaplaceEpsilon(NAN, 0.1).status().code(), StatusCode::kInvalidArgument);
}

constexpr DiscreteGaussianSum kStores{.sigma = 6553.6, .addends = 100, .l2 = 65536, .dimension = 1 << 20};

TEST(DiscreteSumTest, TauVanishesForTheNoiseThatIsDrawn) {
  EXPECT_NEAR(TauOf(0.5, 2), 10 * std::exp(-2 * M_PI * M_PI * 0.25 / 2), 1e-12);
  EXPECT_EQ(TauOf(0.5, 1), 0);
  EXPECT_GT(TauOf(0.5, 3), TauOf(0.5, 2));
  EXPECT_LT(TauOf(2, 1'000'000), 1e-15);
  EXPECT_EQ(TauOf(9, 1'000'000), 0);
  EXPECT_TRUE(std::isfinite(TauOf(0.3, 4'000'000'000U)));
}

TEST(DiscreteSumTest, WithoutTauItIsOneGaussianOfAllTheNoise) {
  EXPECT_DOUBLE_EQ(RdpOfDiscreteGaussianSum(kStores, 6).value(), RdpOfSampledGaussian(1, 1, 6));
}

TEST(DiscreteSumTest, CoarseNoiseCostsMoreThanTheGaussian) {
  const DiscreteGaussianSum coarse{.sigma = 0.5, .addends = 10, .l2 = 2, .dimension = 100};
  EXPECT_GT(RdpOfDiscreteGaussianSum(coarse, 6).value(), RdpOfSampledGaussian(1, 0.5 * std::sqrt(10) / 2, 6));
}

TEST(DiscreteSumTest, SamplingCostsAtMostTheWholeAndAtLeastTheGaussians) {
  for (const double q : {0.001, 0.1, 0.9}) {
    for (const int alpha : {2, 3, 8, 64, 1024}) {
      const double sampled = RdpOfSampledDiscreteGaussianSum(q, kStores, alpha).value();
      EXPECT_LE(sampled, RdpOfDiscreteGaussianSum(kStores, alpha).value()) << q << " " << alpha;
      EXPECT_GE(sampled, RdpOfSampledGaussian(q, 1, alpha) * (1 - 1e-9)) << q << " " << alpha;
    }
  }
  EXPECT_EQ(RdpOfSampledDiscreteGaussianSum(1, kStores, 8).value(), RdpOfDiscreteGaussianSum(kStores, 8).value());
}

TEST(DiscreteSumTest, RefusesNumbersOutOfRange) {
  for (auto change :
       {+[](DiscreteGaussianSum& sum) { sum.sigma = 0; }, +[](DiscreteGaussianSum& sum) { sum.l2 = -1; },
        +[](DiscreteGaussianSum& sum) { sum.l2 = NAN; }, +[](DiscreteGaussianSum& sum) { sum.addends = 0; },
        +[](DiscreteGaussianSum& sum) { sum.dimension = 0; }}) {
    DiscreteGaussianSum sum = kStores;
    change(sum);
    EXPECT_EQ(RdpOfDiscreteGaussianSum(sum, 2).status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(RdpOfDiscreteGaussianSum(kStores, 1).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(RdpOfSampledDiscreteGaussianSum(0, kStores, 2).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(RdpOfSampledDiscreteGaussianSum(0.1, kStores, 1).status().code(), StatusCode::kInvalidArgument);
}

TEST(FixedSizeTest, CostsMoreThanPoissonSamplingAndMoreWithTheShare) {
  for (const double alpha : {2.0, 5.5, 32.0}) {
    const double small = RdpOfFixedSizeSample(0.01, 2, alpha).value();
    EXPECT_GT(small, RdpOfSampledGaussian(0.01, 2, alpha)) << alpha;
    EXPECT_GT(RdpOfFixedSizeSample(0.02, 2, alpha).value(), small) << alpha;
  }
}

TEST(FixedSizeTest, RefusesNumbersOutOfRange) {
  for (const auto& result : {RdpOfFixedSizeSample(0, 1, 2), RdpOfFixedSizeSample(0.1, 0.1, 2),
                             RdpOfFixedSizeSample(0.1, 1, 1.5), RdpOfFixedSizeSample(0.1, 1, NAN)}) {
    EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace aisle

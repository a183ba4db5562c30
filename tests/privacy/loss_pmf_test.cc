#include "privacy/accounting/loss_pmf.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <utility>

#include "privacy/accounting/pld_mechanism.h"

namespace aisle {
namespace {

// What an observer gains at `epsilon`, straight from the masses.
double DeltaOf(const LossPmf& pmf, double epsilon) {
  double delta = pmf.infinity;
  for (size_t i = 0; i < pmf.mass.size(); ++i) {
    const double loss = static_cast<double>(pmf.first + static_cast<int64_t>(i)) * pmf.mesh;
    if (loss > epsilon) delta += pmf.mass[i] * -std::expm1(epsilon - loss);
  }
  return delta;
}

double MassOf(const LossPmf& pmf) {
  double total = pmf.infinity;
  for (const double mass : pmf.mass) total += mass;
  return total;
}

// The share under Q that the masses imply.
double OtherMassOf(const LossPmf& pmf) {
  double total = 0;
  for (size_t i = 0; i < pmf.mass.size(); ++i) {
    total += pmf.mass[i] * std::exp(-static_cast<double>(pmf.first + static_cast<int64_t>(i)) * pmf.mesh);
  }
  return total;
}

double Above(double x) { return std::erfc(x / std::sqrt(2.0)) / 2; }

// delta(epsilon) of one sampled Gaussian in closed form: losses over epsilon are outputs over (or under) one point.
double SampledGaussianDelta(double q, double z, Adjacency adjacency, double epsilon) {
  if (adjacency == Adjacency::kRemove) {
    const double x = 0.5 + z * z * std::log1p(std::expm1(epsilon) / q);
    return (1 - q) * Above(x / z) + q * Above((x - 1) / z) - std::exp(epsilon) * Above(x / z);
  }
  const double ratio = std::expm1(-epsilon) / q;
  if (ratio <= -1) return 0;
  const double x = 0.5 + z * z * std::log1p(ratio);
  return Above(-x / z) - std::exp(epsilon) * ((1 - q) * Above(-x / z) + q * Above((1 - x) / z));
}

constexpr Truncation kTruncation{.above = 1e-14, .below = 1e-9};

RC_GTEST_PROP(LossPmfProperty, AnAtomKeepsItsMeasureUnderBothDistributions, ()) {
  const double mesh = *rc::gen::inRange(1, 1000) * 1e-4;
  const double loss = *rc::gen::inRange(-2000, 2000) * 1e-3;
  const auto reach = static_cast<int64_t>(3 / mesh);
  LossPmfBuilder builder(mesh, -reach, reach);
  builder.AddAtom(loss, 0.25);
  const LossPmf pmf = std::move(builder).Build();
  RC_ASSERT(pmf.mass.size() <= 2U);
  RC_ASSERT(std::fabs(MassOf(pmf) - 0.25) < 1e-15);
  RC_ASSERT(std::fabs(OtherMassOf(pmf) - 0.25 * std::exp(-loss)) < 1e-11);
}

TEST(LossPmfTest, WhatIsTooHighIsInfiniteAndWhatIsTooLowIsRaised) {
  LossPmfBuilder builder(0.5, -2, 2);
  builder.AddAtom(5, 0.1);
  builder.AddAtom(-5, 0.2);
  const LossPmf pmf = std::move(builder).Build();
  EXPECT_EQ(pmf.infinity, 0.1);
  EXPECT_EQ(pmf.first, -2);
  EXPECT_EQ(pmf.mass, std::vector<double>{0.2});
}

RC_GTEST_PROP(LossPmfProperty, SampledGaussianIsExactOnMeshPointsAndNeverUnder, ()) {
  const double q = *rc::gen::element(1e-6, 1e-3, 0.05, 0.5, 0.99);
  const double z = *rc::gen::element(0.3, 0.8, 2.0, 20.0);
  const double mesh = *rc::gen::element(1e-3, 1e-2, 0.1);
  const Adjacency adjacency = *rc::gen::element(Adjacency::kRemove, Adjacency::kAdd);
  const LossPmf pmf = Discretise(SampledGaussian{q, z}, adjacency, kTruncation, mesh);
  RC_ASSERT(std::fabs(MassOf(pmf) - 1) < 1e-12);
  RC_ASSERT(pmf.infinity <= kTruncation.above);
  for (int step = 0; step < 40; ++step) {
    const double on = step * mesh;
    const double exact = SampledGaussianDelta(q, z, adjacency, on);
    RC_ASSERT(std::fabs(DeltaOf(pmf, on) - exact) < 1e-12);
    const double between = on + mesh * 0.37;
    RC_ASSERT(DeltaOf(pmf, between) >= SampledGaussianDelta(q, z, adjacency, between) - 1e-13);
  }
}

RC_GTEST_PROP(LossPmfProperty, LaplaceIsExactOnMeshPointsAndNeverUnder, ()) {
  const double scale = *rc::gen::inRange(1, 400) * 0.05;
  const double mesh = *rc::gen::element(1e-3, 1e-2);
  const LossPmf pmf = Discretise(Laplace{scale}, Adjacency::kRemove, kTruncation, mesh);
  RC_ASSERT(std::fabs(MassOf(pmf) - 1) < 1e-12);
  const auto exact = [scale](double epsilon) { return std::max(0.0, -std::expm1((epsilon - 1 / scale) / 2)); };
  for (int step = 0; step < 40; ++step) {
    const double on = step * mesh;
    // The point beyond the largest loss carries its share, so that the last cell is a chord.
    if (on <= 1 / scale - mesh) RC_ASSERT(std::fabs(DeltaOf(pmf, on) - exact(on)) < 1e-12);
    RC_ASSERT(DeltaOf(pmf, on + mesh * 0.37) >= exact(on + mesh * 0.37) - 1e-13);
  }
}

TEST(LossPmfTest, DiscreteGaussianIsTheSumOverIntegers) {
  const double sigma = 2;
  const LossPmf pmf = Discretise(DiscreteGaussianCount{sigma, 1}, Adjacency::kRemove, kTruncation, 1e-3);
  const auto weight = [sigma](int x) { return std::exp(-x * x / (2 * sigma * sigma)); };
  double total = 0;
  for (int x = -60; x <= 60; ++x) total += weight(x);
  for (const double epsilon : {0.0, 0.5, 1.0, 2.0}) {
    double exact = 0;
    for (int x = -60; x <= 60; ++x) exact += std::max(0.0, weight(x) - std::exp(epsilon) * weight(x - 1)) / total;
    EXPECT_NEAR(DeltaOf(pmf, epsilon), exact, 1e-12) << epsilon;
  }
}

TEST(LossPmfTest, CumulantsAreThoseOfTheTiltedLoss) {
  const LossPmf pmf{.mesh = 0.5, .first = -1, .mass = {0.25, 0.25, 0.5}, .infinity = 0};
  const Cumulants still = CumulantsOf(pmf, 0);
  EXPECT_NEAR(still.value, 0, 1e-15);
  EXPECT_NEAR(still.mean, 0.125, 1e-15);
  EXPECT_NEAR(still.variance, 0.171875, 1e-15);
  const double t = 2;
  const double moment = 0.25 * std::exp(-1) + 0.25 + 0.5 * std::exp(1);
  EXPECT_NEAR(CumulantsOf(pmf, t).value, std::log(moment), 1e-14);
  EXPECT_NEAR(CumulantsOf(pmf, t).mean, (0.5 * 0.5 * std::exp(1) - 0.5 * 0.25 * std::exp(-1)) / moment, 1e-14);
}

}  // namespace
}  // namespace aisle

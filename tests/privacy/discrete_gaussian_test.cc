// Statistics of the exact sampler, with fixed seeds: each passes or fails for ever. The false-alarm rate stated is the
// chance that a correct sampler, on a seed not yet looked at, would fail; over this whole file it is under 10^-4.
#include "privacy/discrete_gaussian.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace aisle {
namespace {

std::vector<int64_t> Samples(int64_t sigma, size_t count, std::string_view purpose = "noise test") {
  AesCtrStream stream(SecretBytes(32), purpose);
  std::vector<int64_t> samples(count);
  DiscreteGaussian::Make(sigma)->Fill(stream, samples);
  return samples;
}

// Cumulative probabilities of the discrete Gaussian from far below up to x, summed from the definition.
class Distribution {
 public:
  explicit Distribution(int64_t sigma) : sigma_(static_cast<double>(sigma)), reach_(12 * sigma + 12) {
    double total = 0;
    for (int64_t x = -reach_; x <= reach_; ++x) {
      total += std::exp(-0.5 * std::pow(static_cast<double>(x) / sigma_, 2));
      below_.push_back(total);
    }
    for (double& value : below_) value /= total;
  }
  double AtMost(int64_t x) const {
    return below_[static_cast<size_t>(std::clamp<int64_t>(x, -reach_, reach_) + reach_)];
  }

 private:
  double sigma_;
  int64_t reach_;
  std::vector<double> below_;
};

// Pearson's statistic over bins of equal-as-can-be probability, as a normal deviate (Wilson, Hilferty 1931).
double ChiSquareDeviate(const std::vector<int64_t>& samples, const Distribution& distribution,
                        const std::vector<int64_t>& upper_edges) {
  std::vector<double> observed(upper_edges.size() + 1);
  for (const int64_t sample : samples) {
    ++observed[static_cast<size_t>(std::ranges::lower_bound(upper_edges, sample) - upper_edges.begin())];
  }
  double chi_square = 0;
  double below = 0;
  for (size_t bin = 0; bin < observed.size(); ++bin) {
    const double up_to = bin < upper_edges.size() ? distribution.AtMost(upper_edges[bin]) : 1.0;
    const double expected = (up_to - below) * static_cast<double>(samples.size());
    chi_square += (observed[bin] - expected) * (observed[bin] - expected) / expected;
    below = up_to;
  }
  const double freedom = static_cast<double>(observed.size() - 1);
  const double variance = 2 / (9 * freedom);
  return (std::cbrt(chi_square / freedom) - (1 - variance)) / std::sqrt(variance);
}

class DiscreteGaussianTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(DiscreteGaussianTest, FitsItsDistribution) {
  const int64_t sigma = GetParam();
  // Edges at about every quarter sigma within 3 sigma; every integer where sigma is small.
  std::vector<int64_t> edges;
  const int64_t step = std::max<int64_t>(1, sigma / 4);
  for (int64_t edge = -3 * sigma; edge <= 3 * sigma; edge += step) edges.push_back(edge);
  const double deviate = ChiSquareDeviate(Samples(sigma, 400'000), Distribution(sigma), edges);
  EXPECT_LT(deviate, 4.4);   // False alarms: 5e-6 each; a bias of 1 % in any common bin shows.
  EXPECT_GT(deviate, -4.4);  // Too good to be random.
}

TEST_P(DiscreteGaussianTest, HasMeanZeroAndItsVariance) {
  const int64_t sigma = GetParam();
  const std::vector<int64_t> samples = Samples(sigma, 400'000, "moments");
  const double count = static_cast<double>(samples.size());
  double sum = 0;
  double squares = 0;
  for (const int64_t sample : samples) {
    sum += static_cast<double>(sample);
    squares += static_cast<double>(sample) * static_cast<double>(sample);
  }
  const double variance = static_cast<double>(sigma) * static_cast<double>(sigma);
  EXPECT_LT(std::fabs(sum / count) / std::sqrt(variance / count), 4.5);  // 7e-6.
  EXPECT_LT(std::fabs(squares / count / variance - 1) / std::sqrt(2 / count), 4.5 + 0.1);
}

TEST_P(DiscreteGaussianTest, NeighboursAreUncorrelated) {
  const int64_t sigma = GetParam();
  const std::vector<int64_t> samples = Samples(sigma, 400'000, "lag");
  double products = 0;
  for (size_t i = 1; i < samples.size(); ++i) {
    products += static_cast<double>(samples[i - 1]) * static_cast<double>(samples[i]);
  }
  const double variance = static_cast<double>(sigma) * static_cast<double>(sigma);
  EXPECT_LT(std::fabs(products) / (variance * std::sqrt(static_cast<double>(samples.size()))), 4.5);  // 7e-6.
}

INSTANTIATE_TEST_SUITE_P(Sigma, DiscreteGaussianTest, ::testing::Values(1, 2, 3, 7, 100, 4099, 65536, 1 << 20),
                         ::testing::PrintToStringParamName());

TEST(DiscreteGaussianTailTest, TailsAreNeitherCutNorFat) {
  // Beyond 4 sigma: 2 million samples at sigma = 2 should hold as many as the definition says, within 4.5 deviations.
  const Distribution distribution(2);
  const std::vector<int64_t> samples = Samples(2, 2'000'000, "tails");
  const double expected = 2 * distribution.AtMost(-8) * 2e6;
  const auto seen = static_cast<double>(std::ranges::count_if(samples, [](int64_t x) { return x <= -8 || x >= 8; }));
  EXPECT_GT(expected, 100);
  EXPECT_LT(std::fabs(seen - expected), 4.5 * std::sqrt(expected));  // 7e-6.
}

TEST(DiscreteGaussianTailTest, LowBitsAreAsRandomAsTheRest) {
  // At a large sigma the value modulo 16 is uniform to within exp(-2 pi^2 (sigma / 16)^2), which is nothing.
  std::map<int64_t, double> residues;
  for (const int64_t sample : Samples(65536, 400'000, "bits")) ++residues[sample & 15];
  double chi_square = 0;
  for (const auto& [residue, seen] : residues) chi_square += (seen - 25'000) * (seen - 25'000) / 25'000;
  EXPECT_EQ(residues.size(), 16U);
  EXPECT_LT(chi_square, 50);  // 15 degrees of freedom: 1.2e-5.
}

TEST(DiscreteGaussianTailTest, KeepsItsSignFair) {
  const std::vector<int64_t> samples = Samples(100, 400'000, "signs");
  const auto positive = static_cast<double>(std::ranges::count_if(samples, [](int64_t x) { return x > 0; }));
  const auto negative = static_cast<double>(std::ranges::count_if(samples, [](int64_t x) { return x < 0; }));
  EXPECT_LT(std::fabs(positive - negative), 4.5 * std::sqrt(positive + negative));  // 7e-6.
}

TEST(DiscreteGaussianDrawTest, TheSameStreamGivesTheSameNoise) {
  EXPECT_EQ(Samples(1000, 100), Samples(1000, 100));
  EXPECT_NE(Samples(1000, 100), Samples(1000, 100, "another purpose"));
}

TEST(DiscreteGaussianDrawTest, TakesEveryAllowedSigma) {
  for (const int64_t sigma : {int64_t{1}, DiscreteGaussian::kSigmaMax}) {
    const std::vector<int64_t> samples = Samples(sigma, 1000);
    EXPECT_LT(*std::ranges::max_element(samples), 8 * sigma);
    EXPECT_GT(*std::ranges::min_element(samples), -8 * sigma);
    EXPECT_NE(samples.front(), samples.back());
  }
}

TEST(DiscreteGaussianDrawTest, RefusesOtherSigmas) {
  for (const int64_t sigma : {int64_t{0}, int64_t{-5}, DiscreteGaussian::kSigmaMax + 1}) {
    EXPECT_EQ(DiscreteGaussian::Make(sigma).status().code(), StatusCode::kInvalidArgument);
  }
}

// A source of one repeated word drives the sampler into its ties and corners; it must neither hang nor overflow. Words
// that are all ones end every chain of algorithm 1 at once, so all samples are drawn.
class ConstantSource final : public RandomSource {
 public:
  explicit ConstantSource(uint8_t byte) : byte_(byte) {}
  void Fill(std::span<uint8_t> bytes) override { std::ranges::fill(bytes, byte_); }

 private:
  uint8_t byte_;
};

TEST(DiscreteGaussianDrawTest, EndsOnADegenerateSource) {
  ConstantSource ones(0xff);
  std::vector<int64_t> samples(10);
  DiscreteGaussian::Make(65536)->Fill(ones, samples);
  EXPECT_THAT(samples, ::testing::Each(-65535));
}

}  // namespace
}  // namespace aisle

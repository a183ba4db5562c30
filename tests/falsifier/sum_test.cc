// Attacks on the clipped sum: neighbours that differ in one customer must give sums at most Delta apart, exactly,
// whatever that customer's vector is. No statistics are needed here: one counterexample would be a refutation.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "aggregation/norm.h"
#include "tests/falsifier/mechanism.h"

namespace aisle {
namespace {

struct Unit {
  std::vector<float> vector;
  std::vector<double> metrics;
  double norm = 0;  // As its caller claims.
};

Unit RandomUnit(const Grid& grid, double norm, RandomSource& random) {
  Unit unit;
  unit.vector.resize(grid.shape.parameter_count());
  for (float& value : unit.vector) value = static_cast<float>(random.Fraction() - 0.5);
  const double now = std::max(L2Norm(unit.vector), 1e-30);
  for (float& value : unit.vector) value = static_cast<float>(value * norm / now);
  unit.norm = L2Norm(unit.vector);
  for (size_t j = 0; j < grid.shape.metric_count(); ++j) unit.metrics.push_back(random.Fraction() * 4 - 2);
  return unit;
}

std::vector<int32_t> SumOf(const Grid& grid, std::span<const Unit> units) {
  UnitSum sum(grid.shape, grid.quantizer);
  for (const Unit& unit : units) EXPECT_TRUE(sum.Add(unit.vector, unit.norm, unit.metrics).ok());
  const auto taken = sum.Take();
  return {taken.Reveal().begin(), taken.Reveal().end()};
}

// With `target` after `others`, and without.
bool MovesAtMostDelta(const Grid& grid, std::vector<Unit> others, Unit target) {
  const std::vector<int32_t> without = SumOf(grid, others);
  others.push_back(std::move(target));
  return AreWithinDelta(SumOf(grid, others), without, grid.quantizer.scale());
}

std::vector<Unit> Others(const Grid& grid, size_t count, RandomSource& random) {
  std::vector<Unit> others;
  for (size_t i = 0; i < count; ++i) others.push_back(RandomUnit(grid, 3 * random.Fraction(), random));
  return others;
}

TEST(SumTest, NoNormMovesTheSumFurtherThanDelta) {
  AesCtrStream random = Stream(1, "norms");
  for (int trial = 0; trial < 3'000; ++trial) {
    const Grid grid = MakeGrid(1 + random.Below(120), {1.0, 50.0});
    // Around the clip, to the last bit; and anything between nothing and what a float holds.
    const double norm = trial % 2 == 0 ? grid.shape.parameter_clip() * (1 + 1e-7 * (random.Fraction() - 0.5))
                                       : std::exp(170 * (random.Fraction() - 0.5));
    ASSERT_TRUE(MovesAtMostDelta(grid, Others(grid, 3, random), RandomUnit(grid, norm, random))) << trial;
  }
}

TEST(SumTest, NoClaimedNormMovesTheSumFurtherThanDelta) {
  AesCtrStream random = Stream(2, "claimed");
  const Grid grid = MakeGrid(50);
  for (int trial = 0; trial < 1'000; ++trial) {
    Unit target = RandomUnit(grid, std::exp(30 * (random.Fraction() - 0.5)), random);
    target.norm = trial % 3 == 0 ? 0 : std::exp(30 * (random.Fraction() - 0.5));
    ASSERT_TRUE(MovesAtMostDelta(grid, Others(grid, 2, random), std::move(target))) << trial;
  }
}

// Every value that arithmetic trips over, alone and among good ones, with a norm that tells and with one that doesn't.
TEST(SumTest, NoOddNumberMovesTheSumFurtherThanDelta) {
  AesCtrStream random = Stream(3, "odd");
  const Grid grid = MakeGrid(20, {1.0});
  using Float = std::numeric_limits<float>;
  for (const float odd : {Float::quiet_NaN(), Float::infinity(), -Float::infinity(), Float::max(), -Float::max(),
                          Float::denorm_min(), Float::min(), 0.0F, -0.0F}) {
    for (const bool alone : {true, false}) {
      for (const bool norm_tells : {true, false}) {
        Unit target = RandomUnit(grid, alone ? 0 : 0.9, random);
        target.vector[7] = odd;
        target.norm = norm_tells ? L2Norm(target.vector) : 0.5;
        for (const double metric : {0.0, std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300}) {
          target.metrics = {metric};
          EXPECT_TRUE(MovesAtMostDelta(grid, Others(grid, 4, random), target)) << odd << ", metric " << metric;
        }
      }
    }
  }
}

// Every attempt is a few steps uphill from the worst found so far: an adversary who knows the code.
TEST(SumTest, ASearchUphillFindsNothingOverDelta) {
  AesCtrStream random = Stream(4, "uphill");
  const Grid grid = MakeGrid(12);
  Unit worst = RandomUnit(grid, 1, random);
  double farthest = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    Unit tried = worst;
    for (int change = 0; change < 3; ++change) {
      tried.vector[random.Below(12)] *= static_cast<float>(1 + 1e-4 * (random.Fraction() - 0.5));
    }
    tried.norm = L2Norm(tried.vector);
    const std::vector<int32_t> sum = SumOf(grid, std::array{tried});
    ASSERT_TRUE(AreWithinDelta(sum, std::vector<int32_t>(12), grid.quantizer.scale()));
    double squares = 0;
    for (const int32_t value : sum) squares += static_cast<double>(value) * value;
    if (squares < farthest) continue;
    farthest = squares;
    worst = std::move(tried);
  }
  EXPECT_GT(std::sqrt(farthest), 0.9999 * grid.delta());  // The climb did get to the top.
}

// The finer grid, summed before it is truncated: others' totals at the worst place, just where the next step begins.
TEST(SumTest, FineTotalsMoveByAtMostDeltaWhereverTheyStand) {
  AesCtrStream random = Stream(5, "fine");
  for (const size_t length : {1U, 10U, 1000U, 20'000U}) {
    const Grid grid = MakeGrid(length, {1.0});
    const int64_t fine_step = int64_t{1} << UnitSum(grid.shape, grid.quantizer).fine_bits();
    for (const int64_t offset : {int64_t{0}, int64_t{1}, fine_step / 2, fine_step - 1}) {
      for (const int64_t sign : {1, -1}) {
        UnitSum without(grid.shape, grid.quantizer);
        UnitSum with(grid.shape, grid.quantizer);
        std::vector<int64_t> totals(length);
        for (int64_t& total : totals) total = sign * (fine_step * static_cast<int64_t>(random.Below(1000)) + offset);
        without.AddFineTotals(0, totals);
        const double each = std::floor(with.fine_norm_max() / std::sqrt(static_cast<double>(length)));
        for (int64_t& total : totals) total += sign * static_cast<int64_t>(each);
        with.AddFineTotals(0, totals);
        EXPECT_TRUE(with.AddMetrics(std::array{1e9}).ok());
        EXPECT_TRUE(AreWithinDelta(with.Take().Reveal(), without.Take().Reveal(), grid.quantizer.scale()))
            << length << ", " << offset;
      }
    }
  }
}

// The sum is nothing but a sum: of any units, it is the sum of each one's own. So nothing in it depends on how many
// there are: no mean over the realised count, no cap, no normalisation over the batch.
TEST(SumTest, IsTheSumOfEachUnitsOwn) {
  AesCtrStream random = Stream(6, "linear");
  const Grid grid = MakeGrid(40, {1.0, 2.0});
  const std::vector<Unit> units = Others(grid, 100, random);
  std::vector<int32_t> expected(grid.shape.length());
  for (const Unit& unit : units) {
    const std::vector<int32_t> own = SumOf(grid, std::array{unit});
    for (size_t i = 0; i < own.size(); ++i) expected[i] += own[i];
  }
  EXPECT_EQ(SumOf(grid, units), expected);
}

}  // namespace
}  // namespace aisle

// Gradients as exact integers, tried as an attacker would: whatever the numbers are, what is accepted is within the
// bound, counted in whole numbers.
#include "store-agent/worker/customers/fine_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace aisle {
namespace {

__extension__ using Wide = __int128;

AesCtrStream Stream(uint8_t seed) { return {SecretBytes::CopyOf(std::string(32, static_cast<char>(seed))), "test"}; }

// Owns the numbers of one customer with one weight, one table and a rest.
struct Customer {
  size_t inputs;
  size_t outputs;
  std::vector<float> x;
  std::vector<float> g;
  std::vector<int64_t> ids;
  std::vector<float> table_g;
  std::vector<float> rest;
  std::vector<int16_t> fine_x = std::vector<int16_t>(x.size());
  std::vector<int16_t> fine_g = std::vector<int16_t>(g.size());
  std::vector<int32_t> fine_table = std::vector<int32_t>(table_g.size());
  std::vector<int32_t> fine_rest = std::vector<int32_t>(rest.size());
  std::vector<int32_t> loads = std::vector<int32_t>(x.size());

  UnitRows Rows() {
    FactorRows weight;
    weight.inputs = inputs;
    weight.outputs = outputs;
    weight.fine_x = fine_x.data();
    weight.fine_g = fine_g.data();
    weight.loads = loads.data();
    for (size_t r = 0; r * inputs < x.size(); ++r) {
      weight.x.push_back(x.data() + r * inputs);
      weight.g.push_back(g.data() + r * outputs);
    }
    FactorRows table;
    table.outputs = outputs;
    table.ids = ids;
    table.fine_table = fine_table.data();
    for (size_t r = 0; r < ids.size(); ++r) table.g.push_back(table_g.data() + r * outputs);
    return {.factors = {weight, table}, .rest = rest, .fine_rest = fine_rest};
  }

  // The integers written out: every coordinate of the weight, the table and the rest.
  std::vector<Wide> WrittenOut() const {
    std::vector<Wide> all(inputs * outputs + 8 * outputs);
    for (size_t r = 0; r * inputs < x.size(); ++r) {
      for (size_t o = 0; o < outputs; ++o) {
        for (size_t i = 0; i < inputs; ++i) {
          all[o * inputs + i] += static_cast<Wide>(fine_g[r * outputs + o]) * static_cast<Wide>(fine_x[r * inputs + i]);
        }
      }
    }
    for (size_t r = 0; r < ids.size(); ++r) {
      for (size_t o = 0; o < outputs; ++o) {
        all[inputs * outputs + static_cast<size_t>(ids[r]) * outputs + o] +=
            static_cast<Wide>(fine_table[r * outputs + o]);
      }
    }
    for (const int32_t value : fine_rest) all.push_back(static_cast<Wide>(value));
    return all;
  }
  std::vector<double> Real() const {
    std::vector<double> all(inputs * outputs + 8 * outputs);
    for (size_t r = 0; r * inputs < x.size(); ++r) {
      for (size_t o = 0; o < outputs; ++o) {
        for (size_t i = 0; i < inputs; ++i) {
          all[o * inputs + i] += static_cast<double>(g[r * outputs + o]) * static_cast<double>(x[r * inputs + i]);
        }
      }
    }
    for (size_t r = 0; r < ids.size(); ++r) {
      for (size_t o = 0; o < outputs; ++o) {
        all[inputs * outputs + static_cast<size_t>(ids[r]) * outputs + o] +=
            static_cast<double>(table_g[r * outputs + o]);
      }
    }
    for (const float value : rest) all.push_back(static_cast<double>(value));
    return all;
  }
};

double Norm(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

Wide Squares(const std::vector<Wide>& values) {
  Wide squares = 0;
  for (const Wide value : values) squares += value * value;
  return squares;
}

std::vector<float> Draw(size_t count, double size, RandomSource& random) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>((random.Fraction() - 0.5) * size);
  return values;
}

Customer DrawCustomer(RandomSource& random, double size) {
  const size_t inputs = 1 + random.Below(40);
  const size_t outputs = 1 + random.Below(40);
  const size_t rows = random.Below(6);
  const size_t table_rows = random.Below(6);
  std::vector<int64_t> ids(table_rows);
  for (int64_t& id : ids) id = static_cast<int64_t>(random.Below(8));
  return {.inputs = inputs,
          .outputs = outputs,
          .x = Draw(rows * inputs, 2, random),
          .g = Draw(rows * outputs, size, random),
          .ids = std::move(ids),
          .table_g = Draw(table_rows * outputs, size, random),
          .rest = Draw(random.Below(30), size, random)};
}

constexpr double kNormMax = kFineNormMax;

// No row adds more to a coordinate than its load, and no load is over 2^30: sums in 32 bits rest on it.
bool LoadsHold(const Customer& customer) {
  for (size_t r = 0; r * customer.inputs < customer.x.size(); ++r) {
    for (size_t o = 0; o < customer.outputs; ++o) {
      for (size_t i = 0; i < customer.inputs; ++i) {
        const int32_t product = customer.fine_g[r * customer.outputs + o] * customer.fine_x[r * customer.inputs + i];
        if (std::abs(product) > customer.loads[r]) return false;
      }
    }
    if (customer.loads[r] > 1 << 30) return false;
  }
  return true;
}

RC_GTEST_PROP(FineRowsProperty, WhatIsAcceptedIsWithinTheBoundInWholeNumbers, (uint8_t seed)) {
  AesCtrStream random = Stream(seed);
  Customer customer = DrawCustomer(random, std::exp(40 * (random.Fraction() - 0.5)));
  const UnitRows rows = customer.Rows();
  const double norm = NormOf(rows);
  RC_ASSERT(std::abs(norm - Norm(customer.Real())) <= 1e-5 * norm);
  if (norm == 0) return;
  // Right at the bound, a little under it, and far over it.
  for (const double target : {kNormMax, kNormMax * (1 - 0x1p-10), kNormMax * 3, 1.0}) {
    const bool accepted = MakeFine(rows, -target / norm, kNormMax);
    const Wide squares = Squares(customer.WrittenOut());
    if (accepted) {
      RC_ASSERT(squares <= static_cast<Wide>(kNormMax) * static_cast<Wide>(kNormMax));
      RC_ASSERT(LoadsHold(customer));
    }
    RC_ASSERT(accepted || target >= kNormMax);
    RC_ASSERT(!accepted || target <= kNormMax);
  }
}

TEST(FineRowsTest, TheIntegersAreTheScaledGradient) {
  AesCtrStream random = Stream(3);
  for (int trial = 0; trial < 50; ++trial) {
    Customer customer = DrawCustomer(random, 2);
    const UnitRows rows = customer.Rows();
    const double norm = NormOf(rows);
    if (norm == 0) continue;
    const double scale = kNormMax / 2 / norm;
    ASSERT_TRUE(MakeFine(rows, scale, kNormMax));
    const std::vector<Wide> found = customer.WrittenOut();
    std::vector<double> error = customer.Real();
    for (size_t i = 0; i < error.size(); ++i) error[i] = error[i] * scale - static_cast<double>(found[i]);
    EXPECT_LE(Norm(error), 2e-3 * kNormMax / 2) << trial;
  }
}

// Rows that are huge but take each other away: their sum is small, what is added up on the way isn't.
TEST(FineRowsTest, RowsThatCancelCannotHideALoad) {
  AesCtrStream random = Stream(4);
  for (const double size : {1.0, 1e4, 1e9}) {
    const std::vector<float> x = Draw(10, 1, random);
    const std::vector<float> g = Draw(10, size, random);
    Customer customer{.inputs = 10, .outputs = 10, .x = x, .g = g, .ids = {}, .table_g = {}, .rest = {1.0F}};
    customer.x.insert(customer.x.end(), x.begin(), x.end());
    for (const float value : g) customer.g.push_back(-value);
    customer.fine_x.resize(20);
    customer.fine_g.resize(20);
    customer.loads.resize(2);
    const bool accepted = MakeFine(customer.Rows(), 0x1p24, kNormMax);
    EXPECT_EQ(accepted, size < 1e3) << size;
    if (accepted) {
      EXPECT_TRUE(LoadsHold(customer));
      EXPECT_GT(customer.loads[0], 1 << 16);
    }
  }
}

TEST(FineRowsTest, WhatIsNotANumberIsNeverAccepted) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    for (size_t where = 0; where < 4; ++where) {
      Customer customer{
          .inputs = 2, .outputs = 1, .x = {1, 2}, .g = {1}, .ids = {5}, .table_g = {1}, .rest = {1, 2, 3}};
      (where == 0 ? customer.x : where == 1 ? customer.g : where == 2 ? customer.table_g : customer.rest)[0] = bad;
      EXPECT_FALSE(std::isfinite(NormOf(customer.Rows()))) << where;
      EXPECT_FALSE(MakeFine(customer.Rows(), 1000, kNormMax)) << where;
    }
  }
}

TEST(FineRowsTest, TheSmallestAndTheLargestFloatsAreScaledToo) {
  for (const float size : {std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max()}) {
    Customer customer{
        .inputs = 2, .outputs = 2, .x = {size, -size}, .g = {size, size}, .ids = {}, .table_g = {}, .rest = {}};
    const double norm = NormOf(customer.Rows());
    ASSERT_TRUE(std::isfinite(norm));
    ASSERT_GT(norm, 0);
    ASSERT_TRUE(MakeFine(customer.Rows(), 0x1p20 / norm, kNormMax));
    EXPECT_NEAR(std::sqrt(static_cast<double>(Squares(customer.WrittenOut()))), 0x1p20, 0x1p12);
  }
}

TEST(FineRowsTest, ZeroTimesAnythingIsZero) {
  Customer customer{.inputs = 2, .outputs = 1, .x = {0, 0}, .g = {1e30F}, .ids = {}, .table_g = {}, .rest = {4}};
  EXPECT_EQ(NormOf(customer.Rows()), 4);
  ASSERT_TRUE(MakeFine(customer.Rows(), 10, kNormMax));
  EXPECT_EQ(Squares(customer.WrittenOut()), 1600);
}

TEST(FineRowsTest, NoRoomAcceptsNobody) {
  Customer customer{.inputs = 1, .outputs = 1, .x = {}, .g = {}, .ids = {}, .table_g = {}, .rest = {0.0F}};
  EXPECT_FALSE(MakeFine(customer.Rows(), 1, 0));
}

}  // namespace
}  // namespace aisle

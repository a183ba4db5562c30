#include "privacy/secagg/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/digest.h"

namespace aisle::secagg {

void PrintTo(const SumParameters& parameters, std::ostream* out) {
  *out << "(" << parameters.degree << ", " << parameters.threshold << ")";
}

namespace {

using ::testing::HasSubstr;

constexpr auto kMalicious = AdversaryRule::kMalicious;
constexpr auto kSemiHonest = AdversaryRule::kSemiHonest;

struct Row {
  uint32_t cohort_size;
  double corrupt_share;
  double dropout_share;
  AdversaryRule rule;
  SumParameters expected;
};

class ParametersTest : public ::testing::TestWithParam<Row> {};

TEST_P(ParametersTest, AreThoseOfTheReference) {
  const Row& row = GetParam();
  EXPECT_EQ(FindParameters(row.cohort_size, {row.corrupt_share, row.dropout_share, row.rule}).value(), row.expected);
}

// As the parameter finder of Google's federated-compute gives them.
INSTANTIATE_TEST_SUITE_P(
    Published, ParametersTest,
    ::testing::Values(Row{100, 0.05, 0.10, kMalicious, {26, 16}}, Row{300, 0.05, 0.10, kMalicious, {52, 34}},
                      Row{1000, 0.05, 0.10, kMalicious, {78, 52}}, Row{10000, 0.05, 0.10, kMalicious, {96, 64}},
                      Row{100, 0.05, 0.10, kSemiHonest, {16, 6}}, Row{300, 0.05, 0.10, kSemiHonest, {28, 14}},
                      Row{1000, 0.05, 0.10, kSemiHonest, {36, 19}}, Row{10000, 0.05, 0.10, kSemiHonest, {42, 22}},
                      // Where half of all are bad.
                      Row{100, 0.45, 0.45, kSemiHonest, {92, 46}}, Row{100, 0.33, 0.33, kSemiHonest, {68, 34}},
                      Row{100, 0.30, 0.30, kMalicious, {92, 62}}, Row{1000, 0.30, 0.30, kMalicious, {872, 584}}));

// By a program of its own in exact fractions.
INSTANTIATE_TEST_SUITE_P(
    Exact, ParametersTest,
    ::testing::Values(Row{33, 0.05, 0.1, kMalicious, {10, 7}}, Row{33, 0.05, 0.1, kSemiHonest, {6, 3}},
                      Row{128, 0.05, 0.1, kMalicious, {30, 19}}, Row{128, 0.05, 0.1, kSemiHonest, {18, 8}},
                      Row{1024, 0.05, 0.1, kMalicious, {78, 52}}, Row{1024, 0.05, 0.1, kSemiHonest, {36, 19}},
                      Row{5000, 0.05, 0.1, kMalicious, {92, 61}}, Row{5000, 0.05, 0.1, kSemiHonest, {40, 21}},
                      Row{33, 0.01, 0.05, kMalicious, {4, 3}}, Row{33, 0.01, 0.05, kSemiHonest, {4, 2}},
                      Row{128, 0.01, 0.05, kMalicious, {16, 10}}, Row{128, 0.01, 0.05, kSemiHonest, {10, 3}},
                      Row{1024, 0.01, 0.05, kMalicious, {38, 25}}, Row{1024, 0.01, 0.05, kSemiHonest, {20, 10}},
                      Row{5000, 0.01, 0.05, kMalicious, {44, 29}}, Row{5000, 0.01, 0.05, kSemiHonest, {22, 11}},
                      Row{33, 0.1, 0.2, kMalicious, {18, 12}}, Row{33, 0.1, 0.2, kSemiHonest, {12, 5}},
                      Row{128, 0.1, 0.2, kMalicious, {62, 38}}, Row{128, 0.1, 0.2, kSemiHonest, {32, 14}},
                      Row{1024, 0.1, 0.2, kMalicious, {194, 124}}, Row{1024, 0.1, 0.2, kSemiHonest, {64, 31}},
                      Row{5000, 0.1, 0.2, kMalicious, {260, 166}}, Row{5000, 0.1, 0.2, kSemiHonest, {76, 36}},
                      Row{33, 0.2, 0.05, kMalicious, {10, 9}}, Row{33, 0.2, 0.05, kSemiHonest, {10, 8}},
                      Row{128, 0.2, 0.05, kMalicious, {38, 32}}, Row{128, 0.2, 0.05, kSemiHonest, {28, 22}},
                      Row{1024, 0.2, 0.05, kMalicious, {90, 71}}, Row{1024, 0.2, 0.05, kSemiHonest, {52, 37}},
                      Row{5000, 0.2, 0.05, kMalicious, {110, 86}}, Row{5000, 0.2, 0.05, kSemiHonest, {58, 41}},
                      Row{33, 0.333333, 0.1, kMalicious, {18, 15}}, Row{33, 0.333333, 0.1, kSemiHonest, {16, 12}},
                      Row{128, 0.333333, 0.1, kMalicious, {66, 54}}, Row{128, 0.333333, 0.1, kSemiHonest, {50, 38}},
                      Row{1024, 0.333333, 0.1, kMalicious, {222, 174}},
                      Row{1024, 0.333333, 0.1, kSemiHonest, {106, 75}},
                      Row{5000, 0.333333, 0.1, kMalicious, {294, 230}},
                      Row{5000, 0.333333, 0.1, kSemiHonest, {124, 87}}));

// Every cohort from 3 to 2,000 stores, from the same program: the SHA-256 of its lines "size degree threshold".
TEST(ParametersTest, AreExactForEveryCohortSize) {
  for (const auto& [rule, expected] :
       {std::pair{kMalicious, "c40d6d2e18797cf83b1a618c87abd50bf82a924488205d6da786fbd1878c2a3b"},
        std::pair{kSemiHonest, "cf87ce595782781071c7e831b3b5b8b8785d58ad3f6f0baade1fc887a6ec50d7"}}) {
    Sha256 hash;
    for (uint32_t size = 3; size <= 2000; ++size) {
      const SumParameters parameters = FindParameters(size, {.rule = rule}).value_or(SumParameters{});
      hash.Update(fmt::format("{} {} {}\n", size, parameters.degree, parameters.threshold));
    }
    EXPECT_EQ(hash.Finish().Hex(), expected);
  }
}

// Few stores: everybody is everybody's neighbour, and c colluders protect nothing whatever the order on the ring.
TEST(ParametersTest, SmallCohortsUseTheCompleteGraph) {
  for (uint32_t size = 3; size <= kCompleteGraphMax; ++size) {
    const uint32_t neighbours = size - 1;
    const uint32_t colluders = size <= 20 ? 1 : 2;  // 5 %, rounded up.
    const SumParameters malicious = FindParameters(size, {.rule = kMalicious}).value();
    EXPECT_EQ(malicious.degree, neighbours);
    EXPECT_GT(2 * malicious.threshold, neighbours + colluders);
    EXPECT_LE(2 * (malicious.threshold - 1), neighbours + colluders) << "the smallest";
    EXPECT_LE(malicious.threshold + size / 10, neighbours) << "a tenth may drop out";
    const SumParameters semi_honest = FindParameters(size, {.rule = kSemiHonest}).value();
    EXPECT_EQ(semi_honest, (SumParameters{neighbours, colluders + 1}));
  }
}

TEST(ParametersTest, TheSmallestCohortHasThreeStores) {
  EXPECT_EQ(FindParameters(3, {}).value(), (SumParameters{2, 2}));
  EXPECT_EQ(FindParameters(4, {}).value(), (SumParameters{3, 3}));
  for (const uint32_t size : {0u, 1u, 2u}) {
    const Status refused = FindParameters(size, {}).status();
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("at least 3"));
  }
}

TEST(ParametersTest, ThirtyThreeStoresNeedNotKnowEachOther) {
  EXPECT_EQ(FindParameters(32, {}).value(), (SumParameters{31, 17}));
  EXPECT_EQ(FindParameters(33, {}).value(), (SumParameters{10, 7}));
}

// Where no sparse graph will do, the complete one may.
TEST(ParametersTest, FallBackToTheCompleteGraph) {
  const SumParameters parameters = FindParameters(33, {.corrupt_share = 0.1, .dropout_share = 0.4}).value();
  EXPECT_EQ(parameters, (SumParameters{32, 19}));
}

TEST(ParametersTest, SaySoWhenTooManyAreAssumedBad) {
  for (const uint32_t size : {10u, 33u, 100u, 5000u}) {
    for (const AdversaryRule rule : {kMalicious, kSemiHonest}) {
      const Status refused = FindParameters(size, {.corrupt_share = 0.5, .dropout_share = 0.6, .rule = rule}).status();
      EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << size;
      EXPECT_THAT(std::string(MessageOf(refused)),
                  HasSubstr(fmt::format("{} stores of which {}", size, (size + 1) / 2)));
    }
  }
}

TEST(ParametersTest, RefuseWhatIsNoShareAndCohortsPastTheLimit) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double wrong : {-0.01, 1.0, 2.0, kNan}) {
    EXPECT_EQ(FindParameters(100, {.corrupt_share = wrong}).status().code(), StatusCode::kInvalidArgument) << wrong;
    EXPECT_EQ(FindParameters(100, {.dropout_share = wrong}).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
  EXPECT_TRUE(FindParameters(kCohortSizeMax, {}).ok());
  EXPECT_EQ(FindParameters(kCohortSizeMax + 1, {}).status().code(), StatusCode::kInvalidArgument);
}

// A share that went through other arithmetic on its way here means the same.
TEST(ParametersTest, DontHangOnTheLastBitOfAShare) {
  for (const uint32_t size : {20u, 100u, 300u, 1000u}) {
    const SumParameters expected = FindParameters(size, {}).value();
    for (const double nudge : {-1e-12, 1e-12}) {
      EXPECT_EQ(FindParameters(size, {.corrupt_share = 0.05 + nudge, .dropout_share = 0.1 + nudge}).value(), expected);
    }
  }
}

// The promises, computed another way: logarithms of factorials in extended doubles.
long double LogChoose(uint32_t n, uint32_t k) {
  return std::lgamma(n + 1.0L) - std::lgamma(k + 1.0L) - std::lgamma(static_cast<long double>(n - k) + 1.0L);
}

// log2 of the expected number of stores with at least `least` of `marked` others among their `degree` neighbours.
long double Log2OfTail(uint32_t stores, uint32_t marked, uint32_t degree, uint32_t least) {
  long double sum = 0;
  for (uint32_t count = least; count <= std::min(marked, degree); ++count) {
    if (degree - count > stores - 1 - marked) continue;
    sum += std::exp(LogChoose(marked, count) + LogChoose(stores - 1 - marked, degree - count) -
                    LogChoose(stores - 1, degree));
  }
  return std::log2(sum * stores);
}

RC_GTEST_PROP(ParametersTest, KeepTheirPromises, ()) {
  const auto stores = *rc::gen::inRange<uint32_t>(33, 3000);
  const SumAssumptions assumptions = {.corrupt_share = *rc::gen::inRange(0, 30) / 100.0,
                                      .dropout_share = *rc::gen::inRange(0, 30) / 100.0,
                                      .rule = *rc::gen::element(kMalicious, kSemiHonest)};
  const auto colluders = std::max(1u, static_cast<uint32_t>(std::ceil(assumptions.corrupt_share * stores - 1e-9)));
  const auto dropouts = static_cast<uint32_t>(std::floor(assumptions.dropout_share * stores + 1e-9));
  const StatusOr<SumParameters> found = FindParameters(stores, assumptions);
  RC_PRE(found.ok() && found->degree < stores - 1);
  const auto [degree, threshold] = *found;
  RC_ASSERT(degree % 2 == 0 && threshold >= 2 && threshold <= degree);
  // Colluders enough to break a store: x >= threshold, or 2 * threshold <= degree + x.
  const uint32_t breaking = assumptions.rule == kSemiHonest ? threshold : 2 * threshold - degree;
  RC_ASSERT(Log2OfTail(stores, colluders, degree, breaking) <= -41 + 1e-6L);
  RC_ASSERT(Log2OfTail(stores, dropouts, degree, degree - threshold + 1) <= -20 + 1e-6L);
  const uint32_t bad = colluders + dropouts;
  if (degree <= bad) {
    const long double pairs = stores * static_cast<long double>(stores - degree - 1) / 2;
    RC_ASSERT(std::log2(pairs) + (LogChoose(bad, degree) - LogChoose(stores, degree)) / std::log(2.0L) <= -41 + 1e-6L);
  }
}

RC_GTEST_PROP(ParametersTest, MoreDangerNeverNeedsFewerNeighbours, ()) {
  const auto stores = *rc::gen::inRange<uint32_t>(3, 2000);
  const auto rule = *rc::gen::element(kMalicious, kSemiHonest);
  const int corrupt = *rc::gen::inRange(0, 25);
  const int dropout = *rc::gen::inRange(0, 25);
  const auto degree = [&](int colluding, int lost) {
    const auto found =
        FindParameters(stores, {.corrupt_share = colluding / 100.0, .dropout_share = lost / 100.0, .rule = rule});
    return found.ok() ? found->degree : stores;
  };
  RC_ASSERT(degree(corrupt, dropout) <= degree(corrupt + *rc::gen::inRange(0, 10), dropout));
  RC_ASSERT(degree(corrupt, dropout) <= degree(corrupt, dropout + *rc::gen::inRange(0, 10)));
}

}  // namespace
}  // namespace aisle::secagg

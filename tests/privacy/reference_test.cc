// Our accountants against figures of google's dp_accounting, Opacus, Microsoft's prv_accountant and closed forms, row
// by row of a reference table. The table is found through AISLE_DP_REFERENCE or beside the source folder; without it
// these tests are skipped. Every row is of one kind in the lists below; kinds that are left out say why, and one test
// counts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "privacy/accounting/discrete_sum.h"
#include "privacy/accounting/fixed_size.h"
#include "privacy/accounting/gaussian.h"
#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

using Row = std::map<std::string, std::string>;

// One line of CSV; quotes protect commas and stand doubled for themselves.
std::vector<std::string> SplitCsv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[i++];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else if (line[i] != '\r') {
      fields.back() += line[i];
    }
  }
  return fields;
}

std::vector<Row> ReadReference() {
  const char* named = std::getenv("AISLE_DP_REFERENCE");
  std::ifstream file(named != nullptr ? named : AISLE_SOURCE_DIR "/../shared/dp-reference.csv");
  std::vector<Row> rows;
  std::string line;
  if (!std::getline(file, line)) return rows;
  const std::vector<std::string> header = SplitCsv(line);
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = SplitCsv(line);
    Row row;
    for (size_t i = 0; i < std::min(header.size(), fields.size()); ++i) row[header[i]] = fields[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

double Number(const Row& row, const std::string& column) { return std::stod(row.at(column)); }
double Extra(const Row& row, const char* key) { return nlohmann::json::parse(row.at("extra")).at(key).get<double>(); }
bool IsWhole(double value) { return value == std::floor(value); }

// What we say, and by how much it may differ from the row's value.
struct Ours {
  double value = 0;
  double over = 0;   // Ours may be over the row's by this,
  double under = 0;  // or under it by this.
};
Ours Within(double value, double tolerance) { return {.value = value, .over = tolerance, .under = tolerance}; }
Ours AtMost(double value, double tolerance) { return {.value = value, .over = tolerance, .under = INFINITY}; }

// ---- Renyi.

Ours OneStep(const Row& row) {
  // The reference's fractional orders come from a series that it sums loosely at small orders (one row is even
  // infinite). Ours are exact (RdpTest.FractionalOrdersAreTheIntegrals), so there theirs may only be over ours.
  const double alpha = Number(row, "alpha");
  const double value = RdpOfSampledGaussian(Number(row, "q"), Number(row, "sigma"), alpha);
  const double tolerance = Number(row, "abs_tol") * (1 + value);
  return IsWhole(alpha) ? Within(value, tolerance) : AtMost(value, tolerance);
}

RdpCurve CurveOf(const Row& row) {
  return RdpCurve::SampledGaussian(Number(row, "q"), Number(row, "sigma")).value() * Number(row, "steps");
}

Ours OurOrders(const Row& row) {
  return AtMost(EpsilonOf(CurveOf(row), Number(row, "delta")).epsilon, Number(row, "abs_tol"));
}

template <typename RdpAt>
double BestEpsilon(const std::vector<double>& orders, const Row& row, RdpAt rdp_at,
                   RdpConversion conversion = RdpConversion::kImproved) {
  double best = INFINITY;
  for (const double alpha : orders) {
    best = std::min(best, EpsilonAt(alpha, Number(row, "steps") * rdp_at(alpha), Number(row, "delta"), conversion));
  }
  return best;
}

auto StepOf(const Row& row) {
  return [q = Number(row, "q"), z = Number(row, "sigma")](double alpha) { return RdpOfSampledGaussian(q, z, alpha); };
}

// 1.1 to 10.9 by tenths and 12 to 63: the orders of Opacus and of the classic rows.
std::vector<double> ClassicOrders() {
  std::vector<double> orders;
  for (int tenth = 1; tenth <= 99; ++tenth) orders.push_back(1 + tenth / 10.0);
  for (int order = 12; order <= 63; ++order) orders.push_back(order);
  return orders;
}

std::vector<double> WholeOrders(int last = 256) {
  std::vector<double> orders;
  for (int order = 2; order <= std::min(last, 128); ++order) orders.push_back(order);
  if (last == 256) orders.push_back(256);
  return orders;
}

Ours OpacusOrders(const Row& row) { return Within(BestEpsilon(ClassicOrders(), row, StepOf(row)), 1e-6); }
Ours ClassicConversion(const Row& row) {
  return AtMost(BestEpsilon(ClassicOrders(), row, StepOf(row), RdpConversion::kClassic), Number(row, "abs_tol"));
}
Ours OnWholeOrders(const Row& row) {
  return Within(BestEpsilon(WholeOrders(), row, StepOf(row)), Number(row, "abs_tol"));
}

Ours LaplaceByRenyi(const Row& row) {
  const Laplace mechanism{Number(row, "sigma")};
  const std::vector<double> orders(RdpOrders().begin(), RdpOrders().end());
  return Within(BestEpsilon(orders, row, [&](double alpha) { return RdpOf(mechanism, alpha); }),
                Number(row, "abs_tol"));
}

Ours FixedSize(const Row& row) {
  std::vector<double> orders = ClassicOrders();
  std::erase_if(orders, [](double alpha) { return alpha < 2; });
  const auto step = [&](double alpha) {
    return RdpOfFixedSizeSample(Number(row, "q"), Number(row, "sigma"), alpha).value();
  };
  return Within(BestEpsilon(orders, row, step), Number(row, "abs_tol"));
}

// ---- Sums of discrete Gaussians.

double EpsilonOfSum(const Row& row, const DiscreteGaussianSum& sum) {
  const double q = Number(row, "q");
  return BestEpsilon(WholeOrders(), row, [&](double alpha) {
    return RdpOfSampledDiscreteGaussianSum(q, sum, std::min(1024, static_cast<int>(alpha))).value();
  });
}

Ours SumOfDiscreteGaussians(const Row& row) {
  const DiscreteGaussianSum sum{.sigma = Extra(row, "local_std_int"),
                                .addends = static_cast<uint32_t>(Number(row, "n")),
                                .l2 = Extra(row, "clip") * Extra(row, "l2_inflation") / Extra(row, "gamma"),
                                .dimension = static_cast<uint64_t>(Number(row, "dim"))};
  EXPECT_NEAR(TauOf(sum.sigma, sum.addends), Extra(row, "tau"), 1e-22);
  return Within(EpsilonOfSum(row, sum), Number(row, "abs_tol"));
}

// What conditional randomised rounding to steps of `gamma` makes of a clipping norm (Kairouz, Liu, Steinke 2021,
// proposition 26), with beta = exp(-1/2).
double RoundedNorm(double clip, double gamma, double dimension) {
  const double root = gamma * std::sqrt(dimension);
  return std::sqrt(std::min(clip * clip + root * root / 4 + gamma * (clip + root / 2), std::pow(clip + root, 2)));
}

// The row's noise, stated to six digits, must give the row's epsilon.
Ours CalibratedSum(const Row& row) {
  const double gamma = Extra(row, "gamma");
  const double noise = Number(row, "value");
  const DiscreteGaussianSum sum{.sigma = noise * Extra(row, "clip") / gamma / std::sqrt(Number(row, "n")),
                                .addends = static_cast<uint32_t>(Number(row, "n")),
                                .l2 = RoundedNorm(Extra(row, "clip"), gamma, Number(row, "dim")) / gamma,
                                .dimension = static_cast<uint64_t>(Number(row, "dim"))};
  const double epsilon = EpsilonOfSum(row, sum);
  return Within(noise * epsilon / Extra(row, "eps"), 0.02 * noise);
}

Ours CalibratedGaussian(const Row& row) {
  double low = 0.1;
  double high = 10;
  while (high - low > 1e-6) {
    const double z = (low + high) / 2;
    const double epsilon =
        BestEpsilon(WholeOrders(), row, [&](double alpha) { return RdpOfSampledGaussian(Number(row, "q"), z, alpha); });
    (epsilon > Extra(row, "eps") ? low : high) = z;
  }
  return Within(high, Number(row, "abs_tol"));
}

// ---- Exact.

Ours ExactGaussian(const Row& row) {
  const double composed = Number(row, "sigma") / std::sqrt(Number(row, "steps"));
  return Within(GaussianEpsilon(composed, Number(row, "delta")).value(), Number(row, "abs_tol"));
}
Ours ExactDelta(const Row& row) {
  return Within(GaussianDelta(Extra(row, "epsilon"), Number(row, "sigma")), Number(row, "abs_tol"));
}

// ---- Privacy loss distributions.

double PldEpsilon(const LossMechanism& mechanism, const Row& row) {
  PldAccountant accountant;
  EXPECT_TRUE(accountant.Add(mechanism, static_cast<uint64_t>(Number(row, "steps"))).ok());
  return accountant.Epsilon(Number(row, "delta")).value();
}
double PldEpsilon(const Row& row) { return PldEpsilon(SampledGaussian{Number(row, "q"), Number(row, "sigma")}, row); }

// Improved Renyi figures are never under it, nor classic ones under those.
void ExpectOrder(const Row& row) {
  const double tight = PldEpsilon(row);
  const double improved = EpsilonOf(CurveOf(row), Number(row, "delta")).epsilon;
  const double classic = EpsilonOf(CurveOf(row), Number(row, "delta"), RdpConversion::kClassic).epsilon;
  EXPECT_LE(tight, improved * (1 + 1e-9)) << row.at("id");
  EXPECT_LE(improved, classic) << row.at("id");
}

// Their mesh is fixed and ours follows the question, so over many releases theirs is over ours: by at most steps *
// interval^2 / 8 * (1 + t), t being one under the Renyi order; the certified bounds below say that ours isn't too low.
Ours LossDistribution(const Row& row) {
  const double tolerance = Number(row, "abs_tol");
  const double interval = row.at("method").ends_with("1e-5") ? 1e-5 : 1e-4;
  const double order = EpsilonOf(CurveOf(row), Number(row, "delta")).alpha;
  const double loose = Number(row, "steps") * interval * interval / 8 * order;
  ExpectOrder(row);
  return {.value = PldEpsilon(row), .over = tolerance, .under = tolerance + loose};
}

Ours CertifiedEstimate(const Row& row) {
  const double ours = PldEpsilon(row);
  ExpectOrder(row);
  EXPECT_GE(ours, Number(row, "lower")) << row.at("id");
  EXPECT_LE(ours, Number(row, "upper")) << row.at("id");
  return Within(ours, Number(row, "abs_tol"));
}
Ours UpperEstimate(const Row& row) { return {.value = PldEpsilon(row), .over = 1e-9, .under = Number(row, "abs_tol")}; }
Ours LaplaceLosses(const Row& row) {
  return Within(PldEpsilon(Laplace{Number(row, "sigma")}, row), Number(row, "abs_tol"));
}
Ours DiscreteGaussianLosses(const Row& row) {
  const DiscreteGaussianCount count{Number(row, "sigma"), static_cast<uint32_t>(Extra(row, "sensitivity"))};
  return Within(PldEpsilon(count, row), Number(row, "abs_tol"));
}

Ours StatedInAUnitTest(const Row& row) {
  PldAccountant accountant;
  const bool plain = row.at("id") == "pub_pld_3xgauss_sqrt3";
  const SampledGaussian mechanism = plain ? SampledGaussian{1, std::sqrt(3)} : SampledGaussian{0.2, 0.5};
  EXPECT_TRUE(accountant.Add(mechanism, 3).ok());
  return Within(accountant.Delta(1).value(), 2e-5);
}

// ---- The kinds.

struct Kind {
  const char* name;
  size_t rows;  // How many the table has.
  const char* kind;
  const char* mechanism;  // What the columns begin with.
  const char* method;
  Ours (*ours)(const Row&);
  double agreeing = 1;  // At least this share is within abs_tol both ways, where ours may be under by more.
};

const char* const kSubsampled = "Poisson-subsampled Gaussian";
const char* const kZeroOut = "Poisson-subsampled Gaussian, REPLACE_SPECIAL";

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.rows << " rows of " << kind.kind << ", " << kind.mechanism << ", " << kind.method;
}

const Kind kKinds[] = {
    {"RenyiOfOneStep", 130, "rdp", "Poisson-subsampled Gaussian (add/remove)", "", OneStep, 0.9},
    {"SampledRenyi", 28, "eps", kSubsampled, "RDP (improved conversion", OurOrders, 0.6},
    {"SampledRenyiOpacus", 28, "eps", kSubsampled, "RDP (Opacus orders)", OpacusOrders},
    {"SampledRenyiClassic", 28, "eps", kSubsampled, "RDP (classic conversion", ClassicConversion, 0.7},
    {"SampledRenyiBesideFixedSize", 4, "eps", "same parameters but Poisson", "RDP", OurOrders},
    {"GaussianRenyi", 9, "eps", "Gaussian", "RDP (improved conversion", OurOrders, 0.6},
    {"GaussianRenyiOpacus", 9, "eps", "Gaussian", "RDP (Opacus orders)", OpacusOrders},
    {"GaussianRenyiClassic", 9, "eps", "Gaussian", "RDP (classic conversion", ClassicConversion, 0.7},
    {"GaussianRenyiWholeOrders", 8, "eps", "central continuous Gaussian", "RDP integer orders", OnWholeOrders},
    {"LaplaceRenyi", 4, "eps", "Laplace", "RDP", LaplaceByRenyi},
    {"FixedSizeRenyi", 3, "eps", "Gaussian, fixed-size sample", "RDP", FixedSize},
    {"SumOfDiscreteGaussians", 11, "eps", "Distributed discrete Gaussian", "RDP", SumOfDiscreteGaussians},
    {"CalibratedSum", 5, "calibration", "DDG", "", CalibratedSum},
    {"CalibratedGaussian", 3, "calibration", "central Gaussian", "", CalibratedGaussian},
    {"GaussianExact", 9, "eps", "Gaussian", "analytic Gaussian (exact", ExactGaussian},
    {"GaussianExactBesideDiscrete", 4, "eps", "Gaussian same ratio", "analytic", ExactGaussian},
    {"GaussianExactDelta", 4, "delta", "Gaussian", "analytic", ExactDelta},
    {"SampledPld", 28, "eps", kSubsampled, "PLD connect-the-dots, interval 1e-4", LossDistribution, 0.9},
    {"SampledPldFine", 2, "eps", kSubsampled, "PLD connect-the-dots, interval 1e-5", LossDistribution},
    {"SampledPldZeroOut", 3, "eps", kZeroOut, "PLD", LossDistribution},  // The same pair of distributions.
    {"GaussianPld", 9, "eps", "Gaussian", "PLD connect-the-dots, interval 1e-4", LossDistribution},
    {"TwoTiers", 49, "two_tier", "per-customer clip", "PLD interval 1e-4", LossDistribution},
    {"SampledPrvBounds", 28, "eps", kSubsampled, "PRV (estimate with certified bounds)", CertifiedEstimate},
    {"GaussianPrvBounds", 9, "eps", "Gaussian", "PRV (estimate with certified bounds)", CertifiedEstimate},
    {"SampledPrvUpper", 28, "eps", kSubsampled, "PRV (Opacus, upper estimate)", UpperEstimate},
    {"GaussianPrvUpper", 9, "eps", "Gaussian", "PRV (Opacus, upper estimate)", UpperEstimate},
    {"LaplacePld", 4, "eps", "Laplace", "PLD", LaplaceLosses},
    {"DiscreteGaussianPld", 5, "eps", "Discrete Gaussian, univariate", "PLD", DiscreteGaussianLosses},
    {"PublishedDeltas", 2, "published_test", "", "stated in unit test", StatedInAUnitTest},
};

struct LeftOut {
  const char* why;
  size_t rows;
  const char* kind;
  const char* mechanism;
  const char* method;
};

const LeftOut kLeftOut[] = {
    {"a central limit approximation, not a bound", 28, "eps", kSubsampled, "GDP CLT"},
    {"a central limit approximation, not a bound", 9, "eps", "Gaussian", "GDP CLT"},
    {"Skellam noise: Aisle draws discrete Gaussians", 7, "eps", "Distributed Skellam", ""},
    {"Skellam noise: Aisle draws discrete Gaussians", 4, "calibration", "Skellam", ""},
    {"neighbours that replace a unit: Aisle's add or remove one", 4, "eps", "Poisson-subsampled Gaussian, REPLACE_ONE",
     "PLD"},
    {"a batch cut to a size: Aisle's sampler has no cap", 2, "eps", "Truncated Poisson", ""},
    {"correlated noise over rounds: not in Aisle", 2, "eps", "Tree aggregation (DP-FTRL) single epoch", ""},
    {"correlated noise over rounds: not in Aisle", 8, "eps", "Tree aggregation no restart", ""},
    {"correlated noise over rounds: not in Aisle", 10, "matrix_factorization", "", ""},
    {"noise split in two: Aisle's quantile rides in the one clipped vector", 4, "adaptive_clip", "", ""},
    {"the table does not state its parameters", 1, "published_test", "smallest std", ""},
};

// "Gaussian" must not catch "Gaussian, fixed-size ..." or "Gaussian same ratio", nor the Poisson ones their variants.
bool BeginsWith(const std::string& text, const std::string& beginning) {
  const bool exact = beginning == "Gaussian" || beginning == kSubsampled;
  return exact ? text == beginning : text.starts_with(beginning);
}

template <typename AnyKind>
bool Matches(const AnyKind& kind, const Row& row) {
  const bool left_out_by_name = std::string(kind.kind) == "published_test" && std::string(kind.mechanism).empty() &&
                                row.at("mechanism").starts_with("smallest std");
  return row.at("kind") == kind.kind && BeginsWith(row.at("mechanism"), kind.mechanism) &&
         row.at("method").starts_with(kind.method) && !left_out_by_name;
}

class ReferenceTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    rows_ = ReadReference();
    if (rows_.empty()) GTEST_SKIP() << "no reference table at hand";
  }
  std::vector<Row> rows_;
};

TEST_P(ReferenceTest, AgreesRowByRow) {
  const Kind& kind = GetParam();
  size_t rows = 0;
  size_t agreeing = 0;
  for (const Row& row : rows_) {
    if (!Matches(kind, row)) continue;
    ++rows;
    const Ours ours = kind.ours(row);
    const double theirs = Number(row, "value");
    EXPECT_LE(ours.value, theirs + ours.over) << row.at("id");
    EXPECT_TRUE(std::isinf(ours.under) || ours.value >= theirs - ours.under)
        << row.at("id") << ": " << ours.value << " for " << theirs;
    const double stated = row.at("abs_tol").empty() ? ours.over : Number(row, "abs_tol");
    if (std::fabs(ours.value - theirs) <= std::max(stated * (1 + theirs), ours.over)) ++agreeing;
  }
  EXPECT_EQ(rows, kind.rows);
  EXPECT_GE(static_cast<double>(agreeing), kind.agreeing * static_cast<double>(rows));
}

INSTANTIATE_TEST_SUITE_P(, ReferenceTest, ::testing::ValuesIn(kKinds),
                         [](const auto& test) { return std::string(test.param.name); });

class ReferenceTableTest : public ReferenceTest {};

TEST_F(ReferenceTableTest, EveryRowIsTestedOrLeftOutForAReason) {
  size_t tested = 0;
  size_t left_out = 0;
  for (const Row& row : rows_) {
    const auto covers = [&row](const auto& kind) { return Matches(kind, row); };
    const auto here = std::ranges::count_if(kKinds, covers);
    const auto there = std::ranges::count_if(kLeftOut, covers);
    EXPECT_EQ(here + there, 1) << row.at("id") << ": " << row.at("mechanism") << ", " << row.at("method");
    tested += static_cast<size_t>(here);
    left_out += static_cast<size_t>(there);
  }
  for (const Kind& kind : kKinds) std::cout << fmt::format("{:4} rows tested: {}\n", kind.rows, kind.name);
  for (const LeftOut& kind : kLeftOut) {
    std::cout << fmt::format("{:4} rows left out: {} {}: {}\n", kind.rows, kind.kind, kind.mechanism, kind.why);
    EXPECT_EQ(std::ranges::count_if(rows_, [&](const Row& row) { return Matches(kind, row); }), kind.rows) << kind.why;
  }
  EXPECT_EQ(tested, 472U);
  EXPECT_EQ(left_out, 79U);
  EXPECT_EQ(rows_.size(), 551U);
}

}  // namespace
}  // namespace aisle

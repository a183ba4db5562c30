// Our accountant against figures of dp_accounting, Opacus and closed forms, row by row of a reference table. The table
// is found through AISLE_DP_REFERENCE or beside the source folder; without it these tests are skipped.
//
// The reference's fractional orders come from a series that it sums loosely at small orders (one row is even infinite).
// Ours are exact (RdpTest.FractionalOrdersAreTheIntegrals), so rows that rest on them may only be over ours, and most
// of all rows must agree to their stated tolerance.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "privacy/accounting/gaussian.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

using Row = std::map<std::string, std::string>;

// One line of CSV; quotes protect commas and stand doubled for themselves.
std::vector<std::string> SplitCsv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else if (c != '\r')
      fields.back() += c;
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

// The rows of one kind, skipping the test if there is no table.
class ReferenceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rows_ = ReadReference();
    if (rows_.empty()) GTEST_SKIP() << "no reference table at hand";
  }
  std::vector<Row> Rows(const std::string& kind, const std::string& mechanism, const std::string& method) const {
    std::vector<Row> found;
    for (const Row& row : rows_) {
      if (row.at("kind") == kind && row.at("mechanism").starts_with(mechanism) &&
          row.at("method").starts_with(method) && row.at("neighbouring") == "ADD_OR_REMOVE_ONE") {
        found.push_back(row);
      }
    }
    return found;
  }
  std::vector<Row> rows_;
};

// Counts rows that agree with ours to their tolerance, and lets others only be over.
class Agreement {
 public:
  void Compare(double ours, const Row& row, double tolerance) {
    const double theirs = Number(row, "value");
    EXPECT_LE(ours, theirs + tolerance) << row.at("id");
    ++rows_;
    if (std::fabs(ours - theirs) <= tolerance) ++agreeing_;
  }
  double share() const { return static_cast<double>(agreeing_) / rows_; }

 private:
  int rows_ = 0;
  int agreeing_ = 0;
};

double EpsilonOver(const std::vector<double>& orders, const Row& row, RdpConversion conversion) {
  double best = INFINITY;
  for (const double alpha : orders) {
    const double rdp = Number(row, "steps") * RdpOfSampledGaussian(Number(row, "q"), Number(row, "sigma"), alpha);
    best = std::min(best, EpsilonAt(alpha, rdp, Number(row, "delta"), conversion));
  }
  return best;
}

TEST_F(ReferenceTest, RenyiDivergenceOfOneStep) {
  const std::vector<Row> rows = Rows("rdp", "Poisson-subsampled Gaussian", "");
  EXPECT_GE(rows.size(), 100U);
  Agreement agreement;
  for (const Row& row : rows) {
    const double alpha = Number(row, "alpha");
    const double value = RdpOfSampledGaussian(Number(row, "q"), Number(row, "sigma"), alpha);
    const double tolerance = Number(row, "abs_tol") * (1 + value);
    const bool whole = alpha == std::floor(alpha);
    EXPECT_TRUE(!whole || std::fabs(value - Number(row, "value")) <= tolerance) << row.at("id");
    agreement.Compare(value, row, tolerance);
  }
  EXPECT_GE(agreement.share(), 0.9);
}

TEST_F(ReferenceTest, ImprovedConversionOnOurOrders) {
  for (const char* mechanism : {"Poisson-subsampled Gaussian", "Gaussian"}) {
    const std::vector<Row> rows = Rows("eps", mechanism, "RDP (improved conversion");
    EXPECT_GE(rows.size(), 9U);
    Agreement agreement;
    for (const Row& row : rows) {
      const RdpCurve step = RdpCurve::SampledGaussian(Number(row, "q"), Number(row, "sigma")).value();
      const EpsilonBound bound = EpsilonOf(step * Number(row, "steps"), Number(row, "delta"));
      agreement.Compare(bound.epsilon, row, Number(row, "abs_tol"));
    }
    EXPECT_GE(agreement.share(), 0.6) << mechanism;
  }
}

// 1.1 to 10.9 by tenths and 12 to 63: the orders of Opacus and of the classic rows.
std::vector<double> ClassicOrders() {
  std::vector<double> orders;
  for (int tenth = 1; tenth <= 99; ++tenth) orders.push_back(1 + tenth / 10.0);
  for (int order = 12; order <= 63; ++order) orders.push_back(order);
  return orders;
}

TEST_F(ReferenceTest, ImprovedConversionOnOpacusOrders) {
  for (const char* mechanism : {"Poisson-subsampled Gaussian", "Gaussian"}) {
    const std::vector<Row> rows = Rows("eps", mechanism, "RDP (Opacus orders)");
    EXPECT_GE(rows.size(), 9U);
    for (const Row& row : rows) {
      EXPECT_NEAR(EpsilonOver(ClassicOrders(), row, RdpConversion::kImproved), Number(row, "value"), 1e-6)
          << row.at("id");
    }
  }
}

TEST_F(ReferenceTest, ClassicConversionOnItsOrders) {
  const std::vector<double> orders = ClassicOrders();
  for (const char* mechanism : {"Poisson-subsampled Gaussian", "Gaussian"}) {
    const std::vector<Row> rows = Rows("eps", mechanism, "RDP (classic conversion");
    EXPECT_GE(rows.size(), 9U);
    Agreement agreement;
    for (const Row& row : rows) {
      agreement.Compare(EpsilonOver(orders, row, RdpConversion::kClassic), row, Number(row, "abs_tol"));
    }
    EXPECT_GE(agreement.share(), 0.7) << mechanism;
  }
}

TEST_F(ReferenceTest, ImprovedConversionOnWholeOrders) {
  std::vector<double> orders;
  for (int order = 2; order <= 128; ++order) orders.push_back(order);
  orders.push_back(256);
  const std::vector<Row> rows = Rows("eps", "central continuous Gaussian", "RDP integer orders");
  EXPECT_GE(rows.size(), 8U);
  for (const Row& row : rows) {
    EXPECT_NEAR(EpsilonOver(orders, row, RdpConversion::kImproved), Number(row, "value"), Number(row, "abs_tol"))
        << row.at("id");
  }
}

TEST_F(ReferenceTest, ExactGaussian) {
  const std::vector<Row> rows = Rows("eps", "Gaussian", "analytic");
  EXPECT_GE(rows.size(), 13U);
  for (const Row& row : rows) {
    const double composed = Number(row, "sigma") / std::sqrt(Number(row, "steps"));
    EXPECT_NEAR(GaussianEpsilon(composed, Number(row, "delta")).value(), Number(row, "value"), Number(row, "abs_tol"))
        << row.at("id");
  }
}

TEST_F(ReferenceTest, ExactDelta) {
  const std::vector<Row> rows = Rows("delta", "Gaussian", "analytic");
  EXPECT_GE(rows.size(), 4U);
  for (const Row& row : rows) {
    const std::string& extra = row.at("extra");
    const double epsilon = std::stod(extra.substr(extra.find(':') + 1));
    EXPECT_NEAR(GaussianDelta(epsilon, Number(row, "sigma")), Number(row, "value"), Number(row, "abs_tol"))
        << row.at("id");
  }
}

// Privacy-loss distributions are (nearly) exact; Renyi figures must never be under them.
TEST_F(ReferenceTest, OurBoundIsNeverUnderTheLossDistribution) {
  for (const char* mechanism : {"Poisson-subsampled Gaussian", "Gaussian"}) {
    for (const Row& row : Rows("eps", mechanism, "PLD connect-the-dots, interval 1e-4")) {
      if (row.at("mechanism").find("REPLACE") != std::string::npos) continue;
      const RdpCurve step = RdpCurve::SampledGaussian(Number(row, "q"), Number(row, "sigma")).value();
      const double bound = EpsilonOf(step * Number(row, "steps"), Number(row, "delta")).epsilon;
      EXPECT_GE(bound, Number(row, "value") - 0.002) << row.at("id");
    }
  }
}

}  // namespace
}  // namespace aisle

// The worked example of docs/privacy.md: what a person gets with pen and paper is what the accountants say, and what
// the page says.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "privacy/accounting/pld.h"
#include "privacy/ledger_account.h"
#include "tests/falsifier/binomial.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

constexpr double kRate = 0.25;
constexpr double kNoise = 2;
constexpr double kDelta = 5e-8;
constexpr int kRounds = 60;
constexpr int kOrder = 5;

std::string Page() {
  std::ifstream file(AISLE_SOURCE_DIR "/docs/privacy.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void ExpectOnPage(const std::string& text) {
  EXPECT_NE(Page().find(text), std::string::npos) << "docs/privacy.md doesn't say: " << text;
}

double Chance(int k) {
  return std::exp(std::lgamma(kOrder + 1) - std::lgamma(k + 1) - std::lgamma(kOrder - k + 1)) * std::pow(kRate, k) *
         std::pow(1 - kRate, kOrder - k);
}
double Weight(int k) { return std::exp((k * k - k) / (2 * kNoise * kNoise)); }

TEST(WorkedExampleTest, PenAndPaperGiveTheLedgersFigure) {
  double sum = 0;
  for (int k = 0; k <= kOrder; ++k) {
    sum += Chance(k) * Weight(k);
    ExpectOnPage(fmt::format("| {} | {:.5f} | {:.4f} | {:.5f} |", k, Chance(k), Weight(k), Chance(k) * Weight(k)));
  }
  const double round = std::log(sum) / (kOrder - 1);
  const double cost = std::log(1.0 - 1.0 / kOrder) - std::log(kDelta * kOrder) / (kOrder - 1);
  const double epsilon = kRounds * round + cost;
  ExpectOnPage(fmt::format("{:.4f}", sum));
  ExpectOnPage(fmt::format("{:.5f}", round));
  ExpectOnPage(fmt::format("{:.3f}", kRounds * round));
  ExpectOnPage(fmt::format("{:.3f}", cost));
  ExpectOnPage(fmt::format("{:.3f}", epsilon));

  EXPECT_NEAR(RdpOfSampledGaussian(kRate, kNoise, kOrder), round, 1e-12);
  Debit debit = MakeCustomerDebit(kRate, kNoise);
  debit.releases = kRounds;
  const double ledger = EpsilonOf(CurveOf(ChargeOf(debit, Tier::kFloor)), kDelta).epsilon;
  EXPECT_LE(ledger, epsilon);
  EXPECT_GT(ledger, epsilon - 0.02);
  ExpectOnPage(fmt::format("{:.3f}", ledger));
}

TEST(WorkedExampleTest, TheTighterFiguresAreTheAccountants) {
  const auto tight = [](double z, int rounds) {
    PldAccountant accountant;
    EXPECT_TRUE(accountant.Add(SampledGaussian{kRate, z}, static_cast<uint64_t>(rounds)).ok());
    return accountant;
  };
  ExpectOnPage(fmt::format("{:.2f}", tight(kNoise, kRounds).Epsilon(kDelta).value()));
  for (const int stores : {12, 200}) {
    ExpectOnPage(fmt::format("{:.2f}", tight(kNoise * std::sqrt(stores), kRounds).Epsilon(kDelta).value()));
  }
  // The best guess who was there, after seeing one round: q (2 Phi(1 / 2 z) - 1) better than nothing, halved.
  const double edge = kRate * (2 * NormalCdf(1 / (2 * kNoise)) - 1);
  EXPECT_NEAR(tight(kNoise, 1).Delta(0).value(), edge, 1e-4);
  ExpectOnPage(fmt::format("{:.1f} %", 50 + 50 * edge));
  ExpectOnPage(fmt::format("{:.0f} %", 50 + 50 * tight(kNoise, kRounds).Delta(0).value()));
}

}  // namespace
}  // namespace aisle

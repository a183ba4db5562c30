#include "privacy/ledger_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

LedgerEntry AnEntry() { return {.number = 3, .at = TestTime(5), .debit = MakeDebit(0.75, 9), .digest = {}}; }

RC_GTEST_PROP(LedgerEntryProperty, DecodeUndoesEncode, ()) {
  LedgerEntry entry = AnEntry();
  entry.number = *rc::gen::arbitrary<uint64_t>();
  entry.at = absl::FromUnixMicros(*rc::gen::arbitrary<int32_t>());
  entry.debit.noise_multiplier = *rc::gen::inRange(1, 256000) * 0.001;
  entry.debit.round.number = *rc::gen::arbitrary<uint32_t>();
  entry.debit.releases = *rc::gen::inRange<uint32_t>(1, 1000);
  const auto decoded = DecodeEntry(EncodeEntry(entry));
  RC_ASSERT(decoded.ok());
  RC_ASSERT(decoded->number == entry.number && decoded->at == entry.at && decoded->debit == entry.debit);
}

TEST(LedgerEntryTest, RefusesEveryCut) {
  const std::string body = EncodeEntry(AnEntry());
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(DecodeEntry(std::string_view(body).substr(0, size)).status().code(), StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(DecodeEntry(body + "x").status().code(), StatusCode::kDataLoss);
}

TEST(LedgerEntryTest, RefusesKindsAndUnitsItDoesNotKnow) {
  std::string body = EncodeEntry(AnEntry());
  body[0] = 2;
  EXPECT_THAT(std::string(MessageOf(DecodeEntry(body).status())), HasSubstr("kind 2"));
  LedgerEntry entry = AnEntry();
  entry.debit.unit = static_cast<PrivacyUnit>(7);
  EXPECT_THAT(std::string(MessageOf(DecodeEntry(EncodeEntry(entry)).status())), HasSubstr("unit 7"));
}

template <typename Change>
Status StatusAfter(Change change) {
  Debit debit = MakeDebit();
  change(debit);
  return Validate(debit);
}

TEST(DebitTest, RefusesFieldsOutOfRange) {
  EXPECT_TRUE(StatusAfter([](auto&) {}).ok());
  const auto invalid = [](auto change) { return StatusAfter(change).code() == StatusCode::kInvalidArgument; };
  EXPECT_TRUE(invalid([](auto& d) { d.population = {}; }));
  EXPECT_TRUE(invalid([](auto& d) { d.round.job = {}; }));
  EXPECT_TRUE(invalid([](auto& d) { d.noise_multiplier = 0; }));
  EXPECT_TRUE(invalid([](auto& d) { d.noise_multiplier = -1; }));
  EXPECT_TRUE(invalid([](auto& d) { d.noise_multiplier = std::nan(""); }));
  EXPECT_TRUE(invalid([](auto& d) { d.noise_multiplier = INFINITY; }));
  EXPECT_TRUE(invalid([](auto& d) { d.releases = 0; }));
  EXPECT_TRUE(invalid([](auto& d) { d.delta = 0; }));
  EXPECT_TRUE(invalid([](auto& d) { d.delta = std::nan(""); }));
  EXPECT_TRUE(invalid([](auto& d) { d.unit = PrivacyUnit::kNone; })) << "none must not claim noise";
}

TEST(DebitTest, TheUnitNoneNeedsNoNoiseAndNoDelta) {
  Debit debit = MakeUnboundedDebit();
  debit.delta = 0;
  EXPECT_TRUE(Validate(debit).ok());
  debit.delta = std::nan("");
  EXPECT_EQ(Validate(debit).code(), StatusCode::kInvalidArgument);
}

TEST(DebitTest, GivesNoDiscountForSamplingThatHqCanSee) {
  const Status status = StatusAfter([](auto& d) { d.sampling_rate = 0.01; });
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("it must be 1"));
}

TEST(DebitTest, CustomersWaitForTheNextRelease) {
  EXPECT_EQ(StatusAfter([](auto& d) { d.unit = PrivacyUnit::kCustomer; }).code(), StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace aisle

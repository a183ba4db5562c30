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
  entry.debit.sum_stores = *rc::gen::inRange<uint32_t>(1, kSumStoresMax + 1);
  if (*rc::gen::arbitrary<bool>()) {
    entry.debit.unit = PrivacyUnit::kCustomer;
    entry.debit.sampling_rate = *rc::gen::inRange(1, 1000) * 0.001;
    entry.debit.presence = *rc::gen::element(Presence::kThisStore, Presence::kHomeStore, Presence::kStoresMax);
    if (entry.debit.presence == Presence::kStoresMax) {
      entry.debit.stores_max = *rc::gen::inRange<uint32_t>(1, kPresentStoresMax + 1);
    }
  }
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
  entry = AnEntry();
  entry.debit.presence = static_cast<Presence>(9);
  EXPECT_THAT(std::string(MessageOf(DecodeEntry(EncodeEntry(entry)).status())), HasSubstr("presence 9"));
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

TEST(DebitTest, CustomersAreSampledInSecret) {
  const auto with_rate = [](double rate) { return Validate(MakeCustomerDebit(rate)).code(); };
  EXPECT_EQ(with_rate(0.01), StatusCode::kOk);
  EXPECT_EQ(with_rate(1), StatusCode::kOk);
  for (const double rate : {0.0, -0.1, 1.1, std::nan("")}) EXPECT_EQ(with_rate(rate), StatusCode::kInvalidArgument);
}

TEST(DebitTest, CountsStoresWithinTheirRanges) {
  const auto code = [](auto change) {
    Debit debit = MakeCustomerDebit(0.1);
    change(debit);
    return Validate(debit).code();
  };
  EXPECT_EQ(code([](auto& d) { d.sum_stores = 0; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& d) { d.sum_stores = kSumStoresMax; }), StatusCode::kOk);
  EXPECT_EQ(code([](auto& d) { d.sum_stores = kSumStoresMax + 1; }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([](auto& d) { d.stores_max = 2; }), StatusCode::kInvalidArgument) << "only as the presence says";
  const auto declared = [](auto& d, uint32_t stores) {
    d.presence = Presence::kStoresMax;
    d.stores_max = stores;
  };
  EXPECT_EQ(code([&](auto& d) { declared(d, 0); }), StatusCode::kInvalidArgument);
  EXPECT_EQ(code([&](auto& d) { declared(d, 3); }), StatusCode::kOk);
  EXPECT_EQ(code([&](auto& d) { declared(d, kPresentStoresMax + 1); }), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle

#include "coordinator/enrolment/enrolment.h"

#include <gtest/gtest.h>

#include "base/reason.h"
#include "tests/base/expect_cover.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;

Digest Key(std::string_view name) { return Sha256::Of(name); }

class EnrolmentTest : public ::testing::Test {
 protected:
  EnrolmentTest() {
    SecureRandom random;
    record_ = IssueCode(StoreId::Parse("s1").value(), policy_, kNow, random).record;
  }
  StatusOr<Redeemed> Try(const Digest& key, absl::Time now) { return Redeem(record_, keys_, key, policy_, now); }
  // As the coordinator does it: the result is kept.
  void Keep(const Redeemed& redeemed) {
    record_ = redeemed.record;
    keys_ = redeemed.keys;
  }
  const EnrolmentPolicy policy_;
  std::optional<EnrolmentRecord> record_;
  std::optional<AcceptedKeys> keys_;
};

TEST_F(EnrolmentTest, RedeemsAFreshCode) {
  const Redeemed redeemed = Try(Key("1"), kNow + absl::Hours(1)).value();
  EXPECT_EQ(redeemed.record.redeemed, (EnrolmentRecord::Redemption{Key("1"), kNow + absl::Hours(1)}));
  EXPECT_EQ(redeemed.keys, (AcceptedKeys{.current = Key("1"), .next = std::nullopt}));
  EXPECT_FALSE(redeemed.repeated);
}

TEST_F(EnrolmentTest, KnowsNoOtherCode) {
  record_.reset();
  const Status refused = Try(Key("1"), kNow).status();
  EXPECT_EQ(refused.code(), StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(refused), Reason::kCodeInvalid);
}

TEST_F(EnrolmentTest, RefusesAnExpiredCode) {
  EXPECT_TRUE(Try(Key("1"), kNow + policy_.code_lifetime).ok());
  const Status refused = Try(Key("1"), kNow + policy_.code_lifetime + absl::Seconds(1)).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), Reason::kCodeExpired);
}

TEST_F(EnrolmentTest, RefusesAUsedCodeForAnotherKey) {
  Keep(Try(Key("1"), kNow).value());
  const Status refused = Try(Key("2"), kNow + absl::Seconds(1)).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), Reason::kCodeUsed);
}

TEST_F(EnrolmentTest, AnswersTheSameBoxAgainIfItsAnswerWasLost) {
  const test::ExpectCover cover("enrolment.repeated_redemption");
  Keep(Try(Key("1"), kNow).value());
  const Redeemed again = Try(Key("1"), kNow + policy_.repeat_window).value();
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.record, *record_);
  EXPECT_EQ(again.keys, *keys_);
}

TEST_F(EnrolmentTest, AnswersAgainAlthoughTheCodeExpiredMeanwhile) {
  Keep(Try(Key("1"), kNow + policy_.code_lifetime).value());
  EXPECT_TRUE(Try(Key("1"), kNow + policy_.code_lifetime + absl::Minutes(1)).ok());
}

TEST_F(EnrolmentTest, AnswersAgainOnlyForAWhile) {
  Keep(Try(Key("1"), kNow).value());
  EXPECT_EQ(ReasonOf(Try(Key("1"), kNow + policy_.repeat_window + absl::Seconds(1)).status()), Reason::kCodeUsed);
}

TEST_F(EnrolmentTest, NeverBringsARenewedKeyBack) {
  Keep(Try(Key("1"), kNow).value());
  keys_ = Admit(Renewed(*keys_, Key("1"), Key("2")).value(), Key("2")).value();
  EXPECT_EQ(ReasonOf(Try(Key("1"), kNow + absl::Minutes(1)).status()), Reason::kCodeUsed);
}

TEST_F(EnrolmentTest, EndsTheOldBoxesKeysWhenANewBoxEnrols) {
  keys_ = AcceptedKeys{.current = Key("old"), .next = Key("older still")};
  const Redeemed redeemed = Try(Key("new"), kNow).value();
  EXPECT_EQ(redeemed.keys, (AcceptedKeys{.current = Key("new"), .next = std::nullopt}));
  EXPECT_EQ(ReasonOf(Admit(redeemed.keys, Key("old")).status()), Reason::kDuplicateIdentity);
}

TEST_F(EnrolmentTest, KeepsRecordsAsBytes) {
  Keep(Try(Key("1"), kNow).value());
  EnrolmentRecord fresh = *record_;
  fresh.redeemed.reset();
  for (const EnrolmentRecord& record : {*record_, fresh}) {
    const std::string bytes = EncodeRecord(record);
    EXPECT_EQ(DecodeRecord(bytes).value(), record);
    EXPECT_EQ(DecodeRecord(bytes + "x").status().code(), StatusCode::kDataLoss);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(DecodeRecord(std::string_view(bytes).substr(0, size)).status().code(), StatusCode::kDataLoss);
    }
  }
}

}  // namespace
}  // namespace aisle

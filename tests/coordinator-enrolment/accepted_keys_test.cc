#include "coordinator/enrolment/accepted_keys.h"

#include <gtest/gtest.h>

#include "base/reason.h"
#include "tests/base/expect_cover.h"

namespace aisle {
namespace {

Digest KeyOf(std::string_view name) { return Sha256::Of(name); }

TEST(AcceptedKeysTest, AdmitTheCurrentKeyAndChangeNothing) {
  const AcceptedKeys keys{.current = KeyOf("1"), .next = KeyOf("2")};
  EXPECT_EQ(Admit(keys, KeyOf("1")).value(), keys);
}

TEST(AcceptedKeysTest, RetireTheOldKeyWhenTheNewOneIsFirstSeen) {
  const AcceptedKeys keys{.current = KeyOf("1"), .next = KeyOf("2")};
  const AcceptedKeys after = Admit(keys, KeyOf("2")).value();
  EXPECT_EQ(after, (AcceptedKeys{.current = KeyOf("2"), .next = std::nullopt}));
  const Status refused = Admit(after, KeyOf("1")).status();
  EXPECT_EQ(refused.code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(ReasonOf(refused), Reason::kDuplicateIdentity);
}

TEST(AcceptedKeysTest, SurviveRenewalsWhoseAnswersAreLost) {
  AcceptedKeys keys{.current = KeyOf("1"), .next = std::nullopt};
  keys = Renewed(keys, KeyOf("1"), KeyOf("2")).value();
  keys = Renewed(keys, KeyOf("1"), KeyOf("2")).value();  // The same request again.
  keys = Renewed(keys, KeyOf("1"), KeyOf("3")).value();  // And after a restart, with another key.
  EXPECT_EQ(keys, (AcceptedKeys{.current = KeyOf("1"), .next = KeyOf("3")}));
  EXPECT_FALSE(Admit(keys, KeyOf("2")).ok());
  EXPECT_TRUE(Admit(keys, KeyOf("1")).ok());
  EXPECT_EQ(Admit(keys, KeyOf("3")).value().current, KeyOf("3"));
}

TEST(AcceptedKeysTest, CountARenewalByTheNextKeyAsItsFirstUse) {
  const AcceptedKeys keys{.current = KeyOf("1"), .next = KeyOf("2")};
  EXPECT_EQ(Renewed(keys, KeyOf("2"), KeyOf("3")).value(), (AcceptedKeys{.current = KeyOf("2"), .next = KeyOf("3")}));
}

TEST(AcceptedKeysTest, WantANewKeyForARenewal) {
  const AcceptedKeys keys{.current = KeyOf("1"), .next = std::nullopt};
  EXPECT_EQ(Renewed(keys, KeyOf("1"), KeyOf("1")).status().code(), StatusCode::kInvalidArgument);
}

// A copied disk: both boxes hold key 1, both renew. Whoever uses its new key first is the store from then on.
TEST(AcceptedKeysTest, LeaveOneOfTwoBoxesWithOneIdentity) {
  const test::ExpectCover cover("enrolment.duplicate_identity");
  AcceptedKeys keys{.current = KeyOf("1"), .next = std::nullopt};
  keys = Renewed(keys, KeyOf("1"), KeyOf("box a")).value();
  keys = Renewed(keys, KeyOf("1"), KeyOf("box b")).value();
  EXPECT_EQ(ReasonOf(Admit(keys, KeyOf("box a")).status()), Reason::kDuplicateIdentity);
  keys = Admit(keys, KeyOf("box b")).value();
  EXPECT_EQ(ReasonOf(Admit(keys, KeyOf("1")).status()), Reason::kDuplicateIdentity);
  EXPECT_EQ(ReasonOf(Renewed(keys, KeyOf("1"), KeyOf("box a")).status()), Reason::kDuplicateIdentity);
}

TEST(AcceptedKeysTest, ComeBackFromTheirBytes) {
  for (const AcceptedKeys& keys : {AcceptedKeys{.current = KeyOf("1"), .next = std::nullopt},
                                   AcceptedKeys{.current = KeyOf("1"), .next = KeyOf("2")}}) {
    ByteWriter bytes;
    Encode(keys, bytes);
    ByteReader reader(bytes.bytes());
    EXPECT_EQ(DecodeAcceptedKeys(reader), keys);
    EXPECT_TRUE(reader.Finish("keys").ok());
    for (size_t size = 0; size < bytes.bytes().size(); ++size) {
      ByteReader cut(std::string_view(bytes.bytes()).substr(0, size));
      DecodeAcceptedKeys(cut);
      EXPECT_FALSE(cut.ok());
    }
  }
}

}  // namespace
}  // namespace aisle

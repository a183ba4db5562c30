#include "coordinator/enrolment/enrolment_desk.h"

#include <gtest/gtest.h>

#include <map>

#include "base/executor.h"
#include "base/reason.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;

StoreId Store(std::string_view name) { return StoreId::Parse(name).value(); }

// What is kept, and a disk that can fail.
class FakeRecords final : public EnrolmentRecords {
 public:
  std::map<Digest, EnrolmentRecord> codes;
  std::map<StoreId, KnownStore> stores;
  Status disk;
  int writes = 0;

  StatusOr<std::optional<EnrolmentRecord>> FindCode(const Digest& code_hash) override {
    const auto found = codes.find(code_hash);
    return found == codes.end() ? std::nullopt : std::optional(found->second);
  }
  StatusOr<std::optional<KnownStore>> FindStore(const StoreId& store) override {
    const auto found = stores.find(store);
    return found == stores.end() ? std::nullopt : std::optional(found->second);
  }
  Status PutCode(const EnrolmentRecord& record) override {
    return Write([&] { codes[record.code_hash] = record; });
  }
  Status PutRedemption(const EnrolmentRecord& record, const AcceptedKeys& keys, absl::Time) override {
    return Write([&] {
      codes[record.code_hash] = record;
      stores[record.store].keys = keys;
    });
  }
  Status PutKeys(const StoreId& store, const AcceptedKeys& keys, std::optional<absl::Time>) override {
    return Write([&] { stores[store].keys = keys; });
  }

 private:
  template <typename Change>
  Status Write(Change change) {
    AISLE_RETURN_IF_ERROR(disk);
    ++writes;
    change();
    return OkStatus();
  }
};

class EnrolmentDeskTest : public ::testing::Test {
 protected:
  std::string Invite(std::string_view store = "s1") {
    return std::string(desk_.Invite(Store(store)).value().code.Reveal().Reveal());
  }
  StatusOr<Certificate> Enrol(const std::string& code, const KeyPair& key) {
    AISLE_ASSIGN_OR_RETURN(auto enrolled, desk_.Enrol(code, MakeCsr(key).value()));
    return std::move(enrolled.certificate);
  }
  const CertificateAuthority authority_ = testing::NewAuthority();
  FakeRecords records_;
  ManualExecutor clock_{kNow};
  SecureRandom random_;
  EnrolmentDesk desk_{authority_, EnrolmentPolicy{}, records_, clock_, random_};
  const KeyPair key_ = KeyPair::Generate().value();
};

TEST_F(EnrolmentDeskTest, TradesACodeForACertificateOfTheStoreItWasIssuedFor) {
  const auto enrolled = desk_.Enrol(Invite("store-012"), MakeCsr(key_).value()).value();
  EXPECT_EQ(enrolled.store.str(), "store-012");
  EXPECT_EQ(enrolled.certificate.identity(), testing::StoreIdentity("northwind", "store-012"));
  EXPECT_EQ(enrolled.certificate.key_digest(), key_.digest());
  EXPECT_EQ(enrolled.certificate.not_after(), kNow + EnrolmentPolicy{}.certificate_lifetime);
  EXPECT_TRUE(enrolled.certificate.CheckIssuedBy(authority_.root_pem(), kNow).ok());
  EXPECT_EQ(desk_.Admit(enrolled.certificate).value().str(), "store-012");
}

TEST_F(EnrolmentDeskTest, TakesEachCodeOnce) {
  const std::string code = Invite();
  ASSERT_TRUE(Enrol(code, key_).ok());
  EXPECT_EQ(ReasonOf(Enrol(code, KeyPair::Generate().value()).status()), Reason::kCodeUsed);
  EXPECT_TRUE(Enrol(code, key_).ok());  // The same box, whose answer was lost.
}

TEST_F(EnrolmentDeskTest, GivesNothingOutThatIsNotOnDisk) {
  const std::string code = Invite();
  records_.disk = ResourceExhausted("disk full");
  EXPECT_EQ(Enrol(code, key_).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(desk_.Invite(Store("s2")).status().code(), StatusCode::kResourceExhausted);
  records_.disk = OkStatus();
  EXPECT_TRUE(Enrol(code, KeyPair::Generate().value()).ok());  // Nothing was spent.
}

TEST_F(EnrolmentDeskTest, RefusesUnknownAndMalformedCodes) {
  EXPECT_EQ(ReasonOf(Enrol(std::string(32, '0'), key_).status()), Reason::kCodeInvalid);
  EXPECT_EQ(ReasonOf(Enrol("hello", key_).status()), Reason::kCodeInvalid);
  EXPECT_EQ(records_.writes, 0);
}

TEST_F(EnrolmentDeskTest, KeepsTheCodeGoodIfTheRequestIsBad) {
  const std::string code = Invite();
  EXPECT_EQ(desk_.Enrol(code, testing::ForgeRsaCsr(1024)).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(desk_.Enrol(code, testing::ForgeUnprovenCsr()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(desk_.Enrol(code, std::string(1 << 20, 'a')).status().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(Enrol(code, key_).ok());
}

TEST_F(EnrolmentDeskTest, RefusesExpiredCodes) {
  const std::string code = Invite();
  clock_.Advance(EnrolmentPolicy{}.code_lifetime + absl::Seconds(1));
  EXPECT_EQ(ReasonOf(Enrol(code, key_).status()), Reason::kCodeExpired);
}

TEST_F(EnrolmentDeskTest, RenewsOverANewKeyAndRetiresTheOldOneOnFirstUse) {
  const Certificate first = Enrol(Invite(), key_).value();
  clock_.Advance(absl::Hours(48));
  const KeyPair next = KeyPair::Generate().value();
  const Certificate second = desk_.Renew(first, MakeCsr(next).value()).value();
  EXPECT_EQ(second.key_digest(), next.digest());
  EXPECT_EQ(second.not_after(), kNow + absl::Hours(48 + 72));
  EXPECT_TRUE(desk_.Admit(first).ok());
  EXPECT_TRUE(desk_.Admit(second).ok());
  EXPECT_EQ(ReasonOf(desk_.Admit(first).status()), Reason::kDuplicateIdentity);
  EXPECT_EQ(ReasonOf(desk_.Renew(first, MakeCsr(KeyPair::Generate().value()).value()).status()),
            Reason::kDuplicateIdentity);
}

TEST_F(EnrolmentDeskTest, WritesNothingForOrdinaryCalls) {
  const Certificate certificate = Enrol(Invite(), key_).value();
  const int writes = records_.writes;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(desk_.Admit(certificate).ok());
  EXPECT_EQ(records_.writes, writes);
}

TEST_F(EnrolmentDeskTest, TurnsRevokedStoresAwayEverywhere) {
  const std::string code = Invite();
  const Certificate certificate = Enrol(code, key_).value();
  records_.stores[Store("s1")].revoked = true;
  EXPECT_EQ(ReasonOf(desk_.Admit(certificate).status()), Reason::kRevoked);
  EXPECT_EQ(ReasonOf(desk_.Renew(certificate, MakeCsr(KeyPair::Generate().value()).value()).status()),
            Reason::kRevoked);
  EXPECT_EQ(ReasonOf(Enrol(code, key_).status()), Reason::kRevoked);
  EXPECT_EQ(ReasonOf(desk_.Invite(Store("s1")).status()), Reason::kRevoked);
}

TEST_F(EnrolmentDeskTest, KnowsNoStoreThatNeverEnrolledHere) {
  const Certificate stranger =
      authority_.Issue(key_, {testing::StoreIdentity("northwind", "s9"), absl::Hours(1), {}}, kNow, random_).value();
  EXPECT_EQ(ReasonOf(desk_.Admit(stranger).status()), Reason::kUnknownStore);
}

TEST_F(EnrolmentDeskTest, ServesStoresOnly) {
  const Identity admin = Identity::Make(testing::Chain("northwind"), Role::kAdmin, "s1").value();
  const Certificate certificate = authority_.Issue(key_, {admin, absl::Hours(1), {}}, kNow, random_).value();
  EXPECT_EQ(desk_.Admit(certificate).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(desk_.Renew(certificate, MakeCsr(key_).value()).status().code(), StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace aisle

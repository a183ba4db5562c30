#include "coordinator/enrolment/enrolment_desk.h"

#include <gtest/gtest.h>

#include <map>

#include "base/executor.h"
#include "base/identity/statement.h"
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
  Status PutAdopted(const StoreId& store, const AcceptedKeys& keys, absl::Time certificate_expires) override {
    return Write([&] { stores[store] = {.keys = keys, .certificate_expires = certificate_expires}; });
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

// A store that was cut off while its certificate ended: what it sends, and what may be wrong with it.
class LateRenewalTest : public EnrolmentDeskTest {
 protected:
  void SetUp() override {
    first_ = Enrol(Invite(), key_).value();
    clock_.Advance(absl::Hours(24 * 10));
  }
  StatusOr<Certificate> Renew(const Certificate& ended, const KeyPair& by) {
    const std::string csr = MakeCsr(next_).value();
    return desk_.RenewLate(ended.pem(), csr, SignStatement(by, kLateRenewalDomain, csr).value(), authority_.root_pem());
  }
  std::optional<Certificate> first_;
  const KeyPair next_ = KeyPair::Generate().value();
};

TEST_F(LateRenewalTest, TradesACertificateThatEndedLately) {
  ASSERT_FALSE(first_->CheckValidAt(clock_.Now()).ok());
  const Certificate second = Renew(*first_, key_).value();
  EXPECT_EQ(second.identity(), first_->identity());
  EXPECT_EQ(second.key_digest(), next_.digest());
  EXPECT_EQ(second.not_after(), clock_.Now() + EnrolmentPolicy{}.certificate_lifetime);
  EXPECT_TRUE(desk_.Admit(second).ok());
  EXPECT_EQ(ReasonOf(Renew(*first_, key_).status()), Reason::kDuplicateIdentity) << "the old key is spent";
}

TEST_F(LateRenewalTest, EndsAfterAWhile) {
  clock_.Advance(EnrolmentPolicy{}.late_renewal);
  const Status late = Renew(*first_, key_).status();
  EXPECT_EQ(late.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(late).find("aisle store add s1"), std::string_view::npos) << late;
}

TEST_F(LateRenewalTest, NeedsTheEndedCertificatesKeyOverThisRequest) {
  EXPECT_EQ(Renew(*first_, next_).status().code(), StatusCode::kUnauthenticated);
  const std::string csr = MakeCsr(next_).value();
  const std::string other = MakeCsr(KeyPair::Generate().value()).value();
  const auto ask = [&](std::string_view proof) {
    return desk_.RenewLate(first_->pem(), csr, proof, authority_.root_pem()).status().code();
  };
  EXPECT_EQ(ask(SignStatement(key_, kLateRenewalDomain, other).value()), StatusCode::kUnauthenticated);
  EXPECT_EQ(ask(SignStatement(key_, "aisle/other/v1", csr).value()), StatusCode::kUnauthenticated);
  EXPECT_EQ(ask(""), StatusCode::kUnauthenticated);
  EXPECT_EQ(ask(SignStatement(key_, kLateRenewalDomain, csr).value()), StatusCode::kOk);
}

TEST_F(LateRenewalTest, IsRefusedToTheRevokedAndToBoxesThatWereReplaced) {
  const KeyPair box = KeyPair::Generate().value();
  ASSERT_TRUE(Enrol(Invite(), box).ok());
  EXPECT_EQ(ReasonOf(Renew(*first_, key_).status()), Reason::kDuplicateIdentity);
  records_.stores[Store("s1")].revoked = true;
  EXPECT_EQ(ReasonOf(Renew(*first_, key_).status()), Reason::kRevoked);
}

TEST_F(LateRenewalTest, BelievesNoCertificateOfAForeignRoot) {
  const CertificateAuthority foreign = testing::NewAuthority();
  const Certificate forged = foreign.Issue(key_, {first_->identity(), absl::Hours(72), {}}, kNow, random_).value();
  EXPECT_EQ(Renew(forged, key_).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(desk_.RenewLate("no certificate", "", "", authority_.root_pem()).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(EnrolmentDeskTest, IssuesUnderAnotherRootFromOneMomentOn) {
  const Certificate first = Enrol(Invite(), key_).value();
  const CertificateAuthority next = testing::NewAuthority();
  desk_.ChangeAuthority(next);
  const Certificate second = desk_.Renew(first, MakeCsr(KeyPair::Generate().value()).value()).value();
  EXPECT_TRUE(second.CheckIssuedBy(next.root_pem(), kNow).ok());
  EXPECT_TRUE(desk_.Admit(first).ok()) << "whom the old one certified is still a store";
}

TEST_F(EnrolmentDeskTest, RecognisesACallerWhoseKeyWasRenewedMeanwhile) {
  const Certificate first = Enrol(Invite(), key_).value();
  const Certificate second = desk_.Renew(first, MakeCsr(KeyPair::Generate().value()).value()).value();
  ASSERT_TRUE(desk_.Admit(second).ok());
  EXPECT_FALSE(desk_.Admit(first).ok());
  EXPECT_EQ(desk_.Recognise(first).value().str(), "s1");
  records_.stores[Store("s1")].revoked = true;
  EXPECT_EQ(ReasonOf(desk_.Recognise(first).status()), Reason::kRevoked);
}

// A coordinator restored from a backup of an hour ago: what was issued since isn't in its records.
class RestoredDeskTest : public EnrolmentDeskTest {
 protected:
  RestoredDeskTest() {
    known_ = Enrol(Invite(), key_).value();
    records_.stores[Store("s1")].certificate_expires = known_->not_after();
    meanwhile_ = Issued("s1", meanwhile_key_, kNow + absl::Minutes(30));
    clock_.Advance(absl::Hours(1));
    desk_.TrustIssuedBetween(kNow, kNow + absl::Hours(1));
  }
  Certificate Issued(std::string_view store, const KeyPair& key, absl::Time at) {
    return authority_
        .Issue(key, {testing::StoreIdentity("northwind", std::string(store)), absl::Hours(72), {}}, at, random_)
        .value();
  }
  const KeyPair meanwhile_key_ = KeyPair::Generate().value();
  std::optional<Certificate> known_;
  std::optional<Certificate> meanwhile_;  // Of the same store, renewed by the coordinator that was lost.
};

TEST_F(RestoredDeskTest, AKeyThatWasRenewedSinceIsTheStoresAndTheOldOneIsNot) {
  EXPECT_EQ(desk_.Admit(*meanwhile_).value().str(), "s1");
  EXPECT_EQ(records_.stores[Store("s1")].keys.current, meanwhile_key_.digest());
  EXPECT_EQ(ReasonOf(desk_.Admit(*known_).status()), Reason::kDuplicateIdentity) << "it ends earlier";
  EXPECT_TRUE(desk_.Admit(*meanwhile_).ok());
}

TEST_F(RestoredDeskTest, AStoreThatJoinedSinceIsKnownByItsCertificate) {
  const Certificate joined = Issued("s9", KeyPair::Generate().value(), kNow + absl::Minutes(50));
  EXPECT_EQ(desk_.Admit(joined).value().str(), "s9");
  EXPECT_EQ(records_.stores[Store("s9")].certificate_expires, joined.not_after());
}

TEST_F(RestoredDeskTest, ItMayRenewAtOnce) {
  const KeyPair next = KeyPair::Generate().value();
  const Certificate renewed = desk_.Renew(*meanwhile_, MakeCsr(next).value()).value();
  EXPECT_TRUE(desk_.Admit(renewed).ok());
  EXPECT_EQ(desk_.Admit(*meanwhile_).status().code(), StatusCode::kUnauthenticated);
}

TEST_F(RestoredDeskTest, WhatWasIssuedBeforeOrAfterIsJudgedAsEver) {
  clock_.Advance(absl::Hours(2));
  const KeyPair other = KeyPair::Generate().value();
  for (const absl::Time at : {kNow - absl::Hours(1), clock_.Now()}) {
    EXPECT_EQ(ReasonOf(desk_.Admit(Issued("s1", other, at)).status()), Reason::kDuplicateIdentity);
    EXPECT_EQ(ReasonOf(desk_.Admit(Issued("s9", other, at)).status()), Reason::kUnknownStore);
  }
}

TEST_F(RestoredDeskTest, RevokedStoresStaySo) {
  records_.stores[Store("s1")].revoked = true;
  EXPECT_EQ(ReasonOf(desk_.Admit(*meanwhile_).status()), Reason::kRevoked);
}

TEST_F(RestoredDeskTest, AnEndedCertificateIsAdoptedOnlyOnceItIsProven) {
  const std::string csr = MakeCsr(KeyPair::Generate().value()).value();
  const auto renew = [&](const Certificate& ended, const KeyPair& key) {
    return desk_.RenewLate(ended.pem(), csr, SignStatement(key, kLateRenewalDomain, csr).value(),
                           authority_.root_pem());
  };
  const KeyPair thief = KeyPair::Generate().value();
  const CertificateAuthority foreign = testing::NewAuthority();
  const Certificate forged = foreign.Issue(thief, {meanwhile_->identity(), absl::Hours(73), {}}, kNow, random_).value();
  clock_.Advance(absl::Hours(24 * 4));
  const AcceptedKeys before = records_.stores[Store("s1")].keys;
  EXPECT_FALSE(renew(forged, thief).ok());
  EXPECT_FALSE(renew(*meanwhile_, thief).ok()) << "the proof isn't its key's";
  EXPECT_EQ(records_.stores[Store("s1")].keys, before);
  EXPECT_TRUE(renew(*meanwhile_, meanwhile_key_).ok());
}

}  // namespace
}  // namespace aisle

#include "base/identity/trusted_roots.h"

#include <gtest/gtest.h>

#include "base/identity/authority.h"
#include "base/identity/openssl.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;

class TrustedRootsTest : public ::testing::Test {
 protected:
  std::string Issue(const CertificateAuthority& authority, absl::Duration lifetime = absl::Hours(72)) {
    const KeyPair key = KeyPair::Generate().value();
    return authority.Issue(key, {testing::StoreIdentity("northwind", "s1"), lifetime, {}}, kNow, random_)->pem();
  }
  TrustedCertificates Under(const std::string& roots_pem, size_t size = 8) {
    return {TrustedRoots::FromPem(roots_pem).value(), size};
  }
  SecureRandom random_;
  CertificateAuthority ours_ = testing::NewAuthority();
  CertificateAuthority foreign_ = testing::NewAuthority();
};

TEST_F(TrustedRootsTest, AreNeverNone) {
  EXPECT_EQ(TrustedRoots::FromPem("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(TrustedRoots::FromPem("nonsense").status().code(), StatusCode::kInvalidArgument);
  const std::string long_pem(kRootsSizeMax + 1, 'a');
  EXPECT_EQ(TrustedRoots::FromPem(long_pem).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(TrustedRootsTest, SayHowLongTheirWordHolds) {
  const Certificate certificate = Certificate::FromPem(Issue(ours_)).value();
  const auto span = TrustedRoots::FromPem(foreign_.root_pem() + ours_.root_pem())->Check(certificate, kNow);
  ASSERT_TRUE(span.ok()) << MessageOf(span.status());
  EXPECT_EQ(span->from, certificate.not_before());
  EXPECT_EQ(span->until, certificate.not_after());
}

TEST_F(TrustedRootsTest, WhatWasProvenIsBelievedAgainWhileItIsValid) {
  TrustedCertificates known = Under(ours_.root_pem());
  const std::string pem = Issue(ours_);
  const absl::Time end = known.Find(pem, kNow)->not_after();
  for (const absl::Time now : {kNow, end, kNow - absl::Minutes(10)}) {
    const StatusOr<Certificate> again = known.Find(pem, now);
    ASSERT_TRUE(again.ok()) << MessageOf(again.status());
    EXPECT_EQ(again->pem(), pem);
  }
  EXPECT_EQ(known.Find(pem, end + absl::Seconds(1)).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(known.Find(pem, kNow - absl::Hours(2)).status().code(), StatusCode::kUnauthenticated);
  EXPECT_TRUE(known.Find(pem, kNow).ok()) << "a clock that was set right again";
}

TEST_F(TrustedRootsTest, WhatWasOnlyParsedIsNotBelieved) {
  TrustedCertificates known = Under(ours_.root_pem());
  const std::string foreign = Issue(foreign_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(known.Parse(foreign)->pem(), foreign);
    EXPECT_EQ(known.Find(foreign, kNow).status().code(), StatusCode::kUnauthenticated);
  }
  EXPECT_EQ(known.Parse("no certificate").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(known.Find("no certificate", kNow).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(TrustedRootsTest, AnotherCertificateWithTheSameKeyIsProvenForItself) {
  TrustedCertificates known = Under(ours_.root_pem());
  const KeyPair key = KeyPair::Generate().value();
  const CertificateTerms terms{testing::StoreIdentity("northwind", "s1"), absl::Hours(1), {}};
  ASSERT_TRUE(known.Find(ours_.Issue(key, terms, kNow, random_)->pem(), kNow).ok());
  EXPECT_FALSE(known.Find(foreign_.Issue(key, terms, kNow, random_)->pem(), kNow).ok());
}

TEST_F(TrustedRootsTest, AFullMemoryForgetsAndProvesAnew) {
  TrustedCertificates known = Under(ours_.root_pem(), 2);
  const std::vector<std::string> pems = {Issue(ours_), Issue(ours_), Issue(ours_)};
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(known.Find(pems[static_cast<size_t>(i % 3)], kNow).ok());
}

TEST_F(TrustedRootsTest, ACertifiedKeyHasTheDigestOfTheKeyPair) {
  const KeyPair key = KeyPair::Generate().value();
  const CertificateTerms terms{testing::StoreIdentity("northwind", "s1"), absl::Hours(1), {}};
  const Certificate certificate = ours_.Issue(key, terms, kNow, random_).value();
  EXPECT_EQ(certificate.key_digest(), key.digest());
  EXPECT_EQ(openssl::DigestOfCertifiedKey(certificate.handle()).value(),
            openssl::DigestOfPublicKey(X509_get0_pubkey(certificate.handle())).value());
}

}  // namespace
}  // namespace aisle

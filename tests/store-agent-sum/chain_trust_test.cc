#include "store-agent/sum/chain_trust.h"

#include <gtest/gtest.h>

#include "base/identity/statement.h"
#include "tests/store-agent-sum/played_sum.h"

namespace aisle {
namespace {

constexpr std::string_view kDomain = "aisle/test/v1";

class ChainTrustTest : public ::testing::Test {
 protected:
  Status Store(const TlsIdentity& signer, std::string_view store, std::string_view message = "said") const {
    return trust_.verify_store(signer.certificate.pem(), StoreId::Parse(store).value(), kDomain, message,
                               SignStatement(signer.key, kDomain, "said").value());
  }
  Status Headquarters(const TlsIdentity& signer) const {
    return trust_.verify_headquarters(signer.certificate.pem(), kDomain, "said",
                                      SignStatement(signer.key, kDomain, "said").value());
  }

  PlayedChain chain_;
  PlayedChain foreign_;  // The same name, other roots.
  TlsIdentity own_ = chain_.Issue(Role::kStore, "s1");
  TlsIdentity other_ = chain_.Issue(Role::kStore, "s2");
  TlsIdentity coordinator_ = chain_.Issue(Role::kCoordinator, "hq");
  TrustedCertificates known_{TrustedRoots::FromPem(own_.ca_pem).value(), 8};
  const ChainName& name_ = own_.certificate.identity().chain;
  secagg::Trust trust_ = ChainTrust(known_, name_, absl::Now());
};

TEST_F(ChainTrustTest, BelievesWhatAStoreOfTheChainSigned) {
  EXPECT_TRUE(Store(other_, "s2").ok());
  EXPECT_EQ(Store(other_, "s2", "something else").code(), StatusCode::kUnauthenticated);
}

TEST_F(ChainTrustTest, AStoreSpeaksForItselfOnly) {
  EXPECT_EQ(Store(other_, "s3").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Headquarters(other_).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Store(coordinator_, "hq").code(), StatusCode::kPermissionDenied);
  EXPECT_TRUE(Headquarters(coordinator_).ok());
}

TEST_F(ChainTrustTest, WhatWasProvenIsNoWordForAnotherSpeakerOrAnotherStatement) {
  ASSERT_TRUE(Store(other_, "s2").ok());
  EXPECT_TRUE(Store(other_, "s2").ok());
  EXPECT_EQ(Store(other_, "s3").code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Store(other_, "s2", "something else").code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Headquarters(other_).code(), StatusCode::kPermissionDenied);
  const ChainName southwind = ChainName::Parse("southwind").value();
  const std::string signature = SignStatement(other_.key, kDomain, "said").value();
  EXPECT_EQ(ChainTrust(known_, southwind, absl::Now())
                .verify_store(other_.certificate.pem(), StoreId::Parse("s2").value(), kDomain, "said", signature)
                .code(),
            StatusCode::kUnauthenticated);
}

TEST_F(ChainTrustTest, CertificatesOfOtherRootsAreForged) {
  EXPECT_EQ(Store(foreign_.Issue(Role::kStore, "s2"), "s2").code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(Headquarters(foreign_.Issue(Role::kCoordinator, "hq")).code(), StatusCode::kUnauthenticated);
  PlayedChain other_name("southwind");
  EXPECT_EQ(Store(other_name.Issue(Role::kStore, "s2"), "s2").code(), StatusCode::kUnauthenticated);
}

TEST_F(ChainTrustTest, CertificatesEnd) {
  ASSERT_TRUE(Store(other_, "s2").ok()) << "proven once";
  const secagg::Trust later = ChainTrust(known_, name_, absl::Now() + absl::Hours(100));
  const std::string signature = SignStatement(other_.key, kDomain, "said").value();
  EXPECT_EQ(
      later.verify_store(other_.certificate.pem(), StoreId::Parse("s2").value(), kDomain, "said", signature).code(),
      StatusCode::kUnauthenticated);
}

TEST_F(ChainTrustTest, KeysAreKnownByTheirDigests) {
  EXPECT_EQ(trust_.key_of(other_.certificate.pem()).value(), other_.certificate.key_digest());
  EXPECT_FALSE(trust_.key_of("no certificate").ok());
  EXPECT_FALSE(trust_.verify_headquarters("no certificate", kDomain, "", "").ok());
}

}  // namespace
}  // namespace aisle

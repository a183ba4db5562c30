#include "base/identity/authority.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;

CertificateTerms StoreTerms(std::string_view chain = "northwind") {
  return {testing::StoreIdentity(chain, "s1"), absl::Hours(72), {}};
}

CertificateTerms CoordinatorTerms(std::vector<std::string> names) {
  return {Identity::Make(testing::Chain("northwind"), Role::kCoordinator, "hq").value(), absl::Hours(72),
          std::move(names)};
}

class AuthorityTest : public ::testing::Test {
 protected:
  StatusOr<Certificate> Issue(const CertificateTerms& terms) {
    return authority_.IssueFromCsr(MakeCsr(key_).value(), terms, kNow, random_);
  }
  SecureRandom random_;
  KeyPair key_ = KeyPair::Generate().value();
  CertificateAuthority authority_ = testing::NewAuthority();
};

TEST_F(AuthorityTest, CertifiesTheKeyOfTheRequestUnderTheNameOfTheTerms) {
  const Certificate certificate = Issue(StoreTerms()).value();
  EXPECT_EQ(certificate.identity(), testing::StoreIdentity("northwind", "s1"));
  EXPECT_EQ(certificate.key_digest(), key_.digest());
  EXPECT_EQ(certificate.not_before(), kNow - kBackdating);
  EXPECT_EQ(certificate.not_after(), kNow + absl::Hours(72));
  EXPECT_TRUE(certificate.CheckIssuedBy(authority_.root_pem(), kNow).ok());
  EXPECT_TRUE(certificate.CheckMatches(key_).ok());
  EXPECT_EQ(certificate.CheckMatches(KeyPair::Generate().value()).code(), StatusCode::kInvalidArgument);
}

TEST_F(AuthorityTest, NeverGivesASerialTwice) {
  std::set<std::string> serials;
  for (int i = 0; i < 50; ++i) serials.insert(Issue(StoreTerms()).value().serial());
  EXPECT_EQ(serials.size(), 50u);
  for (const std::string& serial : serials) EXPECT_EQ(serial.size(), 32u);
}

TEST_F(AuthorityTest, NamesACoordinatorsServers) {
  const Certificate certificate = Issue(CoordinatorTerms({"hq.example", "localhost", "127.0.0.1", "::1"})).value();
  EXPECT_EQ(certificate.ServerNames().value(),
            (std::vector<std::string>{"hq.example", "localhost", "127.0.0.1", "::1"}));
  EXPECT_TRUE(certificate.CheckIssuedBy(authority_.root_pem(), kNow).ok());
}

TEST_F(AuthorityTest, RefusesNamesThatAreNone) {
  for (const char* name : {"", "*", "*.example", "a b", ".example", "a..b", "-a", "a/b", "a,DNS:b"}) {
    EXPECT_EQ(Issue(CoordinatorTerms({name})).status().code(), StatusCode::kInvalidArgument) << name;
  }
  EXPECT_FALSE(Issue(CoordinatorTerms(std::vector<std::string>(33, "a"))).ok());
}

TEST_F(AuthorityTest, GivesStoresNoServerNames) {
  CertificateTerms terms = StoreTerms();
  terms.server_names = {"localhost"};
  EXPECT_EQ(Issue(terms).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(AuthorityTest, CertifiesOnlyItsOwnChain) {
  EXPECT_EQ(Issue(StoreTerms("southwind")).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(AuthorityTest, RefusesLivesThatAreNone) {
  CertificateTerms terms = StoreTerms();
  terms.lifetime = absl::ZeroDuration();
  EXPECT_EQ(Issue(terms).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(AuthorityTest, PromisesNothingPastItsOwnEnd) {
  const absl::Time late = authority_.not_after() - absl::Hours(1);
  const Certificate certificate = authority_.Issue(key_, StoreTerms(), late, random_).value();
  EXPECT_EQ(certificate.not_after(), authority_.not_after());
  EXPECT_EQ(authority_.Issue(key_, StoreTerms(), late + absl::Hours(2), random_).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(AuthorityTest, RefusesBadRequests) {
  for (const std::string& csr : {testing::ForgeUnprovenCsr(), testing::ForgeRsaCsr(1024), std::string("x")}) {
    EXPECT_EQ(authority_.IssueFromCsr(csr, StoreTerms(), kNow, random_).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST_F(AuthorityTest, ComesBackFromItsTwoFiles) {
  KeyPair key = KeyPair::Generate().value();
  const CertificateAuthority made =
      CertificateAuthority::Create(testing::Chain("northwind"), key.Clone(), kNow, random_).value();
  const CertificateAuthority loaded = CertificateAuthority::FromPem(made.root_pem(), std::move(key)).value();
  EXPECT_EQ(loaded.chain().str(), "northwind");
  EXPECT_EQ(loaded.not_after(), kNow + kRootLifetime);
  const Certificate certificate = loaded.Issue(key_, StoreTerms(), kNow, random_).value();
  EXPECT_TRUE(certificate.CheckIssuedBy(made.root_pem(), kNow).ok());
}

TEST_F(AuthorityTest, IsNotMadeOfOtherPeoplesCertificates) {
  EXPECT_FALSE(CertificateAuthority::FromPem(authority_.root_pem(), KeyPair::Generate().value()).ok());
  const Certificate leaf = Issue(StoreTerms()).value();
  EXPECT_FALSE(CertificateAuthority::FromPem(leaf.pem(), key_.Clone()).ok());
  EXPECT_FALSE(CertificateAuthority::FromPem("", KeyPair::Generate().value()).ok());
}

}  // namespace
}  // namespace aisle

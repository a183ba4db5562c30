#include "base/identity/trusted_roots.h"

#include <gtest/gtest.h>

#include "base/identity/authority.h"
#include "base/identity/der.h"
#include "base/identity/issued_form.h"
#include "base/identity/openssl.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;

constexpr size_t kBitsChanged = 3;  // Apart: every byte is changed.

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
  const Certificate certificate = Certificate::FromPem(pem).value();
  const absl::Time end = certificate.not_after();
  for (const absl::Time now : {kNow, end, kNow - absl::Minutes(10)}) {
    const StatusOr<std::shared_ptr<const Party>> again = known.Find(pem, now);
    ASSERT_TRUE(again.ok()) << MessageOf(again.status());
    EXPECT_EQ((*again)->identity, certificate.identity());
    EXPECT_EQ((*again)->key_digest, certificate.key_digest());
  }
  EXPECT_EQ(known.Find(pem, end + absl::Seconds(1)).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(known.Find(pem, kNow - absl::Hours(2)).status().code(), StatusCode::kUnauthenticated);
  EXPECT_TRUE(known.Find(pem, kNow).ok()) << "a clock that was set right again";
}

TEST_F(TrustedRootsTest, WhatWasOnlyParsedIsNotBelieved) {
  TrustedCertificates known = Under(ours_.root_pem());
  const std::string foreign = Issue(foreign_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(known.KeyDigestOf(foreign).value(), Certificate::FromPem(foreign)->key_digest());
    EXPECT_EQ(known.Find(foreign, kNow).status().code(), StatusCode::kUnauthenticated);
  }
  EXPECT_EQ(known.KeyDigestOf("no certificate").status().code(), StatusCode::kInvalidArgument);
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

// What Prove says is what OpenSSL says alone: the same verdict, party and life. Returns whether it was good.
bool ProvesAsOpenSslDoes(const TrustedRoots& roots, const std::string& pem, absl::Time now) {
  const StatusOr<TrustedRoots::Proven> proven = roots.Prove(pem, now);
  const StatusOr<Certificate> certificate = Certificate::FromPem(pem);
  const StatusOr<TrustedRoots::Span> valid =
      certificate.ok() ? roots.Check(*certificate, now) : StatusOr<TrustedRoots::Span>(certificate.status());
  EXPECT_EQ(proven.status().code(), valid.status().code()) << MessageOf(proven.status());
  if (!proven.ok() || !valid.ok()) return false;
  EXPECT_EQ(proven->party->identity, certificate->identity());
  EXPECT_EQ(proven->party->key_digest, certificate->key_digest());
  EXPECT_EQ(proven->valid.from, valid->from);
  EXPECT_EQ(proven->valid.until, valid->until);
  return true;
}

TEST_F(TrustedRootsTest, ProveTheirOwnAtEveryTimeAsOpenSslDoes) {
  const TrustedRoots roots = TrustedRoots::FromPem(foreign_.root_pem() + ours_.root_pem()).value();
  for (const absl::Duration lifetime : {absl::Hours(72), kRootLifetime}) {
    const std::string pem = Issue(ours_, lifetime);
    const Certificate certificate = Certificate::FromPem(pem).value();
    int good = 0;
    for (const absl::Time edge : {certificate.not_before(), kNow, certificate.not_after()}) {
      for (const double seconds : {-1.0, -0.5, 0.0, 0.5, 1.0}) {
        good += ProvesAsOpenSslDoes(roots, pem, edge + absl::Seconds(seconds)) ? 1 : 0;
      }
    }
    EXPECT_EQ(good, 3 + 5 + 2);
  }
}

// The root signs each: nothing but what is in them decides.
TEST_F(TrustedRootsTest, WhateverARootSignsIsProvenAsOpenSslDoes) {
  const KeyPair key = KeyPair::Generate().value();
  const auto authority = CertificateAuthority::Create(testing::Chain("northwind"), key.Clone(), kNow, random_).value();
  const TrustedRoots roots = TrustedRoots::FromPem(authority.root_pem()).value();
  const std::string der = der::FromCertificatePem(Issue(authority)).value();
  std::string signed_part(ReadIssuedForm(der)->signed_part);
  ASSERT_TRUE(ProvesAsOpenSslDoes(roots, testing::SignAsCertificate(signed_part, key), kNow));
  int good = 0;
  for (size_t bit = 0; bit < 8 * signed_part.size(); bit += kBitsChanged) {
    const char mask = static_cast<char>(1 << bit % 8);
    signed_part[bit / 8] = static_cast<char>(signed_part[bit / 8] ^ mask);
    const std::string pem = testing::SignAsCertificate(signed_part, key);
    signed_part[bit / 8] = static_cast<char>(signed_part[bit / 8] ^ mask);
    const std::optional<std::string> changed = der::FromCertificatePem(pem);
    if (!changed || !ReadIssuedForm(*changed)) continue;  // OpenSSL alone decides.
    good += ProvesAsOpenSslDoes(roots, pem, kNow) ? 1 : 0;
    if (HasFailure()) FAIL() << "bit " << bit;
  }
  EXPECT_GT(good, 50) << "serial numbers and key identifiers are anybody's";
}

TEST_F(TrustedRootsTest, AnothersSignatureProvesNothing) {
  const TrustedRoots roots = TrustedRoots::FromPem(ours_.root_pem()).value();
  const std::string der = der::FromCertificatePem(Issue(ours_)).value();
  const std::string pem = testing::SignAsCertificate(ReadIssuedForm(der)->signed_part, KeyPair::Generate().value());
  EXPECT_EQ(roots.Prove(pem, kNow).status().code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(roots.Prove(Issue(foreign_), kNow).status().code(), StatusCode::kUnauthenticated);
}

TEST_F(TrustedRootsTest, AKeyOffTheCurveIsNobodys) {
  const KeyPair key = KeyPair::Generate().value();
  const auto authority = CertificateAuthority::Create(testing::Chain("northwind"), key.Clone(), kNow, random_).value();
  const std::string der = der::FromCertificatePem(Issue(authority)).value();
  const std::optional<IssuedForm> form = ReadIssuedForm(der);
  std::string signed_part(form->signed_part);
  const auto last = static_cast<size_t>(form->key_info.data() + form->key_info.size() - 1 - form->signed_part.data());
  signed_part[last] = static_cast<char>(signed_part[last] ^ 1);
  const std::string pem = testing::SignAsCertificate(signed_part, key);
  EXPECT_EQ(TrustedRoots::FromPem(authority.root_pem())->Prove(pem, kNow).status().code(),
            StatusCode::kInvalidArgument);
}

// A root with any bit changed that still vouches by form is one that OpenSSL lets vouch, too.
TEST_F(TrustedRootsTest, ARootVouchesByFormOnlyWhereOpenSslLetsIt) {
  const KeyPair key = KeyPair::Generate().value();
  const auto authority = CertificateAuthority::Create(testing::Chain("northwind"), key.Clone(), kNow, random_).value();
  const std::string pem = Issue(authority);
  std::string root = der::FromCertificatePem(authority.root_pem()).value();
  int good = 0;
  for (size_t bit = 0; bit < 8 * root.size(); bit += kBitsChanged) {
    root[bit / 8] = static_cast<char>(root[bit / 8] ^ (1 << bit % 8));
    const bool by_form = ReadRootForm(root).has_value();
    const StatusOr<TrustedRoots> roots =
        by_form ? TrustedRoots::FromPem(testing::PemOfDer(root)) : InvalidArgument("of no form");
    root[bit / 8] = static_cast<char>(root[bit / 8] ^ (1 << bit % 8));
    if (!roots.ok()) continue;
    good += ProvesAsOpenSslDoes(*roots, pem, kNow) ? 1 : 0;
    if (HasFailure()) FAIL() << "bit " << bit;
  }
  EXPECT_GT(good, 50) << "what a root says about its own serial number and signature is nobody's business";
}

struct RootCase {
  std::string name;
  std::vector<testing::ForgedExtension> changed;
  bool ours = false;  // Read by form.
  bool good = false;  // Its store is believed.
};

class RootFormTest : public ::testing::TestWithParam<RootCase> {};

// A root that says more or less than ours is OpenSSL's to judge.
TEST_P(RootFormTest, OnlyOursVouchByForm) {
  const RootCase& test = GetParam();
  SecureRandom random;
  const KeyPair key = KeyPair::Generate().value();
  const std::string root = testing::ForgeRoot(key, test.changed);
  const auto model = CertificateAuthority::Create(testing::Chain("northwind"), key.Clone(), kNow, random).value();
  const CertificateTerms terms{testing::StoreIdentity("northwind", "s1"), absl::Hours(1), {}};
  const std::string pem = model.Issue(KeyPair::Generate().value(), terms, kNow, random)->pem();
  const auto parsed = openssl::ParseCertificates(root).value();
  EXPECT_EQ(Issuer::FromRoot(parsed.front().get()).has_value(), test.ours);
  EXPECT_EQ(ProvesAsOpenSslDoes(TrustedRoots::FromPem(root).value(), pem, kNow), test.good);
}

INSTANTIATE_TEST_SUITE_P(
    , RootFormTest,
    ::testing::Values(
        RootCase{.name = "Ours", .changed = {}, .ours = true, .good = true},
        RootCase{.name = "NoAuthority", .changed = {{NID_basic_constraints, "critical,CA:FALSE"}}},
        RootCase{.name = "SignsNoCertificates", .changed = {{NID_key_usage, "critical,cRLSign"}}},
        RootCase{.name = "ConstraintsNotCritical", .changed = {{NID_basic_constraints, "CA:TRUE,pathlen:0"}}},
        RootCase{.name = "NoKeyId", .changed = {{NID_subject_key_identifier, ""}, {NID_authority_key_identifier, ""}}},
        RootCase{.name = "ForeignNames",
                 .changed = {{NID_name_constraints, "critical,permitted;URI:elsewhere.example"}}},
        RootCase{.name = "ServersOnly", .changed = {{NID_ext_key_usage, "serverAuth"}}},
        RootCase{.name = "UnknownAndCritical", .changed = {{NID_netscape_comment, "critical,DER:0500"}}},
        RootCase{.name = "WithAComment", .changed = {{NID_netscape_comment, "hello"}}, .good = true}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace aisle

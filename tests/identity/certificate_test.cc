#include "base/identity/certificate.h"

#include <gtest/gtest.h>

#include "base/identity/authority.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::ForgeCertificate;
using testing::ForgedName;
using testing::kNow;
using Form = ForgedName::Form;

constexpr const char* kStoreUri = "aisle://northwind/store/s1";

Certificate IssuedCertificate(const CertificateAuthority& authority, absl::Duration lifetime = absl::Hours(72)) {
  SecureRandom random;
  const KeyPair key = KeyPair::Generate().value();
  return authority.Issue(key, {testing::StoreIdentity("northwind", "s1"), lifetime, {}}, kNow, random).value();
}

TEST(CertificateTest, TellsWhoItIsAbout) {
  const Certificate certificate = Certificate::FromPem(ForgeCertificate({{Form::kUri, kStoreUri}})).value();
  EXPECT_EQ(certificate.identity().Uri(), kStoreUri);
  EXPECT_EQ(certificate.serial(), "07");
  EXPECT_EQ(certificate.not_before(), kNow);
  EXPECT_EQ(certificate.not_after(), kNow + absl::Hours(1));
}

struct NamesCase {
  std::string name;
  std::vector<ForgedName> names;
};

class RefusedNamesTest : public ::testing::TestWithParam<NamesCase> {};

TEST_P(RefusedNamesTest, MakesNoCertificate) {
  EXPECT_EQ(Certificate::FromPem(ForgeCertificate(GetParam().names)).status().code(), StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedNamesTest,
    ::testing::Values(NamesCase{"None", {}}, NamesCase{"OnlyDns", {{Form::kDns, "s1"}}},
                      NamesCase{"UriAsDns", {{Form::kDns, kStoreUri}}},
                      NamesCase{"UriAsEmail", {{Form::kEmail, kStoreUri}}},
                      NamesCase{"TwoUris", {{Form::kUri, kStoreUri}, {Form::kUri, "aisle://northwind/admin/a"}}},
                      NamesCase{"TheSameUriTwice", {{Form::kUri, kStoreUri}, {Form::kUri, kStoreUri}}},
                      NamesCase{"AnotherUriBeside", {{Form::kUri, kStoreUri}, {Form::kUri, "https://example.com"}}},
                      NamesCase{"StoreWithDns", {{Form::kUri, kStoreUri}, {Form::kDns, "localhost"}}},
                      NamesCase{"StoreWithIp", {{Form::kUri, kStoreUri}, {Form::kIp, std::string("\x7f\0\0\1", 4)}}},
                      NamesCase{"AdminWithDns", {{Form::kUri, "aisle://northwind/admin/a"}, {Form::kDns, "localhost"}}},
                      NamesCase{"OddIp",
                                {{Form::kUri, "aisle://northwind/coordinator/c"}, {Form::kIp, std::string(5, 'a')}}},
                      NamesCase{"Email", {{Form::kUri, kStoreUri}, {Form::kEmail, "a@b"}}},
                      NamesCase{"NulInUri", {{Form::kUri, std::string("aisle://northwind/store/s1\0.evil", 32)}}},
                      NamesCase{"ForeignScheme", {{Form::kUri, "spiffe://northwind/store/s1"}}}),
    [](const auto& test) { return test.param.name; });

TEST(CertificateTest, IsNeverAnAuthoritys) {
  EXPECT_FALSE(Certificate::FromPem(ForgeCertificate({{Form::kUri, kStoreUri}}, /*is_authority=*/true)).ok());
  EXPECT_FALSE(Certificate::FromPem(testing::NewAuthority().root_pem()).ok());
}

TEST(CertificateTest, HoldsAP256Key) {
  const Status status = Certificate::FromPem(testing::ForgeRsaCertificate(kStoreUri)).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find("RSA"), std::string_view::npos);
}

TEST(CertificateTest, IsOneBlockOfPem) {
  const std::string pem = ForgeCertificate({{Form::kUri, kStoreUri}});
  EXPECT_FALSE(Certificate::FromPem("").ok());
  EXPECT_FALSE(Certificate::FromPem("nonsense").ok());
  EXPECT_FALSE(Certificate::FromPem(pem + pem).ok());
  EXPECT_FALSE(Certificate::FromPem(pem.substr(0, pem.size() / 2)).ok());
  EXPECT_FALSE(Certificate::FromPem(std::string(kCertificateSizeMax + 1, 'a')).ok());
  std::string broken_after = pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_FALSE(Certificate::FromPem(broken_after).ok());
}

TEST(CertificateTest, IsValidFromItsBeginningToItsEnd) {
  const Certificate certificate = IssuedCertificate(testing::NewAuthority());
  EXPECT_TRUE(certificate.CheckValidAt(kNow).ok());
  EXPECT_TRUE(certificate.CheckValidAt(certificate.not_before()).ok());
  EXPECT_TRUE(certificate.CheckValidAt(certificate.not_after()).ok());
  EXPECT_EQ(certificate.CheckValidAt(certificate.not_before() - absl::Seconds(1)).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(certificate.CheckValidAt(certificate.not_after() + absl::Seconds(1)).code(), StatusCode::kUnauthenticated);
}

TEST(CertificateTest, IsUsableAtOnceByAStoreWhoseClockIsTenMinutesOff) {
  const Certificate certificate = IssuedCertificate(testing::NewAuthority());
  EXPECT_TRUE(certificate.CheckValidAt(kNow - absl::Minutes(10)).ok());
  EXPECT_TRUE(certificate.CheckValidAt(kNow + absl::Minutes(10)).ok());
}

TEST(CertificateTest, RenewsAtTwoThirdsOfItsLife) {
  const Certificate certificate = IssuedCertificate(testing::NewAuthority(), absl::Hours(71));  // And one backdated.
  EXPECT_EQ(certificate.RenewAt(), certificate.not_before() + absl::Hours(48));
}

TEST(CertificateTest, IsTrustedOnlyUnderItsOwnRootAndInItsTime) {
  const CertificateAuthority ours = testing::NewAuthority();
  const CertificateAuthority foreign = testing::NewAuthority();
  const Certificate certificate = IssuedCertificate(ours);
  EXPECT_TRUE(certificate.CheckIssuedBy(ours.root_pem(), kNow).ok());
  EXPECT_TRUE(certificate.CheckIssuedBy(foreign.root_pem() + ours.root_pem(), kNow).ok());
  EXPECT_EQ(certificate.CheckIssuedBy(foreign.root_pem(), kNow).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(certificate.CheckIssuedBy(ours.root_pem(), kNow + absl::Hours(73)).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(certificate.CheckIssuedBy(ours.root_pem(), kNow - absl::Hours(2)).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(certificate.CheckIssuedBy("", kNow).code(), StatusCode::kInvalidArgument);
}

TEST(CertificateTest, SignedByNobodyIsNotTrusted) {
  const Certificate forged = Certificate::FromPem(ForgeCertificate({{Form::kUri, kStoreUri}})).value();
  EXPECT_FALSE(forged.CheckIssuedBy(testing::NewAuthority().root_pem(), kNow).ok());
}

TEST(CertificateTest, ChangedAnywhereIsRefusedOrNotTrusted) {
  const CertificateAuthority authority = testing::NewAuthority();
  const std::string pem = IssuedCertificate(authority).pem();
  const size_t end = pem.rfind("\n-----END");
  int trusted = 0;
  for (size_t i = pem.find('\n') + 1; i < end; i += 3) {
    std::string bad = pem;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    if (bad == pem) continue;
    const StatusOr<Certificate> certificate = Certificate::FromPem(bad);
    if (certificate.ok() && certificate->CheckIssuedBy(authority.root_pem(), kNow).ok()) ++trusted;
  }
  EXPECT_LE(trusted, 1);  // The last character's padding bits.
}

}  // namespace
}  // namespace aisle

#include "base/identity/issued_form.h"

#include <gtest/gtest.h>

#include "base/identity/certificate.h"
#include "base/identity/der.h"
#include "base/identity/p256_key.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;

constexpr size_t kBitsApart = 3;  // Every byte is changed, each in another place than the one before.

struct FormCase {
  std::string name;
  Role role = Role::kStore;
  std::string party = "s1";
  std::vector<std::string> servers = {};
  absl::Time issued = kNow;
};

std::string DerOf(const FormCase& test) {
  SecureRandom random;
  const CertificateAuthority authority = testing::NewAuthority("northwind", test.issued);
  const CertificateTerms terms{Identity::Make(testing::Chain("northwind"), test.role, test.party).value(),
                               absl::Hours(72), test.servers};
  const Certificate certificate = authority.Issue(KeyPair::Generate().value(), terms, test.issued, random).value();
  return der::FromCertificatePem(certificate.pem()).value();
}

// Whatever is read here is what OpenSSL reads, if the key is one. Returns whether anything was.
bool AgreesWithOpenSsl(std::string_view der) {
  const std::optional<IssuedForm> form = ReadIssuedForm(der);
  if (!form || !P256Key::FromInfo(form->key_info).ok()) return false;
  const StatusOr<Certificate> certificate = Certificate::FromPem(testing::PemOfDer(der));
  EXPECT_TRUE(certificate.ok()) << MessageOf(certificate.status());
  if (!certificate.ok()) return true;
  EXPECT_EQ(form->identity, certificate->identity());
  EXPECT_EQ(form->not_before, certificate->not_before());
  EXPECT_EQ(form->not_after, certificate->not_after());
  EXPECT_EQ(Sha256::Of(form->key_info), certificate->key_digest());
  return true;
}

class IssuedFormTest : public ::testing::TestWithParam<FormCase> {};

// Without this every certificate would go to OpenSSL's reader, and nobody would notice but by the clock.
TEST_P(IssuedFormTest, IsWhatTheAuthorityIssues) { EXPECT_TRUE(AgreesWithOpenSsl(DerOf(GetParam()))); }

TEST_P(IssuedFormTest, AnyChangedBitIsRefusedOrReadAsOpenSslReadsIt) {
  std::string der = DerOf(GetParam());
  int read = 0;
  for (size_t bit = 0; bit < 8 * der.size(); bit += kBitsApart) {
    const char mask = static_cast<char>(1 << bit % 8);
    der[bit / 8] = static_cast<char>(der[bit / 8] ^ mask);
    read += AgreesWithOpenSsl(der) ? 1 : 0;
    if (HasFailure()) FAIL() << "bit " << bit;
    der[bit / 8] = static_cast<char>(der[bit / 8] ^ mask);
  }
  EXPECT_GT(read, 150) << "serial numbers, key identifiers and signatures are anybody's";
}

TEST_P(IssuedFormTest, IsRefusedWithAByteMoreOrLess) {
  const std::string der = DerOf(GetParam());
  for (size_t at = 0; at < der.size(); ++at) {
    EXPECT_FALSE(ReadIssuedForm(std::string_view(der).substr(0, at)).has_value()) << at;
    EXPECT_FALSE(ReadIssuedForm(std::string(der).erase(at, 1)).has_value()) << at;
    for (const char extra : {'\0', '\x30', der[at]}) {
      EXPECT_FALSE(ReadIssuedForm(std::string(der).insert(at, 1, extra)).has_value()) << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    , IssuedFormTest,
    ::testing::Values(FormCase{.name = "Store"}, FormCase{.name = "Admin", .role = Role::kAdmin, .party = "ann"},
                      FormCase{.name = "Coordinator",
                               .role = Role::kCoordinator,
                               .party = "hq",
                               .servers = {"hq.example", "::1", "10.0.0.1"}},
                      FormCase{.name = "LongestName", .party = std::string(64, 'x')},
                      FormCase{.name = "After2050", .issued = absl::FromUnixSeconds(2'700'000'000)}),
    [](const auto& test) { return test.param.name; });

TEST(CertificatePemTest, IsOneBlockAsOpenSslWritesIt) {
  const std::string bytes(100, 'x');
  const std::string pem = testing::PemOfDer(bytes);
  EXPECT_EQ(der::FromCertificatePem(pem), bytes);
  for (const std::string& other :
       {pem + pem, "text\n" + pem, pem + "\n", pem.substr(0, pem.size() - 1), std::string(pem).insert(30, " "),
        std::string(pem).replace(pem.find('\n', 40), 1, "\r\n"), std::string(pem).replace(28, 1, "!"), std::string(),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\n"), std::string(kCertificateSizeMax + 1, 'a')}) {
    EXPECT_NE(der::FromCertificatePem(other), bytes) << other.substr(0, 200);
  }
  // Bits that stand for no byte: the same bytes to a lenient reader.
  const std::string padded = testing::PemOfDer(std::string(1, '\0'));
  ASSERT_NE(padded.find("AA=="), std::string::npos);
  EXPECT_TRUE(der::FromCertificatePem(padded).has_value());
  EXPECT_FALSE(der::FromCertificatePem(std::string(padded).replace(padded.find("AA=="), 4, "AB==")).has_value());
}

TEST(DerReaderTest, TakesLengthsInTheirShortestFormOnly) {
  using namespace std::string_view_literals;
  EXPECT_EQ(der::Reader("\x04\x01x"sv).Take(der::kOctetString), "x");
  EXPECT_EQ(der::Reader("\x04\x00"sv).Take(der::kOctetString), "");
  for (const std::string_view bad :
       {""sv, "\x04"sv, "\x04\x01"sv, "\x30\x01x"sv, "\x04\x80x"sv, "\x04\x81\x01x"sv, "\x04\x82\x00\x01x"sv,
        "\x04\x82\x00"sv, "\x04\x83\x00\x00\x01x"sv, "\x04\x82\xff\xffx"sv, "\x04\x84\xff\xff\xff\xffx"sv}) {
    EXPECT_FALSE(der::Reader(bad).Take(der::kOctetString).has_value());
    EXPECT_FALSE(der::Reader(bad).TakeWhole(der::kOctetString).has_value());
  }
  const std::string longer(300, 'x');
  const std::string bytes = "\x04\x82\x01\x2c" + longer + "rest";
  der::Reader reader(bytes);
  EXPECT_EQ(reader.Take(der::kOctetString), longer);
  EXPECT_FALSE(reader.TakeExactly("resting"));
  EXPECT_FALSE(reader.TakeBytes(5).has_value());
  EXPECT_TRUE(reader.TakeExactly("rest") && reader.AtEnd());
}

}  // namespace
}  // namespace aisle

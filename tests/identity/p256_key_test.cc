#include "base/identity/p256_key.h"

#include <gtest/gtest.h>

#include "base/identity/authority.h"
#include "base/identity/der.h"
#include "base/identity/issued_form.h"
#include "base/identity/statement.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

constexpr std::string_view kStatementDomain = "aisle/test/v1";

std::string InfoOf(const KeyPair& key) {
  SecureRandom random;
  const CertificateTerms terms{testing::StoreIdentity("northwind", "s1"), absl::Hours(1), {}};
  const Certificate certificate = testing::NewAuthority().Issue(key, terms, testing::kNow, random).value();
  const std::string der = der::FromCertificatePem(certificate.pem()).value();
  return std::string(ReadIssuedForm(der)->key_info);
}

Digest Signed(std::string_view message) {
  return Sha256::Of(std::string(kStatementDomain) + '\0' + std::string(message));
}

TEST(P256KeyTest, KnowsItsSignaturesFromOthers) {
  const KeyPair key = KeyPair::Generate().value();
  const std::string info = InfoOf(key);
  EXPECT_EQ(Sha256::Of(info), key.digest());
  const P256Key other = P256Key::FromInfo(InfoOf(KeyPair::Generate().value())).value();
  const std::string signature = SignStatement(key, kStatementDomain, "said").value();
  for (const P256Key& ready : {P256Key::FromInfo(info).value(), P256Key::Of(key.handle()).value()}) {
    for (int again = 0; again < 2; ++again) {
      EXPECT_TRUE(ready.HasSigned(Signed("said"), signature));
      EXPECT_FALSE(ready.HasSigned(Signed("not said"), signature));
      EXPECT_FALSE(ready.HasSigned(Signed("said"), signature + '\0'));
      EXPECT_FALSE(ready.HasSigned(Signed("said"), signature.substr(1)));
      EXPECT_FALSE(ready.HasSigned(Signed("said"), ""));
    }
  }
  EXPECT_FALSE(other.HasSigned(Signed("said"), signature));
}

TEST(P256KeyTest, IsAPointOnTheCurveInOneForm) {
  const std::string info = InfoOf(KeyPair::Generate().value());
  for (size_t bit = 0; bit < 8 * info.size(); bit += 5) {
    std::string changed = info;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(P256Key::FromInfo(changed).status().code(), StatusCode::kInvalidArgument) << bit;
  }
  EXPECT_FALSE(P256Key::FromInfo(info + '\0').ok());
  EXPECT_FALSE(P256Key::FromInfo(info.substr(0, info.size() - 1)).ok());
  EXPECT_FALSE(P256Key::FromInfo(std::string(kP256InfoPrefix) + std::string(64, '\0')).ok());
  EXPECT_FALSE(P256Key::FromInfo(std::string(kP256InfoPrefix) + std::string(64, '\xff')).ok());
  EXPECT_FALSE(P256Key::FromInfo("").ok());
}

}  // namespace
}  // namespace aisle

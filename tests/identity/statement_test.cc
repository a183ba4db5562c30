#include "base/identity/statement.h"

#include <gtest/gtest.h>

#include "base/identity/authority.h"

namespace aisle {
namespace {

constexpr std::string_view kDomain = "aisle/test/v1";
const absl::Time kSignedAt = absl::FromUnixSeconds(1'800'000'000);

class StatementTest : public ::testing::Test {
 protected:
  Certificate CertificateOf(const KeyPair& key) {
    const Identity identity = Identity::Make(authority_.chain(), Role::kStore, "leeds-01").value();
    return authority_.Issue(key, {.identity = identity, .lifetime = absl::Hours(1)}, kSignedAt, random_).value();
  }
  SecureRandom random_;
  CertificateAuthority authority_ = CertificateAuthority::Create(ChainName::Parse("northwind").value(),
                                                                 KeyPair::Generate().value(), kSignedAt, random_)
                                        .value();
  KeyPair key_ = KeyPair::Generate().value();
  Certificate certificate_ = CertificateOf(key_);
};

TEST_F(StatementTest, IsVerifiedByItsSignersCertificate) {
  for (const std::string& message : {std::string(), std::string("a statement"), std::string(100'000, 'x')}) {
    const std::string signature = SignStatement(key_, kDomain, message).value();
    EXPECT_TRUE(VerifyStatement(certificate_, kDomain, message, signature).ok());
  }
}

TEST_F(StatementTest, AnyChangeIsNoticed) {
  const std::string signature = SignStatement(key_, kDomain, "a statement").value();
  const auto code = [&](std::string_view domain, std::string_view message, std::string_view signed_as) {
    return VerifyStatement(certificate_, domain, message, signed_as).code();
  };
  EXPECT_EQ(code(kDomain, "A statement", signature), StatusCode::kUnauthenticated);
  EXPECT_EQ(code("aisle/other/v1", "a statement", signature), StatusCode::kUnauthenticated);
  EXPECT_EQ(code(kDomain, "a statement", ""), StatusCode::kUnauthenticated);
  EXPECT_EQ(code(kDomain, "a statement", signature.substr(1)), StatusCode::kUnauthenticated);
  for (size_t at = 0; at < signature.size(); ++at) {
    std::string changed = signature;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(code(kDomain, "a statement", changed), StatusCode::kUnauthenticated) << at;
  }
}

TEST_F(StatementTest, AnotherKeysStatementIsNotItsOwn) {
  const std::string signature = SignStatement(KeyPair::Generate().value(), kDomain, "a statement").value();
  EXPECT_EQ(VerifyStatement(certificate_, kDomain, "a statement", signature).code(), StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace aisle

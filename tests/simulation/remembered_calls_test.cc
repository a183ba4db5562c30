// OpenSSL's answers stay what they are when they are remembered.
#include "tests/simulation/remembered_calls.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/crypto/x25519.h"
#include "base/identity/authority.h"
#include "base/identity/key_pair.h"
#include "base/identity/openssl.h"
#include "base/identity/p256_key.h"
#include "base/identity/statement.h"
#include "base/random.h"

namespace aisle::simulation {
namespace {

SecretBytes PrivateKey(uint64_t number) {
  AesCtrStream random(SecretBytes(32), fmt::format("remembered/{}", number));
  return DrawKey(random);
}

// How many of the calls that `act` makes OpenSSL has to work out.
template <typename Act>
uint64_t WorkedOut(const Act& act) {
  const uint64_t before = RememberedCalls().done;
  act();
  return RememberedCalls().done - before;
}

TEST(RememberedCallsTest, TheSecretOfTwoIsWorkedOutOnceAndIsThePublishedOne) {
  const auto key = [](std::string_view hex) { return SecretBytes::CopyOf(FromHex(hex).value()); };
  // RFC 7748, section 6.1.
  const SecretBytes alice = key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const SecretBytes bob = key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const std::string alice_public = X25519PublicKey(alice).value();
  const std::string bob_public = X25519PublicKey(bob).value();
  std::string one;
  std::string other;
  EXPECT_EQ(WorkedOut([&] { one = X25519(alice, bob_public)->Reveal(); }), 1);
  EXPECT_EQ(WorkedOut([&] { other = X25519(bob, alice_public)->Reveal(); }), 0);
  EXPECT_EQ(ToHex(one), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(other, one);
}

TEST(RememberedCallsTest, OtherKeysHaveOtherSecrets) {
  const SecretBytes own = PrivateKey(1);
  std::set<std::string> secrets;
  for (uint64_t peer = 2; peer < 10; ++peer) {
    secrets.emplace(X25519(own, X25519PublicKey(PrivateKey(peer)).value())->Reveal());
  }
  EXPECT_EQ(secrets.size(), 8);
}

TEST(RememberedCallsTest, WhatIsRefusedIsRefusedAgain) {
  const std::string low_order(kX25519Size, '\0');
  const auto refused = [&] { EXPECT_FALSE(X25519(PrivateKey(20), low_order).ok()); };
  EXPECT_GE(WorkedOut(refused), 1);
  EXPECT_EQ(WorkedOut(refused), 0);
}

TEST(RememberedCallsTest, WhatIsDerivedDependsOnAllItIsDerivedFrom) {
  const auto derive = [](uint64_t key, std::string_view salt, std::string_view info) {
    return std::string(HkdfSha256(PrivateKey(key), salt, info, 32).Reveal());
  };
  std::set<std::string> derived;
  const auto derive_all = [&] {
    derived = {derive(30, "salt", "info"), derive(31, "salt", "info"), derive(30, "salti", "nfo"),
               derive(30, "", "saltinfo"), derive(30, "saltinfo", "")};
  };
  EXPECT_GE(WorkedOut(derive_all), 5);
  EXPECT_EQ(derived.size(), 5);
  const std::set<std::string> before = derived;
  EXPECT_EQ(WorkedOut(derive_all), 0);
  EXPECT_EQ(derived, before);
}

TEST(RememberedCallsTest, KeysAndCertificatesAreReadOnce) {
  AesCtrStream random(SecretBytes(32), "remembered");
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const auto authority = [&] {
    return CertificateAuthority::Create(*ChainName::Parse("northwind"), KeyPair::Generate().value(), now, random);
  };
  const std::string one = authority()->root_pem();
  const std::string other = authority()->root_pem();
  const auto count = [](const std::string& pem) { return openssl::ParseCertificates(pem).value().size(); };
  EXPECT_EQ(count(one + other), 2);
  EXPECT_EQ(WorkedOut([&] { EXPECT_EQ(count(one + other), 2); }), 0);
  EXPECT_EQ(WorkedOut([&] { EXPECT_EQ(count(other), 1); }), 0);  // What is left after the first one.
  EXPECT_NE(
      X509_cmp(openssl::ParseCertificates(one).value()[0].get(), openssl::ParseCertificates(other).value()[0].get()),
      0);
  EXPECT_FALSE(openssl::ParseCertificates(one + "-----BEGIN CERTIFICATE-----\nx\n").ok());
  const KeyPair key = KeyPair::Generate().value();
  const SecretBytes pem = key.ToPem().value();
  EXPECT_EQ(KeyPair::FromPem(pem)->digest(), key.digest());
  EXPECT_EQ(WorkedOut([&] { EXPECT_EQ(KeyPair::FromPem(pem)->digest(), key.digest()); }), 0);
}

Digest DigestOf(std::string_view message) {
  return Sha256::Of(std::string("aisle/test/v1").append(1, '\0').append(message));
}

TEST(RememberedCallsTest, ASignatureIsOfOneKeyAndOneText) {
  const KeyPair key = KeyPair::Generate().value();
  const KeyPair stranger = KeyPair::Generate().value();
  const P256Key ready = P256Key::Of(key.handle()).value();
  const P256Key strangers = P256Key::Of(stranger.handle()).value();
  const std::string signature = SignStatement(key, "aisle/test/v1", "said").value();
  std::string other = signature;
  other.back() ^= 1;
  for (const uint64_t expected : {1, 0}) {
    EXPECT_TRUE(ready.HasSigned(DigestOf("said"), signature));
    EXPECT_EQ(WorkedOut([&] { EXPECT_FALSE(ready.HasSigned(DigestOf("not said"), signature)); }), expected);
    EXPECT_EQ(WorkedOut([&] { EXPECT_FALSE(ready.HasSigned(DigestOf("said"), other)); }), expected);
    EXPECT_EQ(WorkedOut([&] { EXPECT_FALSE(ready.HasSigned(DigestOf("said"), signature + '\0')); }), expected);
    EXPECT_EQ(WorkedOut([&] { EXPECT_FALSE(strangers.HasSigned(DigestOf("said"), signature)); }), expected);
  }
}

TEST(RememberedCallsTest, OneInSoManyOfOurOwnSignaturesIsVerified) {
  const KeyPair key = KeyPair::Generate().value();
  const P256Key ready = P256Key::Of(key.handle()).value();
  const auto sign_and_verify = [&] {
    for (uint64_t i = 0; i < 2 * kVerifiedOf; ++i) {
      const std::string said = std::to_string(i);
      EXPECT_TRUE(ready.HasSigned(DigestOf(said), SignStatement(key, "aisle/test/v1", said).value()));
    }
  };
  EXPECT_EQ(WorkedOut(sign_and_verify), 2);
}

}  // namespace
}  // namespace aisle::simulation

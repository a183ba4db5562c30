#include "base/identity/signing.h"

#include <gtest/gtest.h>

#include "tests/identity/forge.h"

namespace aisle {
namespace {

std::string Bytes(std::string_view hex) { return FromHex(hex).value(); }
SecretBytes Seed(std::string_view hex) { return SecretBytes::CopyOf(Bytes(hex)); }

SigningKey NewKey() {
  SecureRandom random;
  return SigningKey::Generate(random).value();
}

struct KnownAnswer {
  std::string name;
  std::string seed;
  std::string public_key;
  std::string message;
  std::string signature;
};

class Ed25519KnownAnswerTest : public ::testing::TestWithParam<KnownAnswer> {};

TEST_P(Ed25519KnownAnswerTest, Agrees) {
  const SecretBytes seed = Seed(GetParam().seed);
  EXPECT_EQ(ToHex(SigningKey::FromSeed(seed).value().verify_key().bytes()), GetParam().public_key);
  EXPECT_EQ(ToHex(signing_internal::SignRawWithSeed(seed, Bytes(GetParam().message)).value()), GetParam().signature);
}

// RFC 8032, section 7.1.
INSTANTIATE_TEST_SUITE_P(
    Rfc8032, Ed25519KnownAnswerTest,
    ::testing::Values(
        KnownAnswer{"Test1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                    "d25bf5f0595bbe24655141438e7a100b"},
        KnownAnswer{"Test2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                    "387b2eaeb4302aeeb00d291612bb0c00"},
        KnownAnswer{"Test3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
                    "4a7c15e9716ed28dc027beceea1ec40a"}),
    [](const auto& test) { return test.param.name; });

TEST(SigningTest, VerifiesWhatItSigned) {
  const SigningKey key = NewKey();
  const std::string signature = key.Sign("aisle/test", "message").value();
  EXPECT_EQ(signature.size(), kSignatureSize);
  EXPECT_TRUE(key.verify_key().Verify("aisle/test", "message", signature).ok());
}

TEST(SigningTest, SignsForOneDomainOnly) {
  const SigningKey key = NewKey();
  const std::string signature = key.Sign("aisle/test", "message").value();
  EXPECT_FALSE(key.verify_key().Verify("aisle/other", "message", signature).ok());
  // The zero byte between them keeps the border where it is.
  EXPECT_FALSE(key.verify_key().Verify("aisle/testm", "essage", signature).ok());
}

TEST(SigningTest, NoticesAnyFlippedBit) {
  const SigningKey key = NewKey();
  const std::string message(32, 'm');
  const std::string signature = key.Sign("aisle/test", message).value();
  for (size_t bit = 0; bit < signature.size() * 8; ++bit) {
    std::string bad = signature;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(key.verify_key().Verify("aisle/test", message, bad).code(), StatusCode::kUnauthenticated);
  }
  for (const std::string& bad : {std::string(), signature.substr(1), signature + "x"}) {
    EXPECT_EQ(key.verify_key().Verify("aisle/test", message, bad).code(), StatusCode::kUnauthenticated);
  }
}

TEST(SigningTest, KeysComeBackFromPem) {
  const SigningKey key = NewKey();
  const SigningKey again = SigningKey::FromPem(key.ToPem().value()).value();
  EXPECT_EQ(again.verify_key(), key.verify_key());
  EXPECT_EQ(VerifyKey::FromPem(key.verify_key().ToPem().value()).value(), key.verify_key());
  EXPECT_EQ(VerifyKey::FromBytes(key.verify_key().bytes()).value(), key.verify_key());
}

TEST(SigningTest, RefusesWhatIsNoEd25519Key) {
  EXPECT_FALSE(VerifyKey::FromBytes("short").ok());
  EXPECT_FALSE(VerifyKey::FromPem("nonsense").ok());
  EXPECT_FALSE(SigningKey::FromSeed(SecretBytes(31)).ok());
  const SecretBytes tls_key = KeyPair::Generate().value().ToPem().value();
  EXPECT_EQ(SigningKey::FromPem(tls_key).status().code(), StatusCode::kInvalidArgument);
}

TEST(PlanSignatureTest, IsAcceptedFromAnyTrustedKey) {
  const SigningKey retired = NewKey();
  const SigningKey present = NewKey();
  const Digest bundle = Sha256::Of("bundle");
  const std::vector<VerifyKey> trusted = {retired.verify_key(), present.verify_key()};
  EXPECT_TRUE(VerifyPlan(trusted, bundle, SignPlan(retired, bundle).value()).ok());
  EXPECT_TRUE(VerifyPlan(trusted, bundle, SignPlan(present, bundle).value()).ok());
}

TEST(PlanSignatureTest, IsRefusedFromAnyoneElseOrForAnotherPlan) {
  const SigningKey trusted = NewKey();
  const std::vector<VerifyKey> keys = {trusted.verify_key()};
  const Digest bundle = Sha256::Of("bundle");
  EXPECT_EQ(VerifyPlan(keys, bundle, SignPlan(NewKey(), bundle).value()).code(), StatusCode::kUnauthenticated);
  EXPECT_FALSE(VerifyPlan(keys, Sha256::Of("other"), SignPlan(trusted, bundle).value()).ok());
  EXPECT_FALSE(VerifyPlan({}, bundle, SignPlan(trusted, bundle).value()).ok());
  EXPECT_FALSE(VerifyPlan(keys, bundle, trusted.Sign("aisle/model/v1", bundle.view()).value()).ok());
}

TEST(PlanSignatureTest, IsOverTheDomainAZeroByteAndTheDigest) {
  const SecretBytes seed = Seed("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const Digest bundle = Sha256::Of("bundle");
  const std::string spelled_out = std::string("aisle/plan/v1\0", 14) + std::string(bundle.view());
  EXPECT_EQ(SignPlan(SigningKey::FromSeed(seed).value(), bundle).value(),
            signing_internal::SignRawWithSeed(seed, spelled_out).value());
}

}  // namespace
}  // namespace aisle

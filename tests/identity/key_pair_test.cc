#include "base/identity/key_pair.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/identity/openssl.h"
#include "base/storage/files.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::TemporaryFolder;

TEST(KeyPairTest, ComesBackFromItsFile) {
  const TemporaryFolder folder;
  const KeyPair key = KeyPair::Generate().value();
  ASSERT_TRUE(key.SaveTo(folder.File("a.key")).ok());
  EXPECT_EQ(KeyPair::Load(folder.File("a.key")).value().digest(), key.digest());
  struct stat info {};
  ASSERT_EQ(::stat(folder.File("a.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST(KeyPairTest, IsWrittenAlikeHoweverOftenAndByWhichClone) {
  const KeyPair key = KeyPair::Generate().value();
  const KeyPair clone = key.Clone();
  const std::string written(key.ToPem()->Reveal());
  EXPECT_EQ(written, key.ToPem()->Reveal());
  EXPECT_EQ(written, clone.ToPem()->Reveal());
  EXPECT_EQ(KeyPair::FromPem(SecretBytes::CopyOf(written))->digest(), key.digest());
  EXPECT_NE(written, KeyPair::Generate()->ToPem()->Reveal());
}

// Whoever wrote it, OpenSSL or we; and however it writes the point.
TEST(KeyPairTest, IsNamedByItsPublicHalfAsOpensslWritesIt) {
  const auto written = [](EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    const std::string bytes(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
    OPENSSL_free(der);
    return bytes;
  };
  const KeyPair key = KeyPair::Generate().value();
  EXPECT_EQ(key.digest(), Sha256::Of(written(key.handle())));
  const openssl::KeyPtr compressed(EVP_PKEY_dup(key.handle()));
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(compressed.get(), "point-format", "compressed"), 1);
  ASSERT_NE(written(compressed.get()), written(key.handle()));
  EXPECT_EQ(openssl::DigestOfPublicKey(compressed.get()).value(), Sha256::Of(written(compressed.get())));
}

TEST(KeyPairTest, IsNeverTwiceTheSame) {
  EXPECT_NE(KeyPair::Generate().value().digest(), KeyPair::Generate().value().digest());
}

TEST(KeyPairTest, RefusesWhatIsNoKeyAndNamesTheFile) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("a.key"), "no key at all", 0600).ok());
  const Status status = KeyPair::Load(folder.File("a.key")).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find("a.key"), std::string_view::npos);
}

// RFC 8410's own Ed25519 example: a fine key of the wrong kind.
TEST(KeyPairTest, RefusesAnotherKindOfKey) {
  const SecretBytes pem = SecretBytes::CopyOf(
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
      "-----END PRIVATE KEY-----\n");
  const Status status = KeyPair::FromPem(pem).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find("P-256"), std::string_view::npos);
}

TEST(KeyPairTest, NeverAsksForAPassphrase) {
  const SecretBytes pem = SecretBytes::CopyOf(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBKZfdHkI1vPD0mnf5T\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_EQ(KeyPair::FromPem(pem).status().code(), StatusCode::kInvalidArgument);
}

TEST(RequestTest, ProvesTheKeyItIsAbout) {
  const KeyPair key = KeyPair::Generate().value();
  EXPECT_EQ(KeyOfCsr(MakeCsr(key).value()).value(), key.digest());
}

struct RefusedCase {
  std::string name;
  std::string csr;
  std::string says;
};

class RefusedRequestTest : public ::testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedRequestTest, SaysWhatIsWrong) {
  const Status status = KeyOfCsr(GetParam().csr).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find(GetParam().says), std::string_view::npos) << status;
}

INSTANTIATE_TEST_SUITE_P(, RefusedRequestTest,
                         ::testing::Values(RefusedCase{"Empty", "", "no certificate request"},
                                           RefusedCase{"Text", "hello", "no certificate request"},
                                           RefusedCase{"WeakRsa", testing::ForgeRsaCsr(1024), "RSA of 1024 bits"},
                                           RefusedCase{"StrongRsa", testing::ForgeRsaCsr(2048), "P-256"},
                                           RefusedCase{"OtherCurve", testing::ForgeCurveCsr("P-384"), "secp384r1"},
                                           RefusedCase{"SmallCurve", testing::ForgeCurveCsr("P-224"), "secp224r1"},
                                           RefusedCase{"Unproven", testing::ForgeUnprovenCsr(), "signature"},
                                           RefusedCase{"Huge", std::string(kRequestSizeMax + 1, 'a'), "16384"}),
                         [](const auto& test) { return test.param.name; });

TEST(RequestTest, IsRefusedWithAnyBitFlipped) {
  const std::string csr = MakeCsr(KeyPair::Generate().value()).value();
  const size_t begin = csr.find('\n') + 1;
  const size_t end = csr.rfind("\n-----END");
  for (size_t i = begin; i < end; ++i) {
    std::string bad = csr;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    // Only in the last four characters: their spare bits and padding say nothing.
    if (KeyOfCsr(bad).ok()) {
      EXPECT_GE(i, end - 4) << "accepted with another character at " << i - begin;
    }
  }
}

}  // namespace
}  // namespace aisle

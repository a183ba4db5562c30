#include "base/identity/tls_identity.h"

#include <gtest/gtest.h>

#include "base/identity/authority.h"
#include "base/identity/secret_file.h"
#include "base/storage/files.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::TemporaryFolder;

class TlsIdentityTest : public ::testing::Test {
 protected:
  TlsIdentity NewIdentity() {
    SecureRandom random;
    KeyPair key = KeyPair::Generate().value();
    Certificate certificate =
        authority_.Issue(key, {testing::StoreIdentity("northwind", "s1"), absl::Hours(72), {}}, testing::kNow, random)
            .value();
    return {authority_.root_pem(), std::move(certificate), std::move(key)};
  }
  const TemporaryFolder folder_;
  const CertificateAuthority authority_ = testing::NewAuthority();
};

TEST_F(TlsIdentityTest, ComesBackFromItsBundle) {
  TlsIdentity identity = NewIdentity();
  identity.ca_pem += testing::NewAuthority().root_pem();  // A second root, while roots are being changed.
  ASSERT_TRUE(SaveTlsBundle(folder_.File("identity.pem"), identity).ok());
  const TlsIdentity loaded = LoadTlsBundle(folder_.File("identity.pem")).value();
  EXPECT_EQ(loaded.ca_pem, identity.ca_pem);
  EXPECT_EQ(loaded.certificate.pem(), identity.certificate.pem());
  EXPECT_EQ(loaded.key.digest(), identity.key.digest());
}

TEST_F(TlsIdentityTest, ReplacesTheOldOneWhole) {
  const std::string path = folder_.File("identity.pem");
  ASSERT_TRUE(SaveTlsBundle(path, NewIdentity()).ok());
  const TlsIdentity newer = NewIdentity();
  ASSERT_TRUE(SaveTlsBundle(path, newer).ok());
  EXPECT_EQ(LoadTlsBundle(path).value().key.digest(), newer.key.digest());
}

TEST_F(TlsIdentityTest, IsRefusedCutAtAnyPlaceBeforeItsRoots) {
  const std::string path = folder_.File("identity.pem");
  ASSERT_TRUE(SaveTlsBundle(path, NewIdentity()).ok());
  const std::string whole = ReadFile(path).value();
  const size_t roots_at = whole.rfind("-----BEGIN");
  for (size_t size = 0; size <= roots_at; size += 41) {
    ASSERT_TRUE(WriteSecretFile(path, SecretBytes::CopyOf(whole.substr(0, size))).ok());
    const Status status = LoadTlsBundle(path).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << size;
    EXPECT_NE(MessageOf(status).find(path), std::string_view::npos);
  }
}

TEST_F(TlsIdentityTest, OfAnotherKeyIsNeitherSavedNorLoaded) {
  TlsIdentity identity = NewIdentity();
  identity.key = KeyPair::Generate().value();
  EXPECT_EQ(SaveTlsBundle(folder_.File("identity.pem"), identity).code(), StatusCode::kInvalidArgument);
  const TlsPaths paths{folder_.File("ca.pem"), folder_.File("a.pem"), folder_.File("a.key")};
  ASSERT_TRUE(WriteFileDurably(paths.ca, identity.ca_pem).ok());
  ASSERT_TRUE(WriteFileDurably(paths.certificate, identity.certificate.pem()).ok());
  ASSERT_TRUE(identity.key.SaveTo(paths.key).ok());
  EXPECT_EQ(LoadTlsIdentity(paths).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle

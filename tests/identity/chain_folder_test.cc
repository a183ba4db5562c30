#include "base/identity/chain_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/storage/files.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;
using testing::TemporaryFolder;

class ChainFolderTest : public ::testing::Test {
 protected:
  Status Init() {
    return InitChain({paths_.folder, testing::Chain("northwind"), {"localhost", "127.0.0.1"}}, kNow, random_);
  }
  size_t FileCount() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(paths_.folder), {}));
  }
  const TemporaryFolder temporary_;
  const ChainPaths paths_{temporary_.File("chain")};
  SecureRandom random_;
};

TEST_F(ChainFolderTest, HoldsEveryonesIdentity) {
  ASSERT_TRUE(Init().ok());
  const CertificateAuthority authority = LoadAuthority(paths_).value();
  EXPECT_EQ(authority.chain().str(), "northwind");
  const TlsIdentity coordinator = LoadTlsIdentity(paths_.coordinator()).value();
  EXPECT_EQ(coordinator.certificate.identity().role, Role::kCoordinator);
  EXPECT_TRUE(coordinator.certificate.CheckIssuedBy(coordinator.ca_pem, kNow).ok());
  EXPECT_EQ(coordinator.certificate.ServerNames().value(), (std::vector<std::string>{"localhost", "127.0.0.1"}));
  const TlsIdentity admin = LoadAdmin(paths_).value();
  EXPECT_EQ(admin.certificate.identity().role, Role::kAdmin);
  EXPECT_TRUE(admin.certificate.CheckIssuedBy(admin.ca_pem, kNow).ok());
  EXPECT_EQ(SigningKey::Load(paths_.plan_signing_key()).value().verify_key(),
            VerifyKey::Load(paths_.plan_verify_key()).value());
}

TEST_F(ChainFolderTest, ShowsItsKeysToTheOwnerOnly) {
  ASSERT_TRUE(Init().ok());
  EXPECT_EQ(FileCount(), 8u);
  for (const auto& entry : std::filesystem::directory_iterator(paths_.folder)) {
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    const bool secret = entry.path().extension() == ".key";
    EXPECT_EQ(info.st_mode & 0077, secret ? 0u : 0044u) << entry.path();
  }
}

TEST_F(ChainFolderTest, IsNeverOverwritten) {
  ASSERT_TRUE(Init().ok());
  const std::string before = ReadFile(paths_.ca_key()).value();
  EXPECT_EQ(Init().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(ReadFile(paths_.ca_key()).value(), before);
}

TEST_F(ChainFolderTest, LeavesASingleFileThatIsThereAlone) {
  ASSERT_TRUE(MakeFolders(paths_.folder).ok());
  ASSERT_TRUE(WriteFileDurably(paths_.plan_verify_key(), "mine").ok());
  const Status status = Init();
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists);
  EXPECT_NE(MessageOf(status).find("plan-signing.pub"), std::string_view::npos);
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(ChainFolderTest, TakesBackWhatItWroteIfItCannotGoOn) {
  // A folder where the plan key's file is to be made aside: the last but one write fails.
  ASSERT_TRUE(MakeFolders(paths_.plan_signing_key() + ".tmp/x").ok());
  EXPECT_FALSE(Init().ok());
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(ChainFolderTest, NeedsAServerNameAndAFolderItCanWrite) {
  EXPECT_EQ(InitChain({paths_.folder, testing::Chain("c"), {}}, kNow, random_).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(InitChain({paths_.folder, testing::Chain("c"), {"*"}}, kNow, random_).code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(FileExists(paths_.folder));
  ASSERT_TRUE(WriteFileDurably(paths_.folder, "a file").ok());
  EXPECT_FALSE(Init().ok());
}

}  // namespace
}  // namespace aisle

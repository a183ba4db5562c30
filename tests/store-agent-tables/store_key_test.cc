#include "store-agent/tables/store_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

TEST(StoreKeyTest, IsMadeOnceForItsOwnerOnly) {
  const TemporaryFolder folder;
  SecureRandom random;
  const StatusOr<SecretBytes> made = LoadStoreKey(folder.File("key"), true, random);
  ASSERT_TRUE(made.ok()) << made.status();
  struct stat info {};
  ASSERT_EQ(::stat(folder.File("key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const StatusOr<SecretBytes> read = LoadStoreKey(folder.File("key"), false, random);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->Reveal(), made->Reveal());
}

TEST(StoreKeyTest, IsNeverMadeWhereRowsNeedTheLostOne) {
  const TemporaryFolder folder;
  SecureRandom random;
  const Status missing = LoadStoreKey(folder.File("key"), false, random).status();
  EXPECT_EQ(missing.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(MessageOf(missing)), HasSubstr("restore it from a backup"));
  EXPECT_FALSE(std::filesystem::exists(folder.File("key")));
}

TEST(StoreKeyTest, IsRefusedWhereOthersCanReadIt) {
  const TemporaryFolder folder;
  SecureRandom random;
  const std::string path = folder.Write("key", std::string(32, 'k'));
  ::chmod(path.c_str(), 0640);
  const Status open = LoadStoreKey(path, true, random).status();
  EXPECT_EQ(open.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(MessageOf(open)), HasSubstr("chmod 600"));
}

TEST(StoreKeyTest, IsRefusedIfCut) {
  const TemporaryFolder folder;
  SecureRandom random;
  const std::string path = folder.Write("key", std::string(31, 'k'));
  ::chmod(path.c_str(), 0600);
  EXPECT_EQ(LoadStoreKey(path, true, random).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace aisle

#include "base/identity/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/storage/files.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::TemporaryFolder;

TEST(SecretFileTest, IsForItsOwnerOnly) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteSecretFile(folder.File("a"), SecretBytes::CopyOf("secret")).ok());
  struct stat info {};
  ASSERT_EQ(::stat(folder.File("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(ReadSecretFile(folder.File("a")).value().Reveal(), "secret");
}

TEST(SecretFileTest, TakesNoLaxModeFromWhatACrashLeftAside) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("a.tmp"), "left over", 0666).ok());
  ASSERT_TRUE(WriteSecretFile(folder.File("a"), SecretBytes::CopyOf("secret")).ok());
  EXPECT_TRUE(ReadSecretFile(folder.File("a")).ok());
}

TEST(SecretFileTest, ThatStrangersCanReadIsRefusedWithTheRemedy) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileDurably(folder.File("a"), "secret", 0600).ok());
  ASSERT_EQ(::chmod(folder.File("a").c_str(), 0644), 0);
  const Status status = ReadSecretFile(folder.File("a")).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(status).find("chmod 600"), std::string_view::npos);
  EXPECT_EQ(MessageOf(status).find("secret\n"), std::string_view::npos);
}

TEST(SecretFileTest, IsAPlainFileOfModestSize) {
  const TemporaryFolder folder;
  EXPECT_EQ(ReadSecretFile(folder.File("missing")).status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(ReadSecretFile(folder.path()).ok());
  ASSERT_TRUE(WriteFileDurably(folder.File("big"), std::string(kSecretFileSizeMax + 1, 'a'), 0600).ok());
  EXPECT_EQ(ReadSecretFile(folder.File("big")).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisle

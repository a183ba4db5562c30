#include "base/storage/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

TEST(FilesTest, WritesReplaceWholeFilesAndSetTheMode) {
  const TemporaryFolder folder;
  const std::string path = folder.File("secret");
  ASSERT_TRUE(WriteFileDurably(path, "first", 0600).ok());
  ASSERT_TRUE(WriteFileDurably(path, "second", 0600).ok());
  EXPECT_EQ(*ReadFile(path), "second");
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);
  EXPECT_FALSE(FileExists(path + ".tmp"));
}

TEST(FilesTest, ErrorsNameThePathAndTheReason) {
  const TemporaryFolder folder;
  const Status missing = ReadFile(folder.File("missing")).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_NE(MessageOf(missing).find(folder.File("missing")), std::string_view::npos);
  EXPECT_EQ(ReadFile(folder.Write("big", std::string(100, 'x')), 99).status().code(), StatusCode::kInvalidArgument);
  folder.Write("file", "");
  EXPECT_FALSE(MakeFolders(folder.File("file/below")).ok());
  EXPECT_TRUE(MakeFolders(folder.File("a/b/c")).ok());
  EXPECT_TRUE(MakeFolders(folder.File("a/b/c")).ok());
  EXPECT_TRUE(RemoveFile(folder.File("missing")).ok());
}

TEST(FilesTest, AFileThatEndsEarlyIsDataLoss) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("short", "12345");
  const FileDescriptor file = OpenFile(path, O_RDONLY).value();
  std::string data(10, '\0');
  EXPECT_EQ(ReadExactlyAt(file.get(), data.data(), 10, 0, path).code(), StatusCode::kDataLoss);
  EXPECT_TRUE(ReadExactlyAt(file.get(), data.data(), 3, 2, path).ok());
  EXPECT_EQ(data.substr(0, 3), "345");
}

TEST(FilesTest, AFullDiskIsSaidAndLeavesTheOldContent) {
  const SmallDisk disk("1m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  const std::string path = disk.folder().File("kept");
  ASSERT_TRUE(WriteFileDurably(path, "old").ok());
  disk.Fill();
  EXPECT_EQ(WriteFileDurably(path, std::string(200'000, 'n')).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(*ReadFile(path), "old");
}

}  // namespace
}  // namespace aisle

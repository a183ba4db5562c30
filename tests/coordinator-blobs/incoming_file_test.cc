#include "coordinator/blobs/incoming_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <array>
#include <memory>

#include <fcntl.h>

#include <filesystem>

#include "base/reason.h"
#include "base/storage/files.h"
#include "base/storage/page_cache.h"
#include "tests/storage/resident.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

BlobName NameOfContent(std::string_view content) { return {.digest = Sha256::Of(content), .size = content.size()}; }

class IncomingFileTest : public ::testing::Test {
 protected:
  IncomingFile::Place Place() const { return {.partial = folder_.File("a.part"), .complete = folder_.File("a")}; }
  StatusOr<IncomingFile> Open(const BlobName& name) const { return IncomingFile::Open(Place(), name); }
  bool IsEmpty() const { return std::filesystem::is_empty(folder_.path()); }
  TemporaryFolder folder_;
};

TEST_F(IncomingFileTest, GetsItsNameOnlyWhenWhole) {
  IncomingFile file = *Open(NameOfContent("hello world"));
  ASSERT_TRUE(file.Append("hello ").ok());
  EXPECT_FALSE(FileExists(Place().complete));
  const Status early = file.Finish();
  EXPECT_EQ(early.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(early), Reason::kSizeMismatch);
  EXPECT_THAT(MessageOf(early), HasSubstr("6 of 11 bytes"));
  ASSERT_TRUE(file.Append("world").ok());
  ASSERT_TRUE(file.Finish().ok());
  EXPECT_EQ(folder_.Read("a"), "hello world");
  EXPECT_FALSE(FileExists(Place().partial));
}

TEST_F(IncomingFileTest, RefusesMoreThanWasPromisedAndKeepsWhatItHas) {
  IncomingFile file = *Open(NameOfContent("1234"));
  ASSERT_TRUE(file.Append("123").ok());
  const Status refused = file.Append("45");
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), Reason::kSizeMismatch);
  EXPECT_EQ(file.received(), 3u);
  ASSERT_TRUE(file.Append("4").ok());
  EXPECT_TRUE(file.Finish().ok());
}

TEST_F(IncomingFileTest, DropsBytesThatAreNotWhatWasPromised) {
  {
    IncomingFile file = *Open(NameOfContent("1234"));
    ASSERT_TRUE(file.Append("1235").ok());
    const Status refused = file.Finish();
    EXPECT_EQ(refused.code(), StatusCode::kDataLoss);
    EXPECT_EQ(ReasonOf(refused), Reason::kDigestMismatch);
  }
  EXPECT_TRUE(IsEmpty());
}

TEST_F(IncomingFileTest, LeavesNothingIfNothingCame) {
  { EXPECT_TRUE(Open(NameOfContent("1234")).ok()); }
  EXPECT_TRUE(IsEmpty());
}

TEST_F(IncomingFileTest, StartsAnewIfThePartialIsLongerThanPromised) {
  folder_.Write("a.part", "123456789");
  IncomingFile file = *Open(NameOfContent("1234"));
  EXPECT_EQ(file.received(), 0u);
  ASSERT_TRUE(file.Append("1234").ok());
  EXPECT_TRUE(file.Finish().ok());
  EXPECT_EQ(folder_.Read("a"), "1234");
}

TEST_F(IncomingFileTest, HoldsNothingAsWell) {
  IncomingFile file = *Open(NameOfContent(""));
  EXPECT_TRUE(file.Finish().ok());
  EXPECT_EQ(*FileSize(Place().complete), 0u);
}

TEST_F(IncomingFileTest, GivesTheSpaceBackWhenTheDiskIsFull) {
  const SmallDisk disk("1m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk isn't allowed here";
  const std::string content(3 << 20, 'x');
  {
    IncomingFile file = *IncomingFile::Open(
        {.partial = disk.folder().File("a.part"), .complete = disk.folder().File("a")}, NameOfContent(content));
    Status status;
    for (size_t at = 0; status.ok() && at < content.size(); at += 65536) {
      status = file.Append(std::string_view(content).substr(at, 65536));
    }
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(status), Reason::kStorageFull);
    EXPECT_GT(RetryAfterOf(status), absl::ZeroDuration());
    EXPECT_EQ(file.received(), 0u);
    EXPECT_EQ(*FileSize(disk.folder().File("a.part")), 0u);
  }
  EXPECT_TRUE(std::filesystem::is_empty(disk.folder().path()));
}

// Of a file that passes, in pieces that no disk takes as they are, only the end is in memory, however long it is;
// another one stays, to be read soon.
TEST_F(IncomingFileTest, LeavesMemoryAsItArrivesIfItPasses) {
  if (!CanLeaveMemory(folder_.path())) GTEST_SKIP() << "no disk below " << folder_.path();
  constexpr size_t kSteps = 8;
  const std::string step(IncomingFile::kWriteBackStep + 1, 'x');
  std::string content;
  for (size_t i = 0; i < kSteps; ++i) content += step;
  for (const bool passes : {true, false}) {
    IncomingFile::Place place = Place();
    place.passes = passes;
    IncomingFile file = *IncomingFile::Open(place, NameOfContent(content));
    const FileDescriptor disk = OpenFile(place.partial, O_RDWR).value();
    for (size_t i = 0; i < kSteps; ++i) {
      ASSERT_TRUE(file.Append(step).ok());
      ASSERT_TRUE(SyncData(disk.get(), place.partial).ok());  // A disk that is quick enough.
    }
    const size_t resident = ResidentBytesOf(place.partial);
    if (passes)
      EXPECT_LE(resident, IncomingFile::kInMemoryMax + IncomingFile::kWriteBackStep);
    else
      EXPECT_GE(resident, content.size());
    ASSERT_TRUE(file.Finish().ok());
    EXPECT_TRUE(folder_.Read("a") == content);
  }
}

TEST_F(IncomingFileTest, LargePiecesOfAFileThatPassesNeverComeIntoMemory) {
  if (!CanLeaveMemory(folder_.path())) GTEST_SKIP() << "no disk below " << folder_.path();
  const FileDescriptor probe = OpenFile(folder_.File("probe"), O_RDWR | O_CREAT).value();
  if (!WriteDirectly(probe.get(), true)) GTEST_SKIP() << "this file system writes through memory only";
  const std::string content(8 * IncomingFile::kDirectMin, 'x');
  IncomingFile::Place place = Place();
  place.passes = true;
  IncomingFile file = *IncomingFile::Open(place, NameOfContent(content));
  for (size_t at = 0; at < content.size(); at += IncomingFile::kDirectMin) {
    ASSERT_TRUE(file.Append(std::string_view(content).substr(at, IncomingFile::kDirectMin)).ok());
  }
  EXPECT_EQ(ResidentBytesOf(place.partial), 0u);
  ASSERT_TRUE(file.Finish().ok());
  EXPECT_TRUE(folder_.Read("a") == content);
}

// Pieces that go past memory and pieces that can't, by turns, with a restart after each.
TEST_F(IncomingFileTest, PiecesOfAllSizesMakeOneFile) {
  constexpr std::array<size_t, 9> kSizes = {65536, 5, 4091, 262144, 4096, 300000, 1000, 69632, 1};
  std::string content;
  for (const size_t size : kSizes) {
    for (size_t i = 0; i < size; ++i) content += static_cast<char>(content.size() * 2654435761u >> 13);
  }
  IncomingFile::Place place = Place();
  place.passes = true;
  for (const bool restart : {false, true}) {
    auto file = std::make_unique<IncomingFile>(*IncomingFile::Open(place, NameOfContent(content)));
    for (const size_t size : kSizes) {
      ASSERT_TRUE(file->Append(std::string_view(content).substr(file->received(), size)).ok());
      std::string back(file->received(), '\0');
      ASSERT_TRUE(file->ReadBack(0, back.data(), back.size()).ok());
      ASSERT_TRUE(content.starts_with(back));
      if (!restart) continue;
      file.reset();
      file = std::make_unique<IncomingFile>(*IncomingFile::Open(place, NameOfContent(content)));
    }
    ASSERT_TRUE(file->Finish().ok());
    EXPECT_TRUE(folder_.Read("a") == content);
    std::filesystem::remove(place.complete);
  }
}

TEST_F(IncomingFileTest, WhatWasNotWhatWasPromisedCanStillBeReadBack) {
  IncomingFile file = *IncomingFile::Open(Place(), NameOfContent("promised"));
  ASSERT_TRUE(file.Append("instead.").ok());
  EXPECT_EQ(file.Finish().code(), StatusCode::kDataLoss);
  std::string back(8, '\0');
  ASSERT_TRUE(file.ReadBack(0, back.data(), back.size()).ok());
  EXPECT_EQ(back, "instead.");
  EXPECT_FALSE(FileExists(Place().partial));
}

// Whatever the chunks and wherever the link was cut or the program restarted, the file is the same.
RC_GTEST_PROP(IncomingFileProperty, AnyChunksAndCutsGiveTheSameFile, ()) {
  const TemporaryFolder folder;
  const IncomingFile::Place place{.partial = folder.File("a.part"), .complete = folder.File("a")};
  const auto content = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  const auto chunk_sizes = *rc::gen::nonEmpty(rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(1, 40)));
  const BlobName name = NameOfContent(content);
  auto file = std::make_unique<IncomingFile>(*IncomingFile::Open(place, name));
  for (size_t turn = 0; file->received() < content.size(); ++turn) {
    const size_t size = chunk_sizes[turn % chunk_sizes.size()];
    RC_ASSERT(file->Append(std::string_view(content).substr(file->received(), size)).ok());
    if (size % 3 != 0) continue;
    const uint64_t before = file->received();
    file.reset();  // Cut here.
    file = std::make_unique<IncomingFile>(*IncomingFile::Open(place, name));
    RC_ASSERT(file->received() == before);
  }
  RC_ASSERT(file->Finish().ok());
  RC_ASSERT(folder.Read("a") == content);
}

}  // namespace
}  // namespace aisle

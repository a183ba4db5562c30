#include "coordinator/blobs/blob_store.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/reason.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

BlobName NameOf(std::string_view content) { return {.digest = Sha256::Of(content), .size = content.size()}; }

class BlobStoreTest : public ::testing::Test {
 protected:
  std::string PathOf(const BlobName& name) const {
    return folder_.File(name.digest.Hex().substr(0, 2) + "/" + name.digest.Hex());
  }
  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_ = *BlobStore::Open(folder_.path());
};

TEST_F(BlobStoreTest, GivesBackWhatWasPut) {
  const BlobName name = *store_->Put("weights");
  EXPECT_EQ(name, NameOf("weights"));
  EXPECT_TRUE(store_->Contains(name.digest));
  EXPECT_EQ(*store_->Read(name), "weights");
  EXPECT_EQ(folder_.Read(name.digest.Hex().substr(0, 2) + "/" + name.digest.Hex()), "weights");
}

TEST_F(BlobStoreTest, KeepsBlobsOverARestart) {
  const BlobName name = *store_->Put("weights");
  store_ = *BlobStore::Open(folder_.path());
  EXPECT_EQ(*store_->Read(name), "weights");
}

TEST_F(BlobStoreTest, PuttingTwiceIsPuttingOnce) {
  const BlobName name = *store_->Put("weights");
  EXPECT_EQ(*store_->Put("weights"), name);
  EXPECT_THAT(*store_->ListAll(), ElementsAre(name));
}

TEST_F(BlobStoreTest, ReadsPiecesFromAnyOffset) {
  const BlobName name = *store_->Put("0123456789");
  const auto reader = *store_->Find(name.digest);
  EXPECT_EQ(reader->name(), name);
  EXPECT_EQ(*reader->ReadAt(0, 4), "0123");
  EXPECT_EQ(*reader->ReadAt(8, 4), "89");
  EXPECT_EQ(*reader->ReadAt(10, 4), "");
  const Status beyond = reader->ReadAt(11, 4).status();
  EXPECT_EQ(beyond.code(), StatusCode::kOutOfRange);
  EXPECT_THAT(MessageOf(beyond), HasSubstr("10 bytes"));
}

TEST_F(BlobStoreTest, AnOpenBlobStaysReadableWhenItIsRemoved) {
  const BlobName name = *store_->Put("0123456789");
  const auto reader = *store_->Find(name.digest);
  ASSERT_TRUE(store_->Remove(name.digest).ok());
  EXPECT_FALSE(store_->Contains(name.digest));
  EXPECT_EQ(*reader->ReadAt(0, 10), "0123456789");
  EXPECT_TRUE(store_->Remove(name.digest).ok());
  EXPECT_EQ(store_->Find(name.digest).status().code(), StatusCode::kNotFound);
}

TEST_F(BlobStoreTest, GoesOnWhereAWriterWasCutAlsoAfterARestart) {
  const BlobName name = NameOf("0123456789");
  {
    const auto writer = *store_->BeginWriting(name);
    ASSERT_TRUE(writer->Append("0123").ok());
  }
  store_ = *BlobStore::Open(folder_.path());
  EXPECT_FALSE(store_->Contains(name.digest));
  const auto writer = *store_->BeginWriting(name);
  ASSERT_EQ(writer->received(), 4u);
  ASSERT_TRUE(writer->Append("456789").ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(*store_->Read(name), "0123456789");
}

TEST_F(BlobStoreTest, AWriterOfAPresentBlobHasAllOfIt) {
  const BlobName name = *store_->Put("0123456789");
  const auto writer = *store_->BeginWriting(name);
  EXPECT_EQ(writer->received(), 10u);
  EXPECT_TRUE(writer->Append("").ok());
  EXPECT_EQ(ReasonOf(writer->Append("x")), Reason::kSizeMismatch);
  EXPECT_TRUE(writer->Finish().ok());
}

TEST_F(BlobStoreTest, RefusesTheSameDigestWithAnotherSize) {
  BlobName name = *store_->Put("0123456789");
  name.size = 9;
  const auto refused = store_->BeginWriting(name);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store_->Read(name).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(BlobStoreTest, RefusesABlobOverTheLimit) {
  const auto refused = store_->BeginWriting({.digest = Sha256::Of("x"), .size = kBlobSizeMax + 1});
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kLimitExceeded);
}

TEST_F(BlobStoreTest, LetsOneWriterOfABlobWorkAtATime) {
  const BlobName name = NameOf("0123456789");
  auto first = *store_->BeginWriting(name);
  EXPECT_EQ(store_->BeginWriting(name).status().code(), StatusCode::kUnavailable);
  first.reset();
  EXPECT_TRUE(store_->BeginWriting(name).ok());
}

TEST_F(BlobStoreTest, RefusesWrongContentAndLeavesNothing) {
  const BlobName name = NameOf("0123456789");
  {
    const auto writer = *store_->BeginWriting(name);
    ASSERT_TRUE(writer->Append("9876543210").ok());
    EXPECT_EQ(ReasonOf(writer->Finish()), Reason::kDigestMismatch);
  }
  EXPECT_THAT(*store_->ListAll(), IsEmpty());
  EXPECT_EQ(*store_->RemovePartials(absl::InfiniteFuture()), 0u);
}

TEST_F(BlobStoreTest, PutsOverADamagedPartial) {
  const BlobName name = NameOf("0123456789");
  folder_.Write("incoming/" + name.digest.Hex(), "012x");
  EXPECT_EQ(*store_->Put("0123456789"), name);
  EXPECT_EQ(*store_->Read(name), "0123456789");
}

TEST_F(BlobStoreTest, FindsDamageOnTheDiskWhenReadingAll) {
  const BlobName name = *store_->Put("0123456789");
  std::ofstream(PathOf(name), std::ios::binary) << "012345678X";
  store_ = *BlobStore::Open(folder_.path());  // What one program wrote it doesn't hash again.
  const Status damaged = store_->Read(name).status();
  EXPECT_EQ(damaged.code(), StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(damaged), HasSubstr("backup"));
}

TEST_F(BlobStoreTest, ListsAllBlobsAndOnlyThem) {
  const BlobName a = *store_->Put("a");
  const BlobName b = *store_->Put("bb");
  const BlobName c = NameOf("ccc");
  const auto writer = *store_->BeginWriting(c);
  ASSERT_TRUE(writer->Append("cc").ok());
  folder_.Write("README", "not a blob");
  EXPECT_THAT(*store_->ListAll(), UnorderedElementsAre(a, b));
}

TEST_F(BlobStoreTest, RemovesOnlyPartialsThatGotNothingForLong) {
  for (const char* content : {"old", "young"}) {
    const auto writer = *store_->BeginWriting(NameOf(content));
    ASSERT_TRUE(writer->Append(std::string_view(content).substr(1)).ok());
  }
  const std::string old = folder_.File("incoming/" + NameOf("old").digest.Hex());
  std::filesystem::last_write_time(old, std::filesystem::last_write_time(old) - std::chrono::hours(25));
  EXPECT_EQ(*store_->RemovePartials(absl::Now() - absl::Hours(24)), 2u);
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_EQ((*store_->BeginWriting(NameOf("young")))->received(), 4u);
}

TEST_F(BlobStoreTest, RemovesPartialsWithoutAWriter) {
  {
    const auto writer = *store_->BeginWriting(NameOf("abc"));
    ASSERT_TRUE(writer->Append("ab").ok());
  }
  const auto busy = *store_->BeginWriting(NameOf("xyz"));
  ASSERT_TRUE(busy->Append("x").ok());
  EXPECT_EQ(*store_->RemovePartials(absl::InfiniteFuture()), 2u);
  ASSERT_TRUE(busy->Append("yz").ok());
  EXPECT_TRUE(busy->Finish().ok());
}

TEST_F(BlobStoreTest, ManyThreadsPutTheSameBlobs) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 20; ++i) {
        const std::string content = "blob " + std::to_string(i);
        while (store_->Put(content).status().code() == StatusCode::kUnavailable) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->ListAll()->size(), 20u);
  EXPECT_TRUE(store_->Read(NameOf("blob 7")).ok());
}

TEST(BlobStoreDiskTest, AFullDiskIsSaidSoAndLeavesNoDebris) {
  const SmallDisk disk("1m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk isn't allowed here";
  const auto store = *BlobStore::Open(disk.folder().path());
  const BlobName small = *store->Put("small");
  const Status full = store->Put(std::string(2 << 20, 'x')).status();
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(full), Reason::kStorageFull);
  EXPECT_TRUE(std::filesystem::is_empty(disk.folder().File("incoming")));
  EXPECT_EQ(*store->Read(small), "small");
  EXPECT_TRUE(store->Put(std::string(256 << 10, 'y')).ok());
}

TEST(BlobStoreDiskTest, AFolderThatCantBeMadeIsNamed) {
  const TemporaryFolder folder;
  folder.Write("file", "");
  const auto refused = BlobStore::Open(folder.File("file"));
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr(folder.File("file")));
}

}  // namespace
}  // namespace aisle

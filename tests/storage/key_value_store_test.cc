#include "base/storage/key_value_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<KeyValueStore> OpenOrDie(const std::string& folder, KeyValueOptions options = {}) {
  StatusOr<std::unique_ptr<KeyValueStore>> store = KeyValueStore::Open(folder, options);
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

std::vector<std::string> KeysOf(Cursor cursor) {
  std::vector<std::string> keys;
  for (; cursor.Valid(); cursor.Next()) keys.emplace_back(cursor.key());
  EXPECT_TRUE(cursor.status().ok()) << cursor.status();
  return keys;
}

std::string Noise(size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::string noise(size, '\0');
  for (char& c : noise) c = static_cast<char>(engine());
  return noise;
}

TEST(KeyValueStoreTest, KeepsWhatWasWrittenOverReopening) {
  const TemporaryFolder folder;
  {
    const auto store = OpenOrDie(folder.File("db"), {.families = {"rounds"}});
    ASSERT_TRUE(store->Put(store->FamilyNamed("rounds"), "1", std::string("a\0b", 3), Durability::kSynced).ok());
  }
  const auto store = OpenOrDie(folder.File("db"));  // Unnamed families are opened as well.
  EXPECT_THAT(store->families(), ElementsAre("default", "rounds"));
  EXPECT_EQ(store->Get(store->FamilyNamed("rounds"), "1")->value(), std::string("a\0b", 3));
  EXPECT_FALSE(store->Get(store->FamilyNamed("default"), "1")->has_value());
  EXPECT_TRUE(*store->Contains(store->FamilyNamed("rounds"), "1"));
  EXPECT_FALSE(*store->Contains(store->FamilyNamed("rounds"), "2"));
}

TEST(KeyValueStoreTest, AppliesABatchInOrderOverSeveralFamilies) {
  const TemporaryFolder folder;
  const auto store = OpenOrDie(folder.File("db"), {.families = {"a", "b"}});
  const Family a = store->FamilyNamed("a");
  const Family b = store->FamilyNamed("b");
  WriteBatch batch;
  batch.Put(a, "1", "x").Put(a, "2", "x").Put(a, "3", "x").DeleteRange(a, "1", "3").Put(a, "1", "y").Put(b, "k", "v");
  batch.Delete(b, "absent");
  EXPECT_EQ(batch.changes(), 7u);
  ASSERT_TRUE(store->Write(batch, Durability::kBuffered).ok());
  EXPECT_THAT(KeysOf(store->Prefix(a, "")), ElementsAre("1", "3"));
  EXPECT_EQ(store->Get(a, "1")->value(), "y");
  EXPECT_EQ(store->Get(b, "k")->value(), "v");
}

TEST(KeyValueStoreTest, WalksRangesAndPrefixesInByteOrder) {
  const TemporaryFolder folder;
  const auto store = OpenOrDie(folder.File("db"));
  const Family all = store->FamilyNamed("default");
  for (const char* key : {"b/2", "a", "b/1", "b0", "\xff\xff", "b/\xff"}) {
    ASSERT_TRUE(store->Put(all, key, "", Durability::kBuffered).ok());
  }
  EXPECT_THAT(KeysOf(store->Prefix(all, "b/")), ElementsAre("b/1", "b/2", "b/\xff"));
  EXPECT_THAT(KeysOf(store->Prefix(all, "\xff")), ElementsAre("\xff\xff"));
  EXPECT_THAT(KeysOf(store->Range(all, "b/2", "b0")), ElementsAre("b/2", "b/\xff"));
  EXPECT_THAT(KeysOf(store->Range(all, "b0", "")), ElementsAre("b0", "\xff\xff"));
  EXPECT_THAT(KeysOf(store->Prefix(all, "zzz")), IsEmpty());
}

TEST(KeyValueStoreTest, ACursorDoesNotSeeLaterWrites) {
  const TemporaryFolder folder;
  const auto store = OpenOrDie(folder.File("db"));
  const Family all = store->FamilyNamed("default");
  ASSERT_TRUE(store->Put(all, "1", "", Durability::kBuffered).ok());
  Cursor cursor = store->Prefix(all, "");
  ASSERT_TRUE(store->Put(all, "2", "", Durability::kBuffered).ok());
  EXPECT_THAT(KeysOf(std::move(cursor)), ElementsAre("1"));
}

TEST(KeyValueStoreTest, TheEndOfAPrefixIsTheNextKeyBeyondIt) {
  EXPECT_EQ(EndOfPrefix("ab"), "ac");
  EXPECT_EQ(EndOfPrefix("a\xff\xff"), "b");
  EXPECT_EQ(EndOfPrefix("\xff"), "");
  EXPECT_EQ(EndOfPrefix(""), "");
}

TEST(KeyValueStoreTest, DropsAFamilyWithItsContents) {
  const TemporaryFolder folder;
  const auto store = OpenOrDie(folder.File("db"), {.families = {"old"}});
  ASSERT_TRUE(store->Put(store->FamilyNamed("old"), "1", "", Durability::kSynced).ok());
  ASSERT_TRUE(store->DropFamily("old").ok());
  EXPECT_THAT(store->families(), ElementsAre("default"));
  EXPECT_EQ(store->DropFamily("old").code(), StatusCode::kNotFound);
}

TEST(KeyValueStoreTest, SaysThatAnotherHasTheFolderOpen) {
  const TemporaryFolder folder;
  const auto store = OpenOrDie(folder.File("db"));
  const Status second = KeyValueStore::Open(folder.File("db"), {}).status();
  EXPECT_EQ(second.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(MessageOf(second)), HasSubstr("in use by another"));
  EXPECT_THAT(std::string(MessageOf(second)), HasSubstr(folder.File("db")));
}

TEST(KeyValueStoreTest, CallsDamagedBytesDataLoss) {
  const TemporaryFolder folder;
  {
    const auto store = OpenOrDie(folder.File("db"), {.compress = false});
    ASSERT_TRUE(store->Put(store->FamilyNamed("default"), "1", Noise(10'000, 1), Durability::kSynced).ok());
    ASSERT_TRUE(store->Flush().ok());
  }
  for (const auto& file : std::filesystem::directory_iterator(folder.File("db"))) {
    if (file.path().extension() != ".sst") continue;
    std::fstream table(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    table.seekp(5'000);
    table.write("damage", 6);
  }
  const auto store = OpenOrDie(folder.File("db"));
  EXPECT_EQ(store->Get(store->FamilyNamed("default"), "1").status().code(), StatusCode::kDataLoss);
  Cursor cursor = store->Prefix(store->FamilyNamed("default"), "");
  EXPECT_FALSE(cursor.Valid());
  EXPECT_EQ(cursor.status().code(), StatusCode::kDataLoss);
}

TEST(KeyValueStoreTest, SaysThatTheFolderCannotBeMade) {
  const TemporaryFolder folder;
  folder.Write("file", "");
  EXPECT_EQ(KeyValueStore::Open(folder.File("file/db"), {}).status().code(), StatusCode::kUnavailable);
}

// How a disk fills up: the reserve is what keeps RocksDB from meeting it, and without one it must recover all the same.
struct FullDiskCase {
  std::string name;
  uint64_t reserve;
  size_t value_size;
  uint64_t write_buffer_size;
};

class FullDiskTest : public ::testing::TestWithParam<FullDiskCase> {};

TEST_P(FullDiskTest, LosesNothingAndPassesWhenSpaceIsFreed) {
  const SmallDisk disk("32m");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small disk here";
  const size_t size = GetParam().value_size;
  const auto store = OpenOrDie(
      disk.folder().File("db"),
      {.write_buffer_size = GetParam().write_buffer_size, .disk_reserve = GetParam().reserve, .compress = false});
  const Family all = store->FamilyNamed("default");
  unsigned count = 0;
  for (int fillings = 0; fillings < 3; ++fillings) {
    Status written;
    for (unsigned more = 0; written.ok(); ++more) {
      if (more == 10) disk.Fill();
      written = store->Put(all, fmt::format("{:06}", count), Noise(size, count), Durability::kSynced);
      if (written.ok()) ++count;
    }
    EXPECT_EQ(written.code(), StatusCode::kResourceExhausted) << written;
    EXPECT_THAT(std::string(MessageOf(written)), HasSubstr("disk is full"));
    EXPECT_EQ(store->Put(all, "again", "", Durability::kSynced).code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(KeysOf(store->Prefix(all, "")).size(), count);
    disk.Free();
    written = store->Put(all, fmt::format("{:06}", count), Noise(size, count), Durability::kSynced);
    ASSERT_TRUE(written.ok()) << written;
    ++count;
  }
  EXPECT_EQ(KeysOf(store->Prefix(all, "")).size(), count);
  for (unsigned i = 0; i < count; ++i) EXPECT_EQ(*store->Get(all, fmt::format("{:06}", i)).value(), Noise(size, i));
}

INSTANTIATE_TEST_SUITE_P(, FullDiskTest,
                         ::testing::Values(FullDiskCase{"Reserved", 1 << 20, 20'000, 256 << 10},
                                           FullDiskCase{"LargeValues", 0, 64 << 10, 256 << 10},
                                           FullDiskCase{"SmallValues", 0, 3'000, 256 << 10},
                                           FullDiskCase{"NoFlushBefore", 0, 3'000, 4 << 20}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace aisle

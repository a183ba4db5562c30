#include "coordinator/uploads/shared_shelf.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/codec.h"
#include "base/reason.h"
#include "tests/coordinator-uploads/sample_updates.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

class SharedShelfTest : public ::testing::Test {
 protected:
  void Restart() {
    shelf_.reset();
    shelf_ = *SharedShelf::Open(folder_.path());
  }
  Status Put(size_t store, std::string_view content) {
    AISLE_ASSIGN_OR_RETURN(const auto arriving, shelf_->Begin(Store(store), NameOf(content)));
    AISLE_RETURN_IF_ERROR(arriving->Append(content));
    return arriving->Finish();
  }
  std::string Get(size_t store, std::string_view content) {
    const auto update = shelf_->OpenVerified(Store(store), NameOf(content));
    if (!update.ok()) return std::string(update.status().message());
    std::string bytes(content.size(), '\0');
    EXPECT_TRUE(update->ReadAt(0, bytes.data(), bytes.size()).ok());
    return bytes;
  }
  void Truncate(uint64_t size) { ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(size)), 0); }
  std::string path() const { return folder_.File("updates"); }

  TemporaryFolder folder_;
  std::unique_ptr<SharedShelf> shelf_ = *SharedShelf::Open(folder_.path());
};

TEST_F(SharedShelfTest, KeepsManyUpdatesInOneFileOverARestart) {
  ASSERT_TRUE(Put(1, "first").ok());
  ASSERT_TRUE(Put(2, "second").ok());
  ASSERT_TRUE(Put(3, "first").ok());
  for (int restarts = 0; restarts < 2; ++restarts, Restart()) {
    EXPECT_EQ(Get(1, "first"), "first");
    EXPECT_EQ(Get(2, "second"), "second");
    EXPECT_EQ(Get(3, "first"), "first");
    EXPECT_FALSE(shelf_->Has(Store(2), NameOf("first")));
  }
}

// A power cut may end the file anywhere: what was whole stays, and the next update goes behind it.
TEST_F(SharedShelfTest, SurvivesACutAtAnyByte) {
  ASSERT_TRUE(Put(1, "first").ok());
  const uint64_t first_end = *FileSize(path());
  ASSERT_TRUE(Put(2, "second").ok());
  const std::string whole = folder_.Read("updates");
  for (uint64_t size = 0; size < whole.size(); ++size) {
    shelf_.reset();
    folder_.Write("updates", whole.substr(0, size));
    Restart();
    EXPECT_EQ(shelf_->Has(Store(1), NameOf("first")), size >= first_end) << size;
    EXPECT_FALSE(shelf_->Has(Store(2), NameOf("second"))) << size;
    ASSERT_TRUE(Put(3, "third").ok());
    Restart();
    EXPECT_EQ(Get(3, "third"), "third") << size;
  }
}

TEST_F(SharedShelfTest, ADamagedUpdateIsMissingAndSparesTheOthers) {
  ASSERT_TRUE(Put(1, "first").ok());
  ASSERT_TRUE(Put(2, "second").ok());
  std::string content = folder_.Read("updates");
  content[content.find("first")] = 'F';
  shelf_.reset();
  folder_.Write("updates", content);
  Restart();
  EXPECT_FALSE(shelf_->Has(Store(1), NameOf("first")));
  EXPECT_EQ(shelf_->OpenVerified(Store(1), NameOf("first")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Get(2, "second"), "second");
  ASSERT_TRUE(Put(1, "first").ok());
  EXPECT_EQ(Get(1, "first"), "first");
}

TEST_F(SharedShelfTest, DamageToARecordsHeadSparesThoseBehindIt) {
  const std::string large(kSharedUpdateMax, 'x');  // More than the shelf looks at in one step.
  ASSERT_TRUE(Put(1, "first").ok());
  const uint64_t second = *FileSize(path());
  ASSERT_TRUE(Put(2, large).ok());
  ASSERT_TRUE(Put(3, "third").ok());
  std::string content = folder_.Read("updates");
  content[second] = '?';
  shelf_.reset();
  folder_.Write("updates", content);
  Restart();
  EXPECT_FALSE(shelf_->Has(Store(2), NameOf(large)));
  ASSERT_TRUE(Put(4, "fourth").ok());
  for (int restarts = 0; restarts < 2; ++restarts, Restart()) {
    EXPECT_EQ(Get(1, "first"), "first");
    EXPECT_EQ(Get(3, "third"), "third");
    EXPECT_EQ(Get(4, "fourth"), "fourth");
  }
}

// A size that was damaged may reach beyond the file's end now, and over what is taken next.
TEST_F(SharedShelfTest, DamageToARecordsSizeSparesThoseThatAreYetToCome) {
  ASSERT_TRUE(Put(1, "first").ok());
  ASSERT_TRUE(Put(2, "second").ok());
  std::string content = folder_.Read("updates");
  content[content.find("first") - 4] = 100;
  shelf_.reset();
  folder_.Write("updates", content);
  Restart();
  ASSERT_TRUE(Put(3, "third").ok());
  ASSERT_TRUE(Put(4, "fourth").ok());
  ASSERT_TRUE(shelf_->Forget(Store(4)).ok());
  ASSERT_TRUE(Put(5, std::string(100, '5')).ok());
  ASSERT_TRUE(shelf_->Forget(Store(5)).ok());
  for (int restarts = 0; restarts < 2; ++restarts, Restart()) {
    EXPECT_FALSE(shelf_->Has(Store(1), NameOf("first")));
    EXPECT_EQ(Get(2, "second"), "second");
    EXPECT_EQ(Get(3, "third"), "third");
    EXPECT_FALSE(shelf_->Has(Store(5), NameOf(std::string(100, '5'))));
  }
}

// With its size at zero, an update reads like one that takes back its store's others.
TEST_F(SharedShelfTest, ADamagedSizeTakesNothingBack) {
  ASSERT_TRUE(Put(1, "first").ok());
  ASSERT_TRUE(Put(1, "another").ok());
  std::string content = folder_.Read("updates");
  content[content.find("another") - 4] = 0;
  shelf_.reset();
  folder_.Write("updates", content);
  Restart();
  EXPECT_EQ(Get(1, "first"), "first");
}

// A payload that was cut may read like records: those can't take another store's update away.
TEST_F(SharedShelfTest, APayloadThatWasCutVoidsNothing) {
  ASSERT_TRUE(Put(1, "first").ok());
  ByteWriter forged;
  forged.Raw("AISLEUP1").String(Store(1).str()).Put(Digest{}).String("");
  ASSERT_TRUE(Put(2, forged.bytes() + "tail").ok());
  const uint64_t size = *FileSize(path());
  shelf_.reset();
  Truncate(size - 1);
  Restart();
  EXPECT_EQ(Get(1, "first"), "first");
}

TEST_F(SharedShelfTest, ForgetsAStoreForGood) {
  ASSERT_TRUE(Put(1, "first").ok());
  ASSERT_TRUE(Put(2, "second").ok());
  ASSERT_TRUE(shelf_->Forget(Store(1)).ok());
  for (int restarts = 0; restarts < 2; ++restarts, Restart()) {
    EXPECT_FALSE(shelf_->Has(Store(1), NameOf("first")));
    EXPECT_TRUE(shelf_->Has(Store(2), NameOf("second")));
  }
  ASSERT_TRUE(Put(1, "first").ok());
  Restart();
  EXPECT_EQ(Get(1, "first"), "first");
}

TEST_F(SharedShelfTest, AFullDiskTakesNothingBack) {
  const SmallDisk disk("256k");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk isn't allowed here";
  shelf_ = *SharedShelf::Open(disk.folder().path());
  const std::string content(50'000, 'x');
  Status status;
  size_t written = 0;
  while ((status = Put(written, content)).ok()) ++written;
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), Reason::kStorageFull);
  shelf_ = *SharedShelf::Open(disk.folder().path());
  for (size_t store = 0; store < written; ++store) EXPECT_EQ(Get(store, content), content);
  EXPECT_FALSE(shelf_->Has(Store(written), NameOf(content)));
}

}  // namespace
}  // namespace aisle

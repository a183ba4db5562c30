#include "coordinator/backup/backup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/coordinator-catalog/sample_records.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    state_ = RocksStateStore::Open(folder_.File("state")).value();
    blobs_ = BlobStore::Open(folder_.File("blobs")).value();
    desk_ = std::make_unique<BackupDesk>(*state_, *blobs_, folder_.File(""));
  }
  void Put(const JobRecord& job) { ASSERT_TRUE(state_->Commit(StateChange().Put(job), Durability::kSynced).ok()); }
  // Copies the backup's database aside and opens it.
  std::unique_ptr<RocksStateStore> StateOf(const Backup& backup) {
    const std::string aside = folder_.File("copy");
    std::filesystem::create_directories(aside);
    for (const Backup::File& file : backup.files()) {
      if (!file.path.starts_with("state/")) continue;
      std::filesystem::copy(file.source, aside + file.path.substr(5));
    }
    return RocksStateStore::Open(aside).value();
  }
  static bool Names(const Backup& backup, const BlobName& blob) {
    return std::ranges::any_of(backup.files(), [&](const Backup::File& file) {
      return file.path.ends_with(blob.digest.Hex()) && file.size == blob.size;
    });
  }

  const TemporaryFolder folder_;
  std::unique_ptr<RocksStateStore> state_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<BackupDesk> desk_;
};

TEST_F(BackupTest, IsTheStateOfOneMomentWhateverIsWrittenMeanwhile) {
  Put(SampleJob("before"));
  const auto backup = desk_->Begin({}, At(5)).value();
  Put(SampleJob("after"));
  EXPECT_EQ(backup->made_at(), At(5));
  const auto copy = StateOf(*backup);
  EXPECT_EQ(*copy->FindJob(Job("before")).value(), SampleJob("before"));
  EXPECT_FALSE(copy->FindJob(Job("after")).value().has_value());
  EXPECT_TRUE(state_->FindJob(Job("after")).value().has_value());
}

TEST_F(BackupTest, BlobsThatAreRemovedMeanwhileStayUntilItIsDone) {
  const BlobName kept = blobs_->Put("weights").value();
  const BlobName removed = blobs_->Put("momentum").value();
  auto backup = desk_->Begin({}, At(0)).value();
  EXPECT_TRUE(Names(*backup, kept));
  EXPECT_TRUE(Names(*backup, removed));
  ASSERT_TRUE(blobs_->Remove(removed.digest).ok());
  EXPECT_EQ(blobs_->Read(removed).value(), "momentum");
  backup.reset();
  EXPECT_FALSE(blobs_->Contains(removed.digest));
  EXPECT_TRUE(blobs_->Contains(kept.digest));
}

TEST_F(BackupTest, ABlobThatIsStoredAgainMeanwhileIsNotRemoved) {
  const BlobName blob = blobs_->Put("momentum").value();
  auto backup = desk_->Begin({}, At(0)).value();
  ASSERT_TRUE(blobs_->Remove(blob.digest).ok());
  ASSERT_TRUE(blobs_->Put("momentum").ok());
  backup.reset();
  EXPECT_TRUE(blobs_->Contains(blob.digest));
}

TEST_F(BackupTest, LeavesOutWhatTheCallerHas) {
  const BlobName had = blobs_->Put("weights").value();
  const BlobName fresh = blobs_->Put("momentum").value();
  const auto backup = desk_->Begin({had.digest}, At(0)).value();
  EXPECT_FALSE(Names(*backup, had));
  EXPECT_TRUE(Names(*backup, fresh));
  EXPECT_EQ(backup->blobs_kept(), 1U);
}

TEST_F(BackupTest, OneAtATimeAndNothingIsLeftBehind) {
  auto first = desk_->Begin({}, At(0)).value();
  EXPECT_EQ(desk_->Begin({}, At(0)).status().code(), StatusCode::kFailedPrecondition);
  const std::string scratch = std::filesystem::path(first->files().front().source).parent_path();
  first.reset();
  EXPECT_FALSE(std::filesystem::exists(scratch));
  EXPECT_TRUE(desk_->Begin({}, At(0)).ok());
}

TEST_F(BackupTest, WhatADeadProgramLeftBehindIsRemoved) {
  const std::string scratch =
      std::filesystem::path(desk_->Begin({}, At(0)).value()->files().front().source).parent_path();
  std::filesystem::create_directories(scratch + "/half");
  desk_ = std::make_unique<BackupDesk>(*state_, *blobs_, folder_.File(""));
  EXPECT_FALSE(std::filesystem::exists(scratch));
}

}  // namespace
}  // namespace aisle

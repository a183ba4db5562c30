#include "coordinator/catalog/memory_state_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator-catalog/sample_records.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MemoryStateStoreTest : public ::testing::Test {
 protected:
  void Append(uint64_t sequence, Durability durability) {
    const std::string event = "e" + std::to_string(sequence);
    ASSERT_TRUE(store_.Commit(StateChange().AppendEvent(round_, sequence, event), durability).ok());
  }
  const RoundId round_ = Round("a", 1);
  MemoryStateStore store_;
};

TEST_F(MemoryStateStoreTest, APowerCutLosesWhatWasNotSynced) {
  Append(0, Durability::kSynced);
  Append(1, Durability::kBuffered);
  Append(2, Durability::kBuffered);
  EXPECT_EQ(store_.unsynced(), 2u);
  EXPECT_EQ(store_.ReadJournal(round_)->size(), 3u);
  store_.LosePower();
  EXPECT_THAT(*store_.ReadJournal(round_), ElementsAre("e0"));
  EXPECT_EQ(store_.unsynced(), 0u);
}

TEST_F(MemoryStateStoreTest, APowerCutMaySpareTheOldest) {
  for (uint64_t sequence = 0; sequence < 4; ++sequence) Append(sequence, Durability::kBuffered);
  store_.LosePower(2);
  EXPECT_THAT(*store_.ReadJournal(round_), ElementsAre("e0", "e1"));
}

TEST_F(MemoryStateStoreTest, ASyncedCommitSavesEverythingBeforeIt) {
  Append(0, Durability::kBuffered);
  Append(1, Durability::kSynced);
  store_.LosePower();
  EXPECT_THAT(*store_.ReadJournal(round_), ElementsAre("e0", "e1"));
}

TEST_F(MemoryStateStoreTest, ADroppedJournalComesBackIfTheDropIsLost) {
  Append(0, Durability::kSynced);
  ASSERT_TRUE(store_.Commit(StateChange().DropJournal(round_), Durability::kBuffered).ok());
  EXPECT_THAT(*store_.ReadJournal(round_), IsEmpty());
  store_.LosePower();
  EXPECT_THAT(*store_.ReadJournal(round_), ElementsAre("e0"));
}

TEST_F(MemoryStateStoreTest, FailsCommitsOnDemand) {
  store_.FailCommits(ResourceExhausted("disk full"), 2);
  const StateChange change = StateChange().PutSetting("x", "1");
  EXPECT_EQ(store_.Commit(change, Durability::kSynced).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(store_.Commit(change, Durability::kSynced).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(*store_.FindSetting("x"), std::nullopt);
  EXPECT_TRUE(store_.Commit(change, Durability::kSynced).ok());
}

}  // namespace
}  // namespace aisle

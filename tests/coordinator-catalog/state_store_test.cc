// What every StateStore promises, asked of each of them.
#include "coordinator/catalog/state_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "coordinator/catalog/memory_state_store.h"
#include "coordinator/catalog/record_codec.h"
#include "coordinator/catalog/rocks_state_store.h"
#include "tests/coordinator-catalog/sample_records.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An implementation, and what a restart of the program does to it.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual StateStore& store() = 0;
  virtual void Restart() = 0;
};

class MemorySubject final : public Subject {
 public:
  StateStore& store() override { return store_; }
  void Restart() override {}  // A program's end loses nothing; see memory_state_store_test.cc for power cuts.

 private:
  MemoryStateStore store_;
};

class RocksSubject final : public Subject {
 public:
  StateStore& store() override { return *store_; }
  void Restart() override {
    store_.reset();
    store_ = *RocksStateStore::Open(folder_.path());
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<RocksStateStore> store_ = *RocksStateStore::Open(folder_.path());
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Subject>()> make;
};

void PrintTo(const Implementation& implementation, std::ostream* out) { *out << implementation.name; }

class StateStoreTest : public ::testing::TestWithParam<Implementation> {
 protected:
  StateStore& store() { return subject_->store(); }
  Status Commit(const StateChange& change) { return store().Commit(change, Durability::kSynced); }
  std::unique_ptr<Subject> subject_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(, StateStoreTest,
                         ::testing::Values(Implementation{"Memory", [] { return std::make_unique<MemorySubject>(); }},
                                           Implementation{"Rocks", [] { return std::make_unique<RocksSubject>(); }}),
                         [](const auto& test) { return test.param.name; });

TEST_P(StateStoreTest, IsEmptyAtFirst) {
  EXPECT_EQ(*store().FindStore(Store("a")), std::nullopt);
  EXPECT_EQ(*store().FindJob(Job("a")), std::nullopt);
  EXPECT_EQ(*store().FindRound(Round("a", 1)), std::nullopt);
  EXPECT_EQ(*store().FindModel(Job("a"), 1), std::nullopt);
  EXPECT_EQ(*store().FindSetting("a"), std::nullopt);
  EXPECT_THAT(*store().ListStores(), IsEmpty());
  EXPECT_THAT(*store().ListJobs(), IsEmpty());
  EXPECT_THAT(*store().ListRounds(Job("a")), IsEmpty());
  EXPECT_THAT(*store().ListModels(), IsEmpty());
  EXPECT_THAT(*store().ReadJournal(Round("a", 1)), IsEmpty());
  EXPECT_THAT(*store().ListJournals(), IsEmpty());
}

TEST_P(StateStoreTest, GivesBackWhatWasCommittedAlsoAfterARestart) {
  StateChange change;
  change.Put(SampleStore()).Put(SampleJob()).Put(SampleRound(Round("demand", 9))).Publish(SampleModel("demand", 7));
  change.PutSetting("chain", "acme").AppendEvent(Round("demand", 10), 0, "opened");
  ASSERT_TRUE(Commit(change).ok());
  for (int restarts = 0; restarts < 2; ++restarts, subject_->Restart()) {
    EXPECT_EQ(*store().FindStore(Store("berlin-7")), SampleStore());
    EXPECT_EQ(*store().FindJob(Job("demand")), SampleJob());
    EXPECT_EQ(*store().FindRound(Round("demand", 9)), SampleRound(Round("demand", 9)));
    EXPECT_EQ(*store().FindModel(Job("demand"), 7), SampleModel("demand", 7));
    EXPECT_EQ(*store().FindSetting("chain"), "acme");
    EXPECT_THAT(*store().ReadJournal(Round("demand", 10)), ElementsAre("opened"));
  }
}

TEST_P(StateStoreTest, ReplacesAndDeletes) {
  StoreRecord record = SampleStore("a");
  ASSERT_TRUE(Commit(StateChange().Put(record).PutSetting("x", "1")).ok());
  record.state = StoreState::kRevoked;
  ASSERT_TRUE(Commit(StateChange().Put(record).PutSetting("x", "2")).ok());
  EXPECT_EQ((*store().FindStore(Store("a")))->state, StoreState::kRevoked);
  EXPECT_EQ(*store().FindSetting("x"), "2");
  ASSERT_TRUE(Commit(StateChange().Delete(Store("a")).DeleteSetting("x")).ok());
  EXPECT_EQ(*store().FindStore(Store("a")), std::nullopt);
  EXPECT_EQ(*store().FindSetting("x"), std::nullopt);
}

TEST_P(StateStoreTest, TheLastWriteOfAChangeWins) {
  ASSERT_TRUE(Commit(StateChange().PutSetting("x", "1").DeleteSetting("x").PutSetting("x", "3")).ok());
  EXPECT_EQ(*store().FindSetting("x"), "3");
}

TEST_P(StateStoreTest, FindsAStoreByItsLatestCodeOnly) {
  StoreRecord record = SampleStore("a");
  record.code->hash = Sha256::Of("first");
  ASSERT_TRUE(Commit(StateChange().Put(record)).ok());
  EXPECT_EQ(*store().FindStoreByCode(Sha256::Of("first")), record);
  record.code->hash = Sha256::Of("second");
  ASSERT_TRUE(Commit(StateChange().Put(record)).ok());
  EXPECT_EQ(*store().FindStoreByCode(Sha256::Of("first")), std::nullopt);
  EXPECT_EQ(*store().FindStoreByCode(Sha256::Of("second")), record);
  ASSERT_TRUE(Commit(StateChange().Delete(record.id)).ok());
  EXPECT_EQ(*store().FindStoreByCode(Sha256::Of("second")), std::nullopt);
}

TEST_P(StateStoreTest, PagesThroughTheStoresInOrder) {
  StateChange change;
  for (const char* name : {"c", "a", "b", "a.b", "a-b"}) change.Put(SampleStore(name));
  ASSERT_TRUE(Commit(change).ok());
  std::vector<std::string> seen;
  StoreId after;
  for (;;) {
    const auto page = *store().ListStores(after, 2);
    if (page.empty()) break;
    EXPECT_LE(page.size(), 2u);
    for (const StoreRecord& record : page) seen.push_back(record.id.str());
    after = page.back().id;
  }
  EXPECT_THAT(seen, ElementsAre("a", "a-b", "a.b", "b", "c"));
}

// "a" is the beginning of "a1", and 256 comes after 2: neither may confuse the keys.
TEST_P(StateStoreTest, KeepsRoundsAndModelsOfSimilarJobsApart) {
  StateChange change;
  for (const uint32_t number : {2u, 256u, 1u, 65536u}) {
    change.Put(SampleRound(Round("a", number))).Put(SampleRound(Round("a1", number)));
    change.Publish(SampleModel("a", number)).Publish(SampleModel("a1", number));
  }
  ASSERT_TRUE(Commit(change).ok());
  std::vector<uint32_t> numbers;
  const std::vector<RoundRecord> rounds = *store().ListRounds(Job("a"));
  for (const RoundRecord& round : rounds) {
    EXPECT_EQ(round.id.job, Job("a"));
    numbers.push_back(round.id.number);
  }
  EXPECT_THAT(numbers, ElementsAre(1, 2, 256, 65536));
  std::vector<uint64_t> versions;
  const std::vector<ModelRecord> models = *store().ListModels(Job("a"));
  for (const ModelRecord& model : models) versions.push_back(model.version);
  EXPECT_THAT(versions, ElementsAre(1, 2, 256, 65536));
  EXPECT_EQ(store().ListModels()->size(), 8u);
}

TEST_P(StateStoreTest, ListsTheLatestRoundsOfAJob) {
  StateChange change;
  JobRecord job = SampleJob("a");
  job.next_round_number = 6;
  change.Put(job);
  for (uint32_t number = 1; number < 6; ++number) change.Put(SampleRound(Round("a", number)));
  ASSERT_TRUE(Commit(change).ok());
  const auto latest = *store().ListRounds(Job("a"), 2);
  ASSERT_EQ(latest.size(), 2u);
  EXPECT_EQ(latest[0].id.number, 4u);
  EXPECT_EQ(latest[1].id.number, 5u);
  EXPECT_EQ(store().ListRounds(Job("a"), 100)->size(), 5u);
}

TEST_P(StateStoreTest, FindsTheLatestRoundsBeyondAGapInTheirNumbers) {
  StateChange change;
  JobRecord job = SampleJob("a");
  job.next_round_number = 864'003;
  change.Put(job);
  for (const uint32_t number : {1u, 2u, 3u, 864'002u}) change.Put(SampleRound(Round("a", number)));
  ASSERT_TRUE(Commit(change).ok());
  const auto latest = *store().ListRounds(Job("a"), 3);
  ASSERT_EQ(latest.size(), 3u);
  EXPECT_EQ(latest[0].id.number, 2u);
  EXPECT_EQ(latest[2].id.number, 864'002u);
  EXPECT_EQ(store().ListRounds(Job("a"), 1)->front().id.number, 864'002u);
}

TEST_P(StateStoreTest, AModelIsPublishedOnceAndNothingElseOfARefusedChangeHappens) {
  ASSERT_TRUE(Commit(StateChange().Publish(SampleModel("a", 1))).ok());
  ModelRecord other = SampleModel("a", 1);
  other.stores = 99;
  const Status refused = Commit(StateChange().PutSetting("x", "1").Publish(other).PutSetting("y", "1"));
  EXPECT_EQ(refused.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(MessageOf(refused), HasSubstr("model a version 1"));
  EXPECT_EQ(*store().FindModel(Job("a"), 1), SampleModel("a", 1));
  EXPECT_EQ(*store().FindSetting("x"), std::nullopt);
  EXPECT_EQ(*store().FindSetting("y"), std::nullopt);
}

TEST_P(StateStoreTest, AppendsEventsInOrder) {
  const RoundId round = Round("a", 1);
  ASSERT_TRUE(Commit(StateChange().AppendEvents(round, 0, std::vector<std::string>{"e0", "e1"})).ok());
  ASSERT_TRUE(Commit(StateChange().AppendEvent(round, 2, "").AppendEvent(round, 3, std::string("\0z", 2))).ok());
  EXPECT_THAT(*store().ReadJournal(round), ElementsAre("e0", "e1", "", std::string("\0z", 2)));
  EXPECT_TRUE(Commit(StateChange().AppendEvents(round, 9, {})).ok());
}

TEST_P(StateStoreTest, RefusesToWriteAnEventTwiceOrToLeaveAGap) {
  const RoundId round = Round("a", 1);
  EXPECT_EQ(Commit(StateChange().AppendEvent(round, 1, "e1")).code(), StatusCode::kAborted);
  ASSERT_TRUE(Commit(StateChange().AppendEvent(round, 0, "e0")).ok());
  EXPECT_EQ(Commit(StateChange().AppendEvent(round, 0, "other")).code(), StatusCode::kAborted);
  EXPECT_EQ(Commit(StateChange().AppendEvent(round, 2, "e2")).code(), StatusCode::kAborted);
  EXPECT_THAT(*store().ReadJournal(round), ElementsAre("e0"));
}

TEST_P(StateStoreTest, OfTwoWritersOfOneEventExactlyOneSucceeds) {
  const RoundId round = Round("a", 1);
  std::atomic<int> written = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (uint64_t sequence = 0; sequence < 25; ++sequence) {
        const std::string event = std::to_string(writer);
        written += store().Commit(StateChange().AppendEvent(round, sequence, event), Durability::kBuffered).ok();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(written, 25);
  EXPECT_EQ(store().ReadJournal(round)->size(), 25u);
}

TEST_P(StateStoreTest, ListsOpenJournalsAndDropsThemWhole) {
  StateChange change;
  for (const RoundId& round : {Round("a", 1), Round("a", 256), Round("a1", 1)}) {
    change.AppendEvents(round, 0, std::vector<std::string>{"e0", "e1", "e2"});
  }
  ASSERT_TRUE(Commit(change).ok());
  EXPECT_THAT(*store().ListJournals(), ElementsAre(Round("a", 1), Round("a", 256), Round("a1", 1)));
  ASSERT_TRUE(Commit(StateChange().DropJournal(Round("a", 1))).ok());
  EXPECT_THAT(*store().ReadJournal(Round("a", 1)), IsEmpty());
  EXPECT_THAT(*store().ListJournals(), ElementsAre(Round("a", 256), Round("a1", 1)));
  EXPECT_EQ(store().ReadJournal(Round("a1", 1))->size(), 3u);
}

TEST_P(StateStoreTest, ClosesARoundInOneWrite) {
  const RoundId id = Round("demand", 1);
  ASSERT_TRUE(Commit(StateChange().AppendEvent(id, 0, "opened")).ok());
  StateChange change;
  change.Publish(SampleModel("demand", 1)).Put(SampleJob()).Put(SampleRound(id)).DropJournal(id);
  ASSERT_TRUE(Commit(change).ok());
  EXPECT_THAT(*store().ListJournals(), IsEmpty());
  // Said again after a crash that lost the answer: refused as a whole, and so harmless.
  EXPECT_EQ(Commit(change).code(), StatusCode::kAlreadyExists);
}

TEST_P(StateStoreTest, ASettingCanBeComparedAndSwapped) {
  StateChange take;
  take.RequireSetting("lease", std::nullopt).PutSetting("lease", "epoch 1");
  ASSERT_TRUE(Commit(take).ok());
  EXPECT_EQ(Commit(take).code(), StatusCode::kAborted);
  ASSERT_TRUE(Commit(StateChange().RequireSetting("lease", "epoch 1").PutSetting("lease", "epoch 2")).ok());
  // The one who lost the lease is fenced off.
  const Status fenced = Commit(StateChange().RequireSetting("lease", "epoch 1").Put(SampleJob()));
  EXPECT_EQ(fenced.code(), StatusCode::kAborted);
  EXPECT_THAT(MessageOf(fenced), HasSubstr("'lease'"));
  EXPECT_THAT(*store().ListJobs(), IsEmpty());
}

TEST_P(StateStoreTest, RefusesChangesOverTheirLimits) {
  const std::string event(kJournalEventSizeMax + 1, 'x');
  EXPECT_EQ(Commit(StateChange().AppendEvent(Round("a", 1), 0, event)).code(), StatusCode::kInvalidArgument);
  const std::string setting(kSettingSizeMax + 1, 'x');
  EXPECT_EQ(Commit(StateChange().PutSetting("x", setting)).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Commit(StateChange().Put(StoreRecord())).code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(*store().ListJournals(), IsEmpty());
}

TEST_P(StateStoreTest, AnEmptyChangeIsFine) { EXPECT_TRUE(Commit(StateChange()).ok()); }

TEST(RocksStateStoreTest, RefusesAFolderThatIsInUse) {
  const TemporaryFolder folder;
  const auto first = RocksStateStore::Open(folder.path());
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(RocksStateStore::Open(folder.path()).status().code(), StatusCode::kFailedPrecondition);
}

TEST(RocksStateStoreTest, AFullDiskLosesNothingAndHeals) {
  const SmallDisk disk("16m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk isn't allowed here";
  const auto store = *RocksStateStore::Open(disk.folder().File("state"));
  ASSERT_TRUE(store->Commit(StateChange().PutSetting("x", "1"), Durability::kSynced).ok());
  disk.Fill();
  Status status;
  for (int i = 0; status.ok() && i < 1000; ++i) {
    status = store->Commit(StateChange().PutSetting("big", std::string(64 << 10, 'x')), Durability::kSynced);
  }
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(*store->FindSetting("x"), "1");
  disk.Free();
  EXPECT_TRUE(store->Commit(StateChange().PutSetting("x", "2"), Durability::kSynced).ok());
  EXPECT_EQ(*store->FindSetting("x"), "2");
}

}  // namespace
}  // namespace aisle

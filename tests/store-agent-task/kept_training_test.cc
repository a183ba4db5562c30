// What is kept of a training on the disk: whole or nothing, of this very training or nothing, and nothing once it is
// over.
#include "store-agent/task/kept_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SealedFileTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& content, std::string_view place = "here", const std::string& name = "f") {
    SealedFileWriter file = SealedFileWriter::Begin(folder_.File(name), key_, place, random_).value();
    EXPECT_TRUE(file.Append(std::string_view(content).substr(0, content.size() / 3)).ok());
    EXPECT_TRUE(file.Append(std::string_view(content).substr(content.size() / 3)).ok());
    EXPECT_TRUE(file.Finish().ok());
    return std::string(file.id());
  }
  StatusOr<std::string> Read(std::string_view place = "here", const std::string& name = "f") {
    std::string content;
    const StatusOr<std::string> id = ReadSealedFile(folder_.File(name), key_, place, [&](std::string_view piece) {
      content += piece;
      return OkStatus();
    });
    if (!id.ok()) return id.status();
    return content;
  }
  std::string Bytes() { return ReadFile(folder_.File("f")).value(); }
  void Put(const std::string& bytes) { ASSERT_TRUE(WriteFileDurably(folder_.File("f"), bytes).ok()); }

  TemporaryFolder folder_;
  SecureRandom random_;
  SecretBytes key_ = DrawKey(random_);
};

TEST_F(SealedFileTest, ComesBackWholeWhateverItsSize) {
  for (const size_t size :
       {size_t{0}, size_t{1}, kSealedPieceSize - 1, kSealedPieceSize, kSealedPieceSize + 1, 3 * kSealedPieceSize}) {
    std::string content(size, 'x');
    for (size_t i = 0; i < size; i += 1000) content[i] = static_cast<char>('a' + i % 26);
    Write(content);
    EXPECT_EQ(Read().value(), content) << size;
    EXPECT_EQ(Bytes().find("xxxx"), std::string::npos);
  }
}

TEST_F(SealedFileTest, WhatWasCutChangedOrMovedIsNothing) {
  Write(std::string(2 * kSealedPieceSize + 10, 'x'));
  const std::string good = Bytes();
  const size_t sealed = kSealedPieceSize + Aead::kOverhead;
  const size_t head = good.size() - 2 * sealed - Aead::kOverhead - 10;
  std::vector<std::string> bad = {
      "",         good.substr(0, head),           good.substr(0, head + sealed), good.substr(0, head + 2 * sealed),
      good + "x", good.substr(0, good.size() - 1)};
  for (const size_t at : {size_t{0}, size_t{9}, head, good.size() - 1}) {
    bad.push_back(good);
    bad.back()[at] ^= 1;
  }
  bad.push_back(good.substr(0, head) + good.substr(head + sealed));  // The first piece is missing.
  bad.push_back(good);
  std::swap_ranges(bad.back().begin() + static_cast<ptrdiff_t>(head),
                   bad.back().begin() + static_cast<ptrdiff_t>(head + sealed),
                   bad.back().begin() + static_cast<ptrdiff_t>(head + sealed));
  for (size_t i = 0; i < bad.size(); ++i) {
    Put(bad[i]);
    EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss) << i;
  }
  Put(good);
  EXPECT_TRUE(Read().ok());
}

TEST_F(SealedFileTest, BelongsToItsKeyAndPlace) {
  Write("content");
  EXPECT_EQ(Read("there").status().code(), StatusCode::kDataLoss);
  key_ = DrawKey(random_);
  EXPECT_EQ(Read().status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Read("here", "nothing").status().code(), StatusCode::kNotFound);
}

TEST_F(SealedFileTest, AnUnfinishedOneLeavesTheOldOneInPlace) {
  const std::string id = Write("old");
  SealedFileWriter file = SealedFileWriter::Begin(folder_.File("f"), key_, "here", random_).value();
  ASSERT_TRUE(file.Append("new").ok());
  EXPECT_EQ(Read().value(), "old");
  EXPECT_NE(file.id(), id);
}

class KeptTrainingTest : public ::testing::Test {
 protected:
  KeptTrainingTest() {
    instruction_.round = {.job = JobId::Parse("a.job").value(), .number = 7};
    instruction_.plan.digest = Sha256::Of("plan");
    instruction_.weights.digest = Sha256::Of("weights");
    task_.set_bundle("the plan");
    task_.set_weights(std::string(4000, 'w'));
    task_.set_seed("seed");
    task_.set_threads(2);
    task_.set_clip_norm(0.25);
    task_.set_checkpoint_ms(0);
    for (int i = 0; i < 2; ++i) {
      v1::TableData& table = *task_.add_tables();
      table.set_name(fmt::format("table{}", i));
      table.set_rows(100'000);
      table.add_columns()->set_int64_values(std::string(800'000, static_cast<char>('a' + i)));
    }
  }

  KeptTraining Open() { return {trainings_, instruction_, seed_, forgotten_, random_}; }
  static v1::Checkpoint Piece(uint64_t offset, std::string bytes, bool last) {
    v1::Checkpoint piece;
    piece.set_offset_bytes(offset);
    piece.set_piece(std::move(bytes));
    piece.set_last(last);
    return piece;
  }
  // What a start finds: `resume` of the task, or "nothing".
  std::string Found() {
    KeptTraining kept = Open();
    std::optional<v1::TrainTask> task = kept.TakeUp();
    if (!task) return "nothing";
    kept.PutInto(*task);
    return task->resume();
  }
  std::vector<std::string> Files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.File("training"))) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  TemporaryFolder folder_;
  SecureRandom random_;
  SecretBytes store_key_ = DrawKey(random_);
  SecretBytes seed_ = DrawKey(random_);
  Digest forgotten_ = Sha256::Of("nobody");
  TrainingFolder trainings_ = TrainingFolder::Open(folder_.File("training"), store_key_, absl::Seconds(30)).value();
  TrainInstruction instruction_;
  v1::TrainTask task_;
};

TEST_F(KeptTrainingTest, TheTaskComesBackAsTheWorkerHadIt) {
  task_.set_noise_seed("paid");
  ASSERT_TRUE(Open().Freeze(task_).ok());
  const std::optional<v1::TrainTask> found = Open().TakeUp();
  ASSERT_TRUE(found);
  v1::TrainTask expected = task_;
  expected.clear_bundle();
  expected.clear_weights();
  expected.clear_seed();
  EXPECT_EQ(found->SerializeAsString(), expected.SerializeAsString());
  EXPECT_EQ(Found(), "") << "no checkpoint yet";
}

TEST_F(KeptTrainingTest, TheFirstCheckpointKeepsTheTaskToo) {
  KeptTraining kept = Open();
  EXPECT_EQ(kept.TakeUp(), std::nullopt);
  EXPECT_THAT(Files(), IsEmpty());
  task_.add_alone(3);
  task_.add_left_out()->set_customer(5);
  kept.Keep(Piece(0, "abc", false), task_);
  EXPECT_EQ(Found(), "") << "half a checkpoint is none";
  kept.Keep(Piece(3, "def", true), task_);
  KeptTraining again = Open();
  std::optional<v1::TrainTask> found = again.TakeUp();
  ASSERT_TRUE(found);
  again.PutInto(*found);
  EXPECT_EQ(found->resume(), "abcdef");
  EXPECT_EQ(found->alone_size(), 1);
  EXPECT_EQ(found->left_out(0).customer(), 5U);
  EXPECT_EQ(found->tables_size(), 2);
}

TEST_F(KeptTrainingTest, ACheckpointIsReplacedByTheNextWholeOne) {
  KeptTraining kept = Open();
  kept.Keep(Piece(0, "first", true), task_);
  kept.Keep(Piece(0, "sec", false), task_);
  kept.PutInto(task_);  // The worker died in the middle.
  EXPECT_EQ(task_.resume(), "first");
  kept.Keep(Piece(0, "second", true), task_);
  EXPECT_EQ(Found(), "second");
}

TEST_F(KeptTrainingTest, OfAnotherTrainingItIsNothingAndIsDropped) {
  const auto keep = [&] {
    Open().Keep(Piece(0, "x", true), task_);
    ASSERT_EQ(Found(), "x");
  };
  const TrainInstruction good = instruction_;
  keep();
  instruction_.plan.digest = Sha256::Of("another plan");
  EXPECT_EQ(Found(), "nothing");
  EXPECT_THAT(Files(), IsEmpty());
  instruction_ = good;
  keep();
  instruction_.weights.digest = Sha256::Of("other weights");
  EXPECT_EQ(Found(), "nothing");
  instruction_ = good;
  keep();
  forgotten_ = Sha256::Of("somebody");
  EXPECT_EQ(Found(), "nothing") << "what holds a forgotten customer's rows is gone";
  EXPECT_THAT(Files(), IsEmpty());
  keep();
  seed_ = DrawKey(random_);
  EXPECT_EQ(Found(), "nothing") << "without the record's seed nothing opens it";
}

TEST_F(KeptTrainingTest, ACheckpointBelongsToOneKeptTask) {
  KeptTraining kept = Open();
  kept.Keep(Piece(0, "old", true), task_);
  const std::string path = folder_.File("training") + "/a.job-7.checkpoint";
  const std::string old = ReadFile(path).value();
  ASSERT_TRUE(kept.Freeze(task_).ok());
  EXPECT_EQ(Found(), "");
  ASSERT_TRUE(WriteFileDurably(path, old).ok());  // As a power cut may bring it back.
  EXPECT_EQ(Found(), "");
}

TEST_F(KeptTrainingTest, DamageCostsTheCheckpointOrAllOfIt) {
  Open().Keep(Piece(0, "x", true), task_);
  const std::string stem = folder_.File("training") + "/a.job-7";
  ASSERT_TRUE(WriteFileDurably(stem + ".checkpoint", "AISLESF1").ok());
  EXPECT_EQ(Found(), "");
  ASSERT_TRUE(WriteFileDurably(stem + ".task", "AISLESF1").ok());
  EXPECT_EQ(Found(), "nothing");
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(KeptTrainingTest, AWorkerThatTalksNonsenseEndsTheKeeping) {
  KeptTraining kept = Open();
  kept.Keep(Piece(0, "x", true), task_);
  kept.Keep(Piece(5, "y", true), task_);
  EXPECT_EQ(Found(), "nothing");
  kept.Keep(Piece(0, "z", true), task_);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(KeptTrainingTest, ACheckpointHasALimitThatGrowsWithTheModel) {
  KeptTraining kept = Open();
  const std::string piece(1 << 20, 'p');
  uint64_t offset = 0;
  for (; offset <= (65 << 20); offset += piece.size()) kept.Keep(Piece(offset, piece, false), task_);
  kept.Keep(Piece(offset, "", true), task_);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(KeptTrainingTest, APaidKeyOutlivesWhateverBecomesOfCheckpoints) {
  task_.set_noise_seed("paid");
  KeptTraining kept = Open();
  ASSERT_TRUE(kept.Freeze(task_).ok());
  kept.Keep(Piece(7, "nonsense", true), task_);
  EXPECT_EQ(Open().TakeUp()->noise_seed(), "paid");
}

TEST_F(KeptTrainingTest, WhatIsOverLeavesNothing) {
  KeptTraining kept = Open();
  kept.Keep(Piece(0, "x", true), task_);
  kept.Keep(Piece(0, "y", false), task_);
  kept.Drop();
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(KeptTrainingTest, OneRoundsTrainingStaysWhereOthersGo) {
  Open().Keep(Piece(0, "x", true), task_);
  const RoundId mine = instruction_.round;
  instruction_.round.number = 8;
  KeptTraining other = Open();
  other.Keep(Piece(0, "x", true), task_);
  other.Keep(Piece(0, "y", false), task_);
  EXPECT_TRUE(trainings_.HasTask(instruction_.round));
  ASSERT_TRUE(trainings_.DropAllBut(mine).ok());
  EXPECT_THAT(Files(), UnorderedElementsAre("a.job-7.task", "a.job-7.checkpoint"));
  ASSERT_TRUE(trainings_.DropAllBut(std::nullopt).ok());
  EXPECT_THAT(Files(), IsEmpty());
}

}  // namespace
}  // namespace aisle

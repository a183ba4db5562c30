#include "coordinator/uploads/fold_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "tests/base/expect_cover.h"
#include "tests/coordinator-uploads/sample_updates.h"
#include "tests/storage/resident.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<uint32_t> ValuesOf(const ModularSum& sum) { return {sum.values().begin(), sum.values().end()}; }

bool IsAll(uint32_t value, const ModularSum& sum) {
  return std::ranges::all_of(sum.values(), [&](uint32_t each) { return each == value; });
}

class FoldLineTest : public ::testing::Test {
 protected:
  // A round whose vectors have `length` coordinates.
  void Open(size_t length, uint64_t shared_max = kSharedUpdateMax) {
    line_.reset();
    spool_ = *UploadSpool::Open(folder_.File("round"), length * 4, shared_max);
    line_ = std::make_unique<FoldLine>(spool_, executor_);
  }
  BlobName Upload(size_t store, const std::vector<uint32_t>& vector) {
    EXPECT_TRUE(Send(*spool_, Store(store), BytesOf(vector))->complete);
    return NameOf(BytesOf(vector));
  }
  Status Fold(size_t store, const BlobName& update) {
    std::optional<Status> folded;
    line_->Fold(Store(store), update, [&](const Status& status) { folded = status; });
    executor_.RunDue();
    return *folded;
  }
  StatusOr<ModularSum> Take(std::vector<StoreId> stores) {
    StatusOr<ModularSum> sum = Unavailable("not called back");
    line_->Take(std::move(stores), [&](StatusOr<ModularSum> taken) { sum = std::move(taken); });
    executor_.RunDue();
    return sum;
  }
  std::string PathOf(size_t store, const BlobName& update) const {
    return folder_.File("round/" + Store(store).str() + "." + update.digest.Hex() + ".update");
  }

  TemporaryFolder folder_;
  ManualExecutor executor_;
  std::shared_ptr<UploadSpool> spool_;
  std::unique_ptr<FoldLine> line_;
};

TEST_F(FoldLineTest, SumsModulo2To32) {
  Open(2);
  ASSERT_TRUE(Fold(1, Upload(1, {1, 0xffffffff})).ok());
  ASSERT_TRUE(Fold(2, Upload(2, {2, 3})).ok());
  EXPECT_THAT(ValuesOf(*Take({Store(1), Store(2)})), ElementsAre(3, 2));
}

TEST_F(FoldLineTest, FoldsAStoreOnce) {
  Open(1);
  const BlobName update = Upload(1, {5});
  ASSERT_TRUE(Fold(1, update).ok());
  ASSERT_TRUE(Fold(1, update).ok());
  const Status other = Fold(1, NameOf("1234"));
  EXPECT_EQ(other.code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(ValuesOf(*Take({Store(1)})), ElementsAre(5));
}

TEST_F(FoldLineTest, NeverFoldsWhatIsNotComplete) {
  Open(2);
  const std::string content = BytesOf({1, 2});
  const auto session = *spool_->Begin(Store(1), NameOf(content), 0);
  ASSERT_TRUE(session->Append(content).ok());
  EXPECT_EQ(Fold(1, NameOf(content)).code(), StatusCode::kNotFound);
  ASSERT_TRUE(session->Finish()->complete);
  EXPECT_TRUE(Fold(1, NameOf(content)).ok());
}

TEST_F(FoldLineTest, HandsOverOnlyTheSumOfTheStoresAskedFor) {
  Open(1);
  ASSERT_TRUE(Fold(1, Upload(1, {5})).ok());
  const Status missing = Take({Store(1), Store(2)}).status();
  EXPECT_EQ(missing.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(missing), HasSubstr("store-2"));
  EXPECT_EQ(Take({}).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(ValuesOf(*Take({Store(1)})), ElementsAre(5));
}

TEST_F(FoldLineTest, TheSumOfNobodyIsZero) {
  Open(3);
  EXPECT_THAT(ValuesOf(*Take({})), ElementsAre(0, 0, 0));
}

TEST_F(FoldLineTest, BeginsANewSumAfterOneWasTaken) {
  Open(1);
  const BlobName update = Upload(1, {5});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Fold(1, update).ok());
    EXPECT_THAT(ValuesOf(*Take({Store(1)})), ElementsAre(5));
  }
}

TEST_F(FoldLineTest, ADamagedUpdateLeavesTheSumAsItWas) {
  Open(2, 0);
  const BlobName good = Upload(1, {1, 2});
  const BlobName damaged = Upload(2, {3, 4});
  Open(2, 0);  // A restart: nothing is known to be verified.
  ASSERT_EQ(::truncate(PathOf(2, damaged).c_str(), 4), 0);
  ASSERT_TRUE(Fold(1, good).ok());
  EXPECT_EQ(Fold(2, damaged).code(), StatusCode::kDataLoss);
  EXPECT_THAT(ValuesOf(*Take({Store(1)})), ElementsAre(1, 2));
}

TEST_F(FoldLineTest, AReadThatFailsHalfWayIsTakenBack) {
  const test::ExpectCover cover("uploads.withdrawn");
  constexpr size_t kLength = ArrivingSum::kPieceSize;  // Four pieces.
  Open(kLength);
  const BlobName good = Upload(1, std::vector<uint32_t>(kLength, 1));
  const BlobName cut = Upload(2, std::vector<uint32_t>(kLength, 2));
  const BlobName third = Upload(3, std::vector<uint32_t>(kLength, 3));
  line_ = std::make_unique<FoldLine>(spool_, executor_);  // One that saw nothing arrive.
  ASSERT_TRUE(Fold(1, good).ok());
  ASSERT_EQ(::truncate(PathOf(2, cut).c_str(), static_cast<off_t>(ArrivingSum::kPieceSize * 2)), 0);
  EXPECT_FALSE(Fold(2, cut).ok());
  ASSERT_TRUE(Fold(3, third).ok());
  EXPECT_TRUE(IsAll(4, *Take({Store(1), Store(3)})));
}

TEST_F(FoldLineTest, WhatArrivedIsNotReadAgain) {
  constexpr size_t kLength = ArrivingSum::kPieceSize;
  Open(kLength);
  const BlobName update = Upload(1, std::vector<uint32_t>(kLength, 5));
  ASSERT_EQ(::truncate(PathOf(1, update).c_str(), 0), 0);  // So that reading would fail.
  ASSERT_TRUE(Fold(1, update).ok());
  EXPECT_TRUE(IsAll(5, *Take({Store(1)})));
}

TEST_F(FoldLineTest, OnlyWhoWasAcceptedIsInTheSum) {
  const test::ExpectCover cover("uploads.withdrawn");
  constexpr size_t kLength = ArrivingSum::kPieceSize;
  Open(kLength);
  const BlobName accepted = Upload(1, std::vector<uint32_t>(kLength, 5));
  Upload(2, std::vector<uint32_t>(kLength, 7));  // Whole, and never accepted.
  const std::string late = BytesOf(std::vector<uint32_t>(kLength, 9));
  const auto session = *spool_->Begin(Store(3), NameOf(late), 0);
  ASSERT_TRUE(session->Append(std::string_view(late).substr(0, late.size() / 3)).ok());
  ASSERT_TRUE(Fold(1, accepted).ok());
  EXPECT_TRUE(IsAll(5, *Take({Store(1)})));
  ASSERT_TRUE(session->Append(std::string_view(late).substr(late.size() / 3)).ok()) << "The spool goes on as before.";
  EXPECT_TRUE(session->Finish()->complete);
}

TEST_F(FoldLineTest, AnUpdateThatIsNotWhatWasPromisedLeavesNoTrace) {
  const test::ExpectCover cover("uploads.withdrawn");
  constexpr size_t kLength = ArrivingSum::kPieceSize;
  Open(kLength);
  const BlobName good = Upload(1, std::vector<uint32_t>(kLength, 5));
  const std::string promised = BytesOf(std::vector<uint32_t>(kLength, 7));
  const auto session = *spool_->Begin(Store(2), NameOf(promised), 0);
  ASSERT_TRUE(session->Append(BytesOf(std::vector<uint32_t>(kLength, 8))).ok());
  EXPECT_EQ(session->Finish().status().code(), StatusCode::kDataLoss);
  const BlobName again = Upload(2, std::vector<uint32_t>(kLength, 7));
  ASSERT_TRUE(Fold(1, good).ok());
  ASSERT_TRUE(Fold(2, again).ok());
  EXPECT_TRUE(IsAll(12, *Take({Store(1), Store(2)})));
}

TEST_F(FoldLineTest, ABeginningThatIsGoneIsSummedWithoutIt) {
  const test::ExpectCover cover("uploads.sum_rebuilt");
  constexpr size_t kLength = ArrivingSum::kPieceSize;
  Open(kLength);
  const BlobName good = Upload(1, std::vector<uint32_t>(kLength, 5));
  const std::string first = BytesOf(std::vector<uint32_t>(kLength, 7));
  const auto session = *spool_->Begin(Store(2), NameOf(first), 0);
  ASSERT_TRUE(session->Append(std::string_view(first).substr(0, 1000)).ok());
  const BlobName other = Upload(2, std::vector<uint32_t>(kLength, 9));  // Takes the place of the first.
  ASSERT_TRUE(Fold(1, good).ok());
  ASSERT_TRUE(Fold(2, other).ok());
  EXPECT_TRUE(IsAll(14, *Take({Store(1), Store(2)})));
}

TEST_F(FoldLineTest, ASumThatCannotBeRebuiltIsTriedAgain) {
  constexpr size_t kLength = ArrivingSum::kPieceSize;
  Open(kLength);
  const std::vector<uint32_t> vector(kLength, 5);
  const BlobName good = Upload(1, vector);
  ASSERT_TRUE(Fold(1, good).ok());
  const std::string first = BytesOf(std::vector<uint32_t>(kLength, 7));
  ASSERT_TRUE((*spool_->Begin(Store(2), NameOf(first), 0))->Append(std::string_view(first).substr(0, 1000)).ok());
  ASSERT_TRUE(spool_->Forget(Store(2)).ok());
  std::filesystem::rename(PathOf(1, good), PathOf(1, good) + ".away");
  EXPECT_FALSE(Take({Store(1)}).ok());
  std::filesystem::rename(PathOf(1, good) + ".away", PathOf(1, good));
  EXPECT_TRUE(IsAll(5, *Take({Store(1)})));
}

TEST_F(FoldLineTest, AFoldedUpdateLeavesMemory) {
  if (!CanLeaveMemory(folder_.path())) GTEST_SKIP() << "no disk below " << folder_.path();
  Open(1 << 20);
  const std::string content = BytesOf(std::vector<uint32_t>(1 << 20, 7));
  const BlobName update = NameOf(content);
  const auto session = *spool_->Begin(Store(1), update, 0);
  for (size_t at = 0; at < content.size(); at += 100'000) {  // No size that goes past memory.
    ASSERT_TRUE(session->Append(std::string_view(content).substr(at, 100'000)).ok());
  }
  ASSERT_TRUE(session->Finish()->complete);
  ASSERT_GT(ResidentBytesOf(PathOf(1, update)), 0u);
  ASSERT_TRUE(Fold(1, update).ok());
  EXPECT_EQ(ResidentBytesOf(PathOf(1, update)), 0u);
}

TEST_F(FoldLineTest, DropsItsWorkWhenItGoesAway) {
  Open(1);
  bool called = false;
  line_->Fold(Store(1), Upload(1, {1}), [&](const Status&) { called = true; });
  line_.reset();
  executor_.RunDue();
  EXPECT_FALSE(called);
}

// Any subset of the updates, folded in any order with repetitions and restarts in between, sums to the integers' sum.
RC_GTEST_PROP(FoldLineProperty, AnySubsetInAnyOrderGivesTheIntegerSum, ()) {
  const TemporaryFolder folder;
  const auto length = *rc::gen::inRange<size_t>(1, 40);
  const auto shared_max = *rc::gen::element<uint64_t>(0, kSharedUpdateMax);
  const auto stores_in_all = *rc::gen::inRange<size_t>(0, 6);
  const auto vectors = *rc::gen::container<std::vector<std::vector<uint32_t>>>(
      stores_in_all, rc::gen::container<std::vector<uint32_t>>(length, rc::gen::arbitrary<uint32_t>()));
  const auto tries = *rc::gen::container<std::vector<std::pair<size_t, bool>>>(
      rc::gen::pair(rc::gen::arbitrary<size_t>(), rc::gen::element(false, false, false, true)));
  ManualExecutor executor;
  std::shared_ptr<UploadSpool> spool = *UploadSpool::Open(folder.File("round"), length * 4, shared_max);
  for (size_t i = 0; i < vectors.size(); ++i) RC_ASSERT(Send(*spool, Store(i), BytesOf(vectors[i]))->complete);
  auto line = std::make_unique<FoldLine>(spool, executor);
  std::vector<bool> accepted(vectors.size());
  const auto fold = [&](size_t i) {
    line->Fold(Store(i), NameOf(BytesOf(vectors[i])), [](const Status& status) { RC_ASSERT(status.ok()); });
  };
  for (const auto& [number, restart] : tries) {
    if (vectors.empty()) break;
    accepted[number % vectors.size()] = true;
    fold(number % vectors.size());
    executor.RunDue();
    if (!restart) continue;
    spool = *UploadSpool::Open(folder.File("round"), length * 4, shared_max);
    line = std::make_unique<FoldLine>(spool, executor);
    for (size_t i = vectors.size(); i-- > 0;) {
      if (accepted[i]) fold(i);
    }
  }
  std::vector<StoreId> stores;
  std::vector<uint32_t> expected(length);
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (!accepted[i]) continue;
    stores.push_back(Store(i));
    for (size_t k = 0; k < length; ++k) expected[k] += vectors[i][k];
  }
  std::optional<ModularSum> sum;
  line->Take(stores, [&](StatusOr<ModularSum> taken) { sum = *std::move(taken); });
  executor.RunDue();
  RC_ASSERT(ValuesOf(*sum) == expected);
}

// Updates that come in pieces of any size, cut and taken up again, some repeated from the start, some left unfinished,
// some finished and not accepted, with restarts in between: the sum is that of the accepted ones.
RC_GTEST_PROP(FoldLineProperty, HoweverUpdatesArriveTheSumIsOfTheAccepted, ()) {
  const TemporaryFolder folder;
  const auto length = *rc::gen::inRange<size_t>(1, 30);
  const auto stores_in_all = *rc::gen::inRange<size_t>(1, 5);
  const auto vectors = *rc::gen::container<std::vector<std::vector<uint32_t>>>(
      stores_in_all, rc::gen::container<std::vector<uint32_t>>(length, rc::gen::arbitrary<uint32_t>()));
  struct Step {
    size_t store;
    size_t pieces;
    size_t size;
    bool restart;
  };
  const auto steps = *rc::gen::container<std::vector<Step>>(
      rc::gen::construct<Step>(rc::gen::inRange<size_t>(0, stores_in_all), rc::gen::inRange<size_t>(0, 6),
                               rc::gen::inRange<size_t>(1, 40), rc::gen::element(false, false, false, true)));
  const auto refused = *rc::gen::inRange<size_t>(0, 2 * stores_in_all);
  ManualExecutor executor;
  std::shared_ptr<UploadSpool> spool;
  std::unique_ptr<FoldLine> line;
  std::vector<StoreId> accepted;
  const auto fold = [&](const StoreId& store, size_t i) {
    line->Fold(store, NameOf(BytesOf(vectors[i])), [](const Status& status) { RC_ASSERT(status.ok()); });
    executor.RunDue();
  };
  const auto restart = [&] {
    line.reset();
    spool = *UploadSpool::Open(folder.File("round"), length * 4, 0);
    line = std::make_unique<FoldLine>(spool, executor);
    for (size_t i = 0; i < vectors.size(); ++i) {
      if (std::ranges::find(accepted, Store(i)) != accepted.end()) fold(Store(i), i);
    }
  };
  restart();
  for (const Step& step : steps) {
    const std::string bytes = BytesOf(vectors[step.store]);
    uint64_t at = spool->Find(Store(step.store), NameOf(bytes))->received;
    const auto session = *spool->Begin(Store(step.store), NameOf(bytes), at);
    for (size_t piece = 0; piece < step.pieces && at < bytes.size(); ++piece, at += step.size) {
      RC_ASSERT(session->Append(std::string_view(bytes).substr(at, step.size)).ok());
    }
    const bool whole = session->Finish()->complete;
    if (whole && step.store != refused && std::ranges::find(accepted, Store(step.store)) == accepted.end()) {
      accepted.push_back(Store(step.store));
      fold(Store(step.store), step.store);
    }
    if (step.restart) restart();
  }
  std::vector<uint32_t> expected(length);
  for (size_t i = 0; i < vectors.size(); ++i) {
    if (std::ranges::find(accepted, Store(i)) == accepted.end()) continue;
    for (size_t k = 0; k < length; ++k) expected[k] += vectors[i][k];
  }
  std::optional<ModularSum> sum;
  line->Take(accepted, [&](StatusOr<ModularSum> taken) { sum = *std::move(taken); });
  executor.RunDue();
  RC_ASSERT(ValuesOf(*sum) == expected);
}

TEST_F(FoldLineTest, FoldsOnAThreadWhileUpdatesArrive) {
  constexpr size_t kStores = 16;
  Open(1000);
  ThreadExecutor worker("fold");
  FoldLine line(spool_, worker);
  std::vector<StoreId> stores;
  for (size_t i = 0; i < kStores; ++i) {
    stores.push_back(Store(i));
    line.Fold(Store(i), Upload(i, std::vector<uint32_t>(1000, 1)),
              [](const Status& status) { EXPECT_TRUE(status.ok()) << status; });
  }
  std::optional<ModularSum> sum;
  line.Take(stores, [&](StatusOr<ModularSum> taken) { sum = *std::move(taken); });
  worker.Drain();
  EXPECT_TRUE(IsAll(kStores, *sum));
}

}  // namespace
}  // namespace aisle

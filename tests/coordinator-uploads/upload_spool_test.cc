#include "coordinator/uploads/upload_spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <tuple>

#include "base/reason.h"
#include "tests/base/expect_cover.h"
#include "tests/coordinator-uploads/sample_updates.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kUpdate = "0123456789abcdef";  // Four coordinates.

// Both ways of keeping updates: 0, a file each; kSharedUpdateMax, one file for all.
class UploadSpoolTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  bool shared() const { return GetParam() > 0; }
  void Restart() {
    spool_.reset();
    spool_ = *UploadSpool::Open(folder_.File("round"), kUpdate.size(), GetParam());
  }
  std::unique_ptr<UploadSession> Begin(uint64_t offset) { return *spool_->Begin(store_, name_, offset); }
  uint64_t Received() { return spool_->Find(store_, name_)->received; }
  std::string CompletePath() const {
    return folder_.File("round/" + store_.str() + "." + name_.digest.Hex() + ".update");
  }
  // Where each update has a file of its own.
  void ExpectFiles(ptrdiff_t count) const {
    if (shared()) return;
    const std::filesystem::directory_iterator files(folder_.File("round"));
    EXPECT_EQ(std::distance(begin(files), end(files)), count);
  }

  TemporaryFolder folder_;
  const StoreId store_ = Store("berlin.7");
  const BlobName name_ = NameOf(kUpdate);
  std::unique_ptr<UploadSpool> spool_ = *UploadSpool::Open(folder_.File("round"), kUpdate.size(), GetParam());
};
INSTANTIATE_TEST_SUITE_P(, UploadSpoolTest, ::testing::Values(0, kSharedUpdateMax),
                         [](const auto& test) { return test.param == 0 ? "Files" : "Shared"; });

TEST_P(UploadSpoolTest, TakesAnUpdateInChunks) {
  EXPECT_EQ(Received(), 0u);
  const auto session = Begin(0);
  ASSERT_TRUE(session->Append(kUpdate.substr(0, 5)).ok());
  EXPECT_EQ(Received(), 5u);
  ASSERT_TRUE(session->Append(kUpdate.substr(5)).ok());
  const UploadStatus status = *session->Finish();
  EXPECT_EQ(status.received, kUpdate.size());
  EXPECT_TRUE(status.complete);
  EXPECT_TRUE(spool_->Find(store_, name_)->complete);
  EXPECT_TRUE(spool_->OpenVerified(store_, name_).ok());
}

TEST_P(UploadSpoolTest, ACutStreamGoesOnAlsoAfterARestart) {
  ASSERT_TRUE(Begin(0)->Append(kUpdate.substr(0, 5)).ok());
  EXPECT_EQ(Received(), 5u);
  Restart();
  const uint64_t kept = shared() ? 0 : 5;  // A small update waits in memory until it is whole.
  EXPECT_EQ(Received(), kept);
  const auto session = Begin(kept);
  ASSERT_TRUE(session->Append(kUpdate.substr(kept)).ok());
  EXPECT_TRUE(session->Finish()->complete);
}

TEST_P(UploadSpoolTest, AStreamThatEndsEarlySaysWhatIsHere) {
  const auto session = Begin(0);
  ASSERT_TRUE(session->Append(kUpdate.substr(0, 7)).ok());
  const UploadStatus status = *session->Finish();
  EXPECT_EQ(status.received, 7u);
  EXPECT_FALSE(status.complete);
  EXPECT_EQ(spool_->OpenVerified(store_, name_).status().code(), StatusCode::kNotFound);
}

TEST_P(UploadSpoolTest, SkipsWhatIsHereAlready) {
  ASSERT_TRUE(Begin(0)->Append(kUpdate.substr(0, 9)).ok());
  const auto session = Begin(4);
  ASSERT_TRUE(session->Append(kUpdate.substr(4, 3)).ok());
  EXPECT_EQ(Received(), 9u);
  ASSERT_TRUE(session->Append(kUpdate.substr(7)).ok());
  EXPECT_TRUE(session->Finish()->complete);
}

TEST_P(UploadSpoolTest, RefusesAStreamThatBeginsBeyondWhatIsHere) {
  ASSERT_TRUE(Begin(0)->Append(kUpdate.substr(0, 4)).ok());
  const Status refused = spool_->Begin(store_, name_, 5).status();
  EXPECT_EQ(refused.code(), StatusCode::kOutOfRange);
  EXPECT_THAT(MessageOf(refused), HasSubstr("go on from 4"));
}

TEST_P(UploadSpoolTest, AnUpdateSentTwiceChangesNothing) {
  ASSERT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  EXPECT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  Restart();
  EXPECT_TRUE(spool_->Find(store_, name_)->complete);
  EXPECT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  EXPECT_TRUE((*spool_->Begin(store_, name_, kUpdate.size()))->Finish()->complete);
  ExpectFiles(1);
}

TEST_P(UploadSpoolTest, RefusesAnotherSizeThanTheRounds) {
  const Status refused = spool_->Begin(store_, NameOf("0123"), 0).status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), Reason::kSizeMismatch);
  EXPECT_THAT(MessageOf(refused), HasSubstr("this round's have 16"));
  EXPECT_EQ(spool_->Find(store_, NameOf("0123")).status().code(), StatusCode::kInvalidArgument);
}

TEST_P(UploadSpoolTest, RefusesMoreBytesThanPromised) {
  const auto session = Begin(0);
  const Status refused = session->Append(std::string(kUpdate) + "x");
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), Reason::kSizeMismatch);
  ASSERT_TRUE(session->Append(kUpdate).ok());
  ASSERT_TRUE(session->Finish()->complete);
  EXPECT_EQ(ReasonOf(session->Append("x")), Reason::kSizeMismatch);
}

TEST_P(UploadSpoolTest, DropsAnUpdateWithTheWrongDigestAndTakesTheRightOne) {
  const auto session = Begin(0);
  ASSERT_TRUE(session->Append("0123456789abcdeX").ok());
  const Status refused = session->Finish().status();
  EXPECT_EQ(refused.code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(refused), Reason::kDigestMismatch);
  EXPECT_EQ(Received(), 0u);
  ExpectFiles(0);
  EXPECT_TRUE(Send(*spool_, store_, kUpdate)->complete);
}

TEST_P(UploadSpoolTest, TheNewestStreamTakesOver) {
  const test::ExpectCover cover("uploads.taken_over");
  const auto old_stream = Begin(0);
  ASSERT_TRUE(old_stream->Append(kUpdate.substr(0, 6)).ok());
  const auto new_stream = Begin(6);
  EXPECT_EQ(old_stream->Append(kUpdate.substr(6)).code(), StatusCode::kAborted);
  EXPECT_EQ(old_stream->Finish().status().code(), StatusCode::kAborted);
  ASSERT_TRUE(new_stream->Append(kUpdate.substr(6)).ok());
  EXPECT_TRUE(new_stream->Finish()->complete);
}

TEST_P(UploadSpoolTest, AStoreHasOneBeginningAtATimeSoThatItCanNotFillTheDisk) {
  const auto first = Begin(0);
  ASSERT_TRUE(first->Append(kUpdate.substr(0, 4)).ok());
  std::string other(kUpdate);
  other.back() = '!';
  const auto second = *spool_->Begin(store_, NameOf(other), 0);
  ASSERT_TRUE(second->Append(other.substr(0, 4)).ok());
  EXPECT_FALSE(first->Append(kUpdate.substr(4)).ok());
  EXPECT_EQ(Received(), 0u);
  EXPECT_EQ(spool_->Find(store_, NameOf(other))->received, 4u);
  ASSERT_TRUE(second->Append(other.substr(4)).ok());
  EXPECT_TRUE(second->Finish()->complete);
  ExpectFiles(1);
}

TEST_P(UploadSpoolTest, KeepsStoresApart) {
  const std::string other = "fedcba9876543210";
  const auto session = Begin(0);
  ASSERT_TRUE(session->Append(kUpdate.substr(0, 8)).ok());
  ASSERT_TRUE(Send(*spool_, Store("berlin"), other)->complete);
  ASSERT_TRUE(Send(*spool_, Store("berlin.7.a"), other)->complete);
  ASSERT_TRUE(spool_->Forget(Store("berlin")).ok());
  EXPECT_FALSE(spool_->Find(Store("berlin"), NameOf(other))->complete);
  EXPECT_TRUE(spool_->Find(Store("berlin.7.a"), NameOf(other))->complete);
  ASSERT_TRUE(session->Append(kUpdate.substr(8)).ok());
  EXPECT_TRUE(session->Finish()->complete);
}

TEST_P(UploadSpoolTest, AForgottenStoreStartsAnew) {
  const auto session = Begin(0);
  ASSERT_TRUE(session->Append(kUpdate.substr(0, 8)).ok());
  ASSERT_TRUE(spool_->Forget(store_).ok());
  EXPECT_EQ(session->Append(kUpdate.substr(8)).code(), StatusCode::kAborted);
  EXPECT_EQ(Received(), 0u);
  ExpectFiles(0);
  EXPECT_TRUE(Send(*spool_, store_, kUpdate)->complete);
}

TEST_P(UploadSpoolTest, AnUpdateTheDiskCutIsTakenAsMissing) {
  if (shared()) GTEST_SKIP() << "see shared_shelf_test.cc";
  ASSERT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  spool_.reset();
  ASSERT_EQ(::truncate(CompletePath().c_str(), 9), 0);
  Restart();
  EXPECT_FALSE(spool_->Find(store_, name_)->complete);
  EXPECT_EQ(spool_->OpenVerified(store_, name_).status().code(), StatusCode::kDataLoss);
  EXPECT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  EXPECT_TRUE(spool_->OpenVerified(store_, name_).ok());
}

TEST_P(UploadSpoolTest, AnUpdateTheDiskDamagedIsFoundBeforeItIsRead) {
  if (shared()) GTEST_SKIP() << "see shared_shelf_test.cc";
  const test::ExpectCover cover("uploads.damaged_on_disk");
  ASSERT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  spool_.reset();
  std::ofstream(CompletePath(), std::ios::binary) << "0123456789abcdeX";
  Restart();
  const Status damaged = spool_->OpenVerified(store_, name_).status();
  EXPECT_EQ(damaged.code(), StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(damaged), HasSubstr("must be sent again"));
  EXPECT_EQ(Received(), 0u);
  EXPECT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  EXPECT_TRUE(spool_->OpenVerified(store_, name_).ok());
}

TEST_P(UploadSpoolTest, RefusesSizesThatAreNoVector) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{6}, kUpdateSizeMax + 4}) {
    EXPECT_EQ(UploadSpool::Open(folder_.File("other"), size).status().code(), StatusCode::kInvalidArgument) << size;
  }
}

TEST_P(UploadSpoolTest, GoesAwayWithTheRound) {
  ASSERT_TRUE(Send(*spool_, store_, kUpdate)->complete);
  ASSERT_TRUE(UploadSpool::Remove(folder_.File("round")).ok());
  EXPECT_FALSE(std::filesystem::exists(folder_.File("round")));
  EXPECT_TRUE(UploadSpool::Remove(folder_.File("round")).ok());
}

TEST_P(UploadSpoolTest, ManyStoresSendAtOnce) {
  std::vector<std::thread> senders;
  for (size_t thread = 0; thread < 4; ++thread) {
    senders.emplace_back([this, thread] {
      for (size_t i = 0; i < 8; ++i) EXPECT_TRUE(Send(*spool_, Store(thread * 8 + i), kUpdate)->complete);
    });
  }
  for (std::thread& sender : senders) sender.join();
  Restart();
  for (size_t i = 0; i < 32; ++i) EXPECT_TRUE(spool_->OpenVerified(Store(i), name_).ok());
}

TEST(UploadSpoolDiskTest, AFullDiskDropsOneUpdateAndSparesTheOthers) {
  const SmallDisk disk("1m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk isn't allowed here";
  const std::string content(400 << 10, 'x');
  const auto spool = *UploadSpool::Open(disk.folder().File("round"), content.size());
  ASSERT_TRUE(Send(*spool, Store(1), content)->complete);
  ASSERT_TRUE(Send(*spool, Store(2), content)->complete);
  const auto session = *spool->Begin(Store(3), NameOf(content), 0);
  ASSERT_TRUE(session->Append(std::string_view(content).substr(0, 4096)).ok());
  const Status full = session->Append(std::string_view(content).substr(4096));
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(full), Reason::kStorageFull);
  EXPECT_EQ(session->Append("x").code(), StatusCode::kAborted);  // This stream is past what is here now.
  EXPECT_EQ(spool->Find(Store(3), NameOf(content))->received, 0u);
  EXPECT_TRUE(spool->OpenVerified(Store(1), NameOf(content)).ok());
  ASSERT_TRUE(spool->Forget(Store(2)).ok());
  EXPECT_TRUE(Send(*spool, Store(3), content)->complete);
}

// Whatever the chunks, wherever streams are cut, begin again or the program restarts: the update comes whole.
RC_GTEST_PROP(UploadSpoolProperty, AnyChunksCutsAndRestartsGiveTheSameUpdate, ()) {
  // A step: bytes to send; how far before what is here a new stream begins; 0: cut, 1: the program restarts, else go
  // on.
  using Step = std::tuple<size_t, size_t, int>;
  const TemporaryFolder folder;
  const auto words = *rc::gen::nonEmpty(rc::gen::container<std::vector<uint32_t>>(rc::gen::arbitrary<uint32_t>()));
  const auto steps = *rc::gen::nonEmpty(rc::gen::container<std::vector<Step>>(
      rc::gen::tuple(rc::gen::inRange<size_t>(20, 70), rc::gen::inRange<size_t>(0, 20), rc::gen::inRange(0, 5))));
  const auto shared_max = *rc::gen::element<uint64_t>(0, kSharedUpdateMax);
  const std::string content = BytesOf(words);
  const BlobName name = NameOf(content);
  auto spool = *UploadSpool::Open(folder.File("round"), content.size(), shared_max);
  uint64_t at = 0;
  auto session = *spool->Begin(Store(1), name, at);
  for (size_t turn = 0; at < content.size(); ++turn) {
    const auto& [size, rewind, what] = steps[turn % steps.size()];
    const std::string_view chunk = std::string_view(content).substr(at, size);
    RC_ASSERT(session->Append(chunk).ok());
    at += chunk.size();
    if (what > 1 || turn > 100) continue;  // A link that is cut for ever sends nothing.
    session.reset();
    if (what == 1) {
      spool.reset();
      spool = *UploadSpool::Open(folder.File("round"), content.size(), shared_max);
    }
    const uint64_t received = spool->Find(Store(1), name)->received;
    RC_ASSERT(received >= at || (what == 1 && shared_max > 0));
    at = received - std::min<uint64_t>(rewind, received);
    session = *spool->Begin(Store(1), name, at);
  }
  RC_ASSERT(session->Finish()->complete);
  const SpooledUpdate spooled = *spool->OpenVerified(Store(1), name);
  std::string stored(content.size(), '\0');
  RC_ASSERT(spooled.ReadAt(0, stored.data(), stored.size()).ok());
  RC_ASSERT(stored == content);
}

}  // namespace
}  // namespace aisle

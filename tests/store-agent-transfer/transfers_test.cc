#include "store-agent/transfer/transfers.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/executor.h"
#include "base/pieces.h"
#include "base/reason.h"
#include "proto/convert/secure_sum.h"
#include "store-agent/transfer/call_outcome.h"
#include "store-agent/transfer/grpc_fleet_link.h"
#include "tests/base/expect_cover.h"
#include "tests/storage/temporary_folder.h"
#include "tests/store-agent-transfer/fake_fleet.h"

namespace aisle {
namespace {

using agent::Verdict;

std::string SomeBytes(size_t size, std::string_view purpose = "bytes") {
  AesCtrStream stream(SecretBytes(32), purpose);
  std::string bytes(size, '\0');
  stream.Fill({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

class TransferTest : public ::testing::Test {
 protected:
  TransferTest() { link_ = GrpcFleetLink::Open({.address = fleet_.address()}, fleet_.StoreIdentity()).value(); }

  BlobName Offer(const std::string& content) { return {.digest = fleet_.AddBlob(content), .size = content.size()}; }
  TransferResult Fetch(const BlobName& blob) { return Download(*link_, cache_, meter_, blob, {}); }

  // Attempts until one is done, as the agent would make them.
  int FetchToTheEnd(const BlobName& blob) {
    for (int attempts = 1; attempts < 100000; ++attempts) {
      const TransferResult result = Fetch(blob);
      EXPECT_TRUE(result.disk.ok()) << result.disk;
      if (result.outcome.verdict == Verdict::kDone) return attempts;
      EXPECT_EQ(result.outcome.verdict, Verdict::kTryAgain) << result.outcome.detail;
    }
    return -1;
  }

  UploadHeader Spooled(const std::vector<uint32_t>& values) {
    const RoundId round{.job = JobId::Parse("demand").value(), .number = 3};
    return {.round = round, .update = spool_.Write(round, values).value()};
  }
  TransferResult Send(const UploadHeader& update, bool resume) {
    return UploadSpooled(*link_, spool_, meter_, update, {.resume = resume}, {});
  }
  std::string Uploaded() {
    const std::lock_guard lock(fleet_.mutex);
    return fleet_.uploaded;
  }

  absl::Notification release_;  // Outlives the fleet, whose threads may wait for it.
  TemporaryFolder folder_;
  SystemClock clock_;
  FakeFleet fleet_;
  std::unique_ptr<GrpcFleetLink> link_;
  BlobCache cache_ = BlobCache::Open(folder_.File("cache")).value();
  Spool spool_ = Spool::Open(folder_.File("spool")).value();
  ByteMeter meter_{folder_.File("bytes"), clock_};
};

TEST_F(TransferTest, ABlobComesWholeAndStays) {
  const std::string content = SomeBytes(300'000);
  const BlobName blob = Offer(content);
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(cache_.Read(blob).value(), content);
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(fleet_.fetches, 1) << "what is in the cache is not fetched";
  EXPECT_EQ(meter_.today(), content.size());
}

TEST_F(TransferTest, AnEmptyBlobIsABlobToo) {
  const BlobName blob = Offer("");
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(cache_.Read(blob).value(), "");
}

TEST_F(TransferTest, ADownloadCutAtAnyByteGoesOnThere) {
  const std::string content = SomeBytes(97);
  const BlobName blob = Offer(content);
  fleet_.fetching.chunk_size = 10;
  for (const uint64_t cut : {1, 7, 9, 10, 11, 48, 49, 96}) {
    fleet_.fetching.cut_after = cut;
    const uint64_t before = meter_.total_down();
    EXPECT_EQ(FetchToTheEnd(blob), static_cast<int>((content.size() + cut - 1) / cut));
    EXPECT_EQ(meter_.total_down() - before, content.size()) << "no byte twice";
    EXPECT_EQ(cache_.Read(blob).value(), content);
    std::filesystem::remove(folder_.File("cache/" + blob.digest.Hex()));
  }
}

TEST_F(TransferTest, ADownloadSurvivesARestart) {
  const std::string content = SomeBytes(50'000);
  const BlobName blob = Offer(content);
  fleet_.fetching.cut_after = 30'000;
  const TransferResult cut = Fetch(blob);
  EXPECT_TRUE(cut.outcome.progressed);
  fleet_.fetching.cut_after.reset();
  const BlobCache again = BlobCache::Open(folder_.File("cache")).value();
  EXPECT_EQ(Download(*link_, again, meter_, blob, {}).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(meter_.total_down(), content.size());
}

TEST_F(TransferTest, AWrongDigestStartsOver) {
  const test::ExpectCover cover("transfer.wrong_digest");
  const std::string content = SomeBytes(5'000);
  const BlobName blob = Offer(content);
  fleet_.blobs[std::string(blob.digest.view())][4'999] ^= 1;
  const TransferResult wrong = Fetch(blob);
  EXPECT_EQ(wrong.outcome.verdict, Verdict::kStartOver);
  EXPECT_FALSE(cache_.Has(blob));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.File("cache"))) << "nothing wrong is kept";
  fleet_.blobs[std::string(blob.digest.view())] = content;
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kDone);
}

TEST_F(TransferTest, ABlobOfAnotherSizeIsRefused) {
  BlobName blob = Offer(SomeBytes(5'000));
  blob.size = 4'000;
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kImpossible);
  fleet_.fetching.announced_size = 4'000;  // Lies about it, and sends more.
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kImpossible);
  EXPECT_LE(std::filesystem::file_size(folder_.File("cache/" + blob.digest.Hex() + ".part")), 4'000u);
}

TEST_F(TransferTest, AnOversizedPieceIsRefused) {
  const BlobName blob = Offer(SomeBytes(3 << 20));
  fleet_.fetching.chunk_size = kChunkSizeMax + 1;
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kImpossible);
  fleet_.fetching.chunk_size = kChunkSizeMax;
  EXPECT_EQ(Fetch(blob).outcome.verdict, Verdict::kDone);
}

TEST_F(TransferTest, AnUnknownBlobIsNoReasonToTryAgain) {
  const BlobName blob{.digest = Sha256::Of("nobody has this"), .size = 10};
  EXPECT_NE(Fetch(blob).outcome.verdict, Verdict::kTryAgain);
}

TEST_F(TransferTest, AStalledDownloadCanBeStopped) {
  const BlobName blob = Offer(SomeBytes(5'000));
  fleet_.fetching.wait_before = &release_;
  std::stop_source stop;
  std::thread stopper([&] {
    while (true) {
      const std::lock_guard lock(fleet_.mutex);
      if (fleet_.fetches > 0) break;
    }
    stop.request_stop();
  });
  const TransferResult result = Download(*link_, cache_, meter_, blob, stop.get_token());
  EXPECT_NE(result.outcome.verdict, Verdict::kDone);
  stopper.join();
  release_.Notify();
}

TEST_F(TransferTest, AFullDiskIsToldApartFromABadLink) {
  const SmallDisk disk("256k");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount";
  const BlobCache cache = BlobCache::Open(disk.folder().File("cache")).value();
  const BlobName blob = Offer(SomeBytes(1 << 20));
  const TransferResult result = Download(*link_, cache, meter_, blob, {});
  EXPECT_EQ(result.disk.code(), StatusCode::kResourceExhausted) << result.disk;
}

TEST_F(TransferTest, ADamagedBlobIsRemovedFromTheCache) {
  const test::ExpectCover cover("transfer.cache_damaged");
  const BlobName blob = Offer(SomeBytes(5'000));
  Fetch(blob);
  folder_.Write("cache/" + blob.digest.Hex(), std::string(5'000, 'x'));
  EXPECT_EQ(cache_.Read(blob).status().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(cache_.Has(blob));
}

TEST_F(TransferTest, TheCacheForgetsWhatWasUsedLongestAgo) {
  std::vector<BlobName> blobs;
  for (int i = 0; i < 4; ++i) {
    blobs.push_back(Offer(SomeBytes(1'000, std::to_string(i))));
    Fetch(blobs.back());
    const auto used = std::filesystem::file_time_type::clock::now() - std::chrono::hours(10 - i);
    std::filesystem::last_write_time(folder_.File("cache/" + blobs.back().digest.Hex()), used);
  }
  EXPECT_TRUE(cache_.Read(blobs[1]).ok());  // Used now.
  ASSERT_TRUE(cache_.Trim(2'000, {blobs[0].digest}).ok());
  EXPECT_TRUE(cache_.Has(blobs[0])) << "asked to be kept";
  EXPECT_TRUE(cache_.Has(blobs[1])) << "used last";
  EXPECT_FALSE(cache_.Has(blobs[2]));
  EXPECT_FALSE(cache_.Has(blobs[3]));
}

TEST_F(TransferTest, AnUpdateArrivesByteForByte) {
  std::vector<uint32_t> values(200'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint32_t>(i * 2654435761u);
  const UploadHeader update = Spooled(values);
  EXPECT_EQ(Send(update, false).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(Sha256::Of(Uploaded()), update.update.digest);
  EXPECT_EQ(meter_.total_up(), update.update.size);
}

TEST_F(TransferTest, AnUploadCutAtAnyByteIsResumed) {
  const UploadHeader update = Spooled({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  for (uint64_t cut = 1; cut < update.update.size; ++cut) {
    {
      const std::lock_guard lock(fleet_.mutex);
      fleet_.uploaded.clear();
      fleet_.upload_bytes_received = 0;
      fleet_.uploading.cut_after = cut;
    }
    bool resume = false;
    for (int attempts = 0; attempts < 50; ++attempts) {
      const TransferResult result = Send(update, resume);
      if (result.outcome.verdict == Verdict::kDone) break;
      ASSERT_EQ(result.outcome.verdict, Verdict::kTryAgain) << result.outcome.detail;
      resume = true;
    }
    EXPECT_EQ(Sha256::Of(Uploaded()), update.update.digest);
    EXPECT_EQ(fleet_.upload_bytes_received, update.update.size) << "no byte was sent twice";
  }
}

TEST_F(TransferTest, WhatHeadquartersTookOnlyPartOfIsSentOn) {
  const test::ExpectCover cover("transfer.upload_incomplete");
  const UploadHeader update = Spooled({1, 2, 3, 4});
  fleet_.uploading.end_after = 5;
  const TransferResult result = Send(update, false);
  EXPECT_EQ(result.outcome.verdict, Verdict::kTryAgain);
  EXPECT_NE(result.outcome.detail.find("5 of 16 bytes"), std::string::npos) << result.outcome.detail;
  fleet_.uploading = {};
  EXPECT_EQ(Send(update, true).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(fleet_.upload_bytes_received, 16u) << "no byte was sent twice";
}

TEST_F(TransferTest, MessagesAreSmallUntilTheLinkHasCarriedAStreamWhole) {
  const UploadHeader update = Spooled(std::vector<uint32_t>(600'000, 7));
  const auto largest_at_first = [this] {
    uint64_t carried = 0;
    for (const uint64_t size : fleet_.upload_messages) {
      EXPECT_LE(size, std::max(kPieceMin, carried / 16)) << "after " << carried << " bytes";
      carried += size;
    }
    return fleet_.upload_messages.front();
  };
  EXPECT_EQ(Send(update, false).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(largest_at_first(), kPieceMin);
  fleet_.ForgetUploads();
  EXPECT_EQ(Send(update, false).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(fleet_.upload_messages.front(), kChunkSize);
  fleet_.ForgetUploads();
  fleet_.uploading.cut_after = 1'000'000;
  EXPECT_EQ(Send(update, false).outcome.verdict, Verdict::kTryAgain);
  fleet_.uploading = {};
  EXPECT_EQ(Send(update, true).outcome.verdict, Verdict::kDone);
  EXPECT_EQ(largest_at_first(), kPieceMin);
}

TEST_F(TransferTest, HeadquartersIsAskedForSmallMessagesUntilTheLinkHasCarriedAStreamWhole) {
  fleet_.fetching.chunk_size = 100'000;
  EXPECT_EQ(Fetch(Offer(SomeBytes(2'000'000, "first"))).outcome.verdict, Verdict::kDone);
  EXPECT_TRUE(fleet_.careful_fetch);
  EXPECT_EQ(Fetch(Offer(SomeBytes(2'000'000, "second"))).outcome.verdict, Verdict::kDone);
  EXPECT_FALSE(fleet_.careful_fetch);
  fleet_.fetching.cut_after = 1'000'000;
  const BlobName cut = Offer(SomeBytes(2'500'000, "third"));
  EXPECT_EQ(Fetch(cut).outcome.verdict, Verdict::kTryAgain);
  EXPECT_EQ(Fetch(cut).outcome.verdict, Verdict::kTryAgain);
  EXPECT_TRUE(fleet_.careful_fetch);
}

TEST_F(TransferTest, AnUploadThatGetsFurtherAtEachCutIsProgress) {
  const UploadHeader update = Spooled({1, 2, 3, 4, 5, 6});
  fleet_.uploading.cut_after = 5;
  TransferResult result = Send(update, false);
  EXPECT_FALSE(result.outcome.progressed) << "what it brought there, headquarters hasn't said";
  const auto resume = [&] {
    return UploadSpooled(*link_, spool_, meter_, update, {.resume = true, .known = result.there}, {});
  };
  result = resume();
  EXPECT_TRUE(result.outcome.progressed);
  EXPECT_EQ(result.there, 5u);
  fleet_.uploading.cut_after = 0;
  result = resume();
  EXPECT_TRUE(result.outcome.progressed);
  EXPECT_EQ(result.there, 10u);
  EXPECT_FALSE(resume().outcome.progressed) << "the attempt before brought nothing";
}

TEST_F(TransferTest, HeadquartersThatForgotGetsAllOfItAgain) {
  const UploadHeader update = Spooled({1, 2, 3, 4});
  fleet_.uploading.cut_after = 5;
  EXPECT_EQ(Send(update, false).outcome.verdict, Verdict::kTryAgain);
  fleet_.uploading = {.forget_all = true};
  EXPECT_EQ(Send(update, true).outcome.verdict, Verdict::kDone);
  fleet_.uploading = {.claim_too_much = true};
  EXPECT_EQ(Send(update, true).outcome.verdict, Verdict::kDone);
}

TEST_F(TransferTest, ASpoolThatIsGoneIsTheDisksFault) {
  const UploadHeader update = Spooled({1, 2, 3, 4});
  ASSERT_TRUE(spool_.Drop(update.round).ok());
  EXPECT_EQ(Send(update, false).disk.code(), StatusCode::kNotFound);
}

TEST_F(TransferTest, AMaskedVectorLiesBesideTheOtherAndIsTheOneThatGoesUp) {
  std::vector<uint32_t> values(600'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint32_t>(i * 7);
  UploadHeader update = Spooled(values);
  uint64_t next = 0;
  const auto masking = [&](uint64_t first, std::span<uint32_t> piece) {
    EXPECT_EQ(first, next) << "every coordinate once, in order";
    next += piece.size();
    for (size_t i = 0; i < piece.size(); ++i) piece[i] += static_cast<uint32_t>(first + i) * 11;
  };
  const BlobName masked = spool_.WriteMasked(update.round, update.update, masking).value();
  EXPECT_EQ(next, values.size());
  EXPECT_EQ(spool_.Find(update.round).value(), update.update) << "the update stays as it is";
  update.update = masked;
  const TransferResult sent = UploadSpooled(*link_, spool_, meter_, update, {.which = SpooledVector::kMasked}, {});
  EXPECT_EQ(sent.outcome.verdict, Verdict::kDone) << sent.outcome.detail;
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint32_t>(i * 18);
  EXPECT_EQ(Uploaded(), std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size()));
  EXPECT_TRUE(spool_.Drop(update.round).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.File("spool")));
}

TEST_F(TransferTest, AVectorThatIsNotTheOneFinishedIsNotMasked) {
  const UploadHeader update = Spooled({1, 2, 3, 4});
  const BlobName other{.digest = Sha256::Of("other"), .size = update.update.size};
  const auto masked = spool_.WriteMasked(update.round, other, [](uint64_t, std::span<uint32_t>) {});
  EXPECT_EQ(masked.status().code(), StatusCode::kDataLoss);
  EXPECT_FALSE(spool_.OpenVector(update.round, SpooledVector::kMasked).ok());
}

TEST_F(TransferTest, AStepOfTheSecureSumIsToldAndItsAnswerHeard) {
  std::vector<std::string> heard;
  {
    const std::lock_guard lock(fleet_.mutex);
    fleet_.on_sum_step = [&heard](const v1::SumStepRequest& request) {
      heard.push_back(request.SerializeAsString());
      return heard.size() == 1 ? grpc::Status() : grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "too late");
    };
  }
  const SumReport report{.round = {.job = JobId::Parse("demand").value(), .number = 3},
                         .attempt = 2,
                         .message = Confirmation{.survivors = Sha256::Of("who"), .signature = "signed"}};
  EXPECT_TRUE(link_->SumStep(report, {}).ok());
  EXPECT_EQ(link_->SumStep(report, {}).code(), StatusCode::kFailedPrecondition);
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[0], ToProto(report).SerializeAsString());
}

TEST_F(TransferTest, ShortCallsCountInTheDaysBytes) {
  link_->CountOn(meter_);
  v1::SumStepRequest heard;
  fleet_.on_sum_step = [&](const v1::SumStepRequest& request) {
    heard = request;
    return grpc::Status::OK;
  };
  const RoundId round{.job = JobId::Parse("demand").value(), .number = 3};
  const Confirmation said{.survivors = Sha256::Of("survivors"), .signature = std::string(64, 's')};
  ASSERT_TRUE(link_->SumStep({.round = round, .message = said}, {}).ok());
  EXPECT_EQ(meter_.today(), heard.ByteSizeLong());
}

TEST_F(TransferTest, TheSpoolKnowsWhatItHolds) {
  const UploadHeader update = Spooled({7, 8, 9});
  EXPECT_EQ(spool_.Find(update.round).value(), update.update);
  const RoundId other{.job = update.round.job, .number = 4};
  EXPECT_EQ(spool_.Find(other).value(), std::nullopt);
  folder_.Write("spool/demand-2.update", "old");
  folder_.Write("spool/demand-3.update.tmp", "half");
  ASSERT_TRUE(spool_.DropAllBut(update.round).ok());
  EXPECT_EQ(spool_.Find(update.round).value(), update.update);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.File("spool")), {}), 1);
  ASSERT_TRUE(spool_.DropAllBut(std::nullopt).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.File("spool")));
}

TEST_F(TransferTest, HeadquartersThatCameBackIsFoundAtOnce) {
  fleet_.on_check_in = [](grpc::ServerContext&, const v1::CheckInRequest&, v1::CheckInResponse& response) {
    response.mutable_come_back()->set_after_ms(5);
    return grpc::Status::OK;
  };
  const CheckIn check_in{.agent_version = "0.1.0", .wait_max = absl::Seconds(1), .clock = absl::Now()};
  ASSERT_TRUE(link_->AskForWork(check_in, {}).ok());
  fleet_.Stop();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(link_->AskForWork(check_in, {}).status().code(), StatusCode::kUnavailable);
  }
  fleet_.Listen();
  const StatusOr<CheckInAnswer> answer = link_->AskForWork(check_in, {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(std::get<ComeBack>(answer->instruction).after, absl::Milliseconds(5));
}

TEST_F(TransferTest, AHeldCheckInEndsWhenItIsStopped) {
  absl::Notification asked;
  fleet_.on_check_in = [&](grpc::ServerContext& context, const v1::CheckInRequest&, v1::CheckInResponse&) {
    asked.Notify();
    while (!context.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  std::stop_source stop;
  std::thread stopper([&] {
    asked.WaitForNotification();
    stop.request_stop();
  });
  const CheckIn check_in{.agent_version = "0.1.0", .wait_max = absl::Seconds(60), .clock = absl::Now()};
  EXPECT_EQ(link_->AskForWork(check_in, stop.get_token()).status().code(), StatusCode::kCancelled);
  stopper.join();
}

TEST_F(TransferTest, AMalformedAnswerIsNoCrash) {
  fleet_.on_check_in = [](grpc::ServerContext&, const v1::CheckInRequest&, v1::CheckInResponse& response) {
    response.mutable_train()->mutable_round()->set_job("../../etc");
    return grpc::Status::OK;
  };
  const CheckIn check_in{.agent_version = "0.1.0", .clock = absl::Now()};
  EXPECT_EQ(link_->AskForWork(check_in, {}).status().code(), StatusCode::kInvalidArgument);
}

TEST(ByteMeterTest, CountsByDayAndOverRestarts) {
  const TemporaryFolder folder;
  ManualExecutor clock(absl::FromUnixSeconds(1'800'000'000));
  {
    ByteMeter meter(folder.File("bytes"), clock);
    meter.CountUp(100);
    meter.CountDown(ByteMeter::kSaveEvery);
    EXPECT_EQ(meter.today(), 100 + ByteMeter::kSaveEvery);
  }
  {
    ByteMeter meter(folder.File("bytes"), clock);
    EXPECT_EQ(meter.today(), 100 + ByteMeter::kSaveEvery);
    EXPECT_EQ(meter.total_up(), 0u);
    clock.Advance(absl::Hours(24));
    EXPECT_EQ(meter.today(), 0u);
    meter.CountUp(7);
    ASSERT_TRUE(meter.Save().ok());
  }
  EXPECT_EQ(ByteMeter(folder.File("bytes"), clock).today(), 7u);
  folder.Write("bytes", "rubbish");
  EXPECT_EQ(ByteMeter(folder.File("bytes"), clock).today(), 0u);
}

TEST(CallOutcomeTest, ReasonsDecideBeforeCodes) {
  const auto verdict = [](Status status) { return OutcomeOf(status).verdict; };
  EXPECT_EQ(verdict(OkStatus()), Verdict::kDone);
  EXPECT_EQ(verdict(Unavailable("x")), Verdict::kTryAgain);
  EXPECT_EQ(verdict(PermissionDenied("x")), Verdict::kTryAgain);
  EXPECT_EQ(verdict(WithReason(PermissionDenied("x"), Reason::kNotInRound)), Verdict::kRoundOver);
  EXPECT_EQ(verdict(WithReason(InvalidArgument("x"), Reason::kRoundClosed)), Verdict::kRoundOver);
  EXPECT_EQ(verdict(WithReason(InvalidArgument("x"), Reason::kDigestMismatch)), Verdict::kStartOver);
  EXPECT_EQ(verdict(WithReason(FailedPrecondition("x"), Reason::kSizeMismatch)), Verdict::kImpossible);
  EXPECT_EQ(verdict(FailedPrecondition("x")), Verdict::kRoundOver);
  const agent::CallOutcome full = OutcomeOf(WithReason(ResourceExhausted("x"), Reason::kStorageFull, absl::Minutes(2)));
  EXPECT_EQ(full.verdict, Verdict::kTryAgain);
  EXPECT_EQ(full.wait_min, absl::Minutes(2));
  EXPECT_GE(OutcomeOf(WithReason(Unavailable("x"), Reason::kDuplicateIdentity)).wait_min, absl::Minutes(1));
}

}  // namespace
}  // namespace aisle

#include "coordinator/journal/entry_codec.h"

#include <gtest/gtest.h>

#include "aisle/v1/journal.pb.h"

namespace aisle {
namespace {

const absl::Time kAt = absl::FromUnixMicros(1'800'000'000'123'456);
const StoreId kStore = *StoreId::Parse("leeds-01");

// One of each message, filled to the last field.
std::vector<Event> EveryStep() {
  const RoundId round{.job = *JobId::Parse("demand"), .number = 7};
  const Digest digest = Sha256::Of("any");
  const Advert advert{.store = kStore,
                      .certificate_pem = "PEM",
                      .channel_key = std::string(32, 'c'),
                      .mask_key = std::string(32, 'm'),
                      .nonce = std::string(32, 'n'),
                      .terms = digest,
                      .signature = "signed"};
  const DealtShares dealt{
      .shares = {{.to = 3, .sealed = "sealed", .mask_commitment = digest, .seed_commitment = Sha256::Of("other")}},
      .seed_digest = digest,
      .signature = "signed"};
  const RevealedShares revealed{.shares = {{.of = 3, .kind = ShareKind::kMaskKey, .share = std::string(40, 's')}}};
  std::vector<Event> steps;
  for (const SumMessage& message :
       {SumMessage(advert), SumMessage(dealt), SumMessage(Confirmation{.survivors = digest, .signature = "signed"}),
        SumMessage(revealed)}) {
    steps.emplace_back(SumStepTaken{kStore, {.round = round, .attempt = 2, .message = message}});
  }
  return steps;
}

std::vector<Event> EveryEvent() {
  const BlobName update{.digest = Sha256::Of("update"), .size = 400};
  return {StoreOffered{kStore, {.rounds_joined = 12}},
          OutcomeReported{kStore, Trained{update}},
          OutcomeReported{kStore, Refused{RefusalReason::kPrivacyBudget, "the cap of 3 would be passed"}},
          OutcomeReported{kStore, Failed{FailureReason::kTimeCap, "over 15m"}},
          UpdateCollected{kStore, update.digest},
          DeadlinePassed{PhaseName::kCollecting},
          DeadlinePassed{PhaseName::kUnmasking},
          ModelPublished{9},
          CommitFailed{"a weight left the float range"},
          CommitFailed{"two dealt shares of no secret", {*StoreId::Parse("leeds-01"), *StoreId::Parse("york-02")}},
          RoundCancelled{"no longer wanted"}};
}

TEST(EntryCodecTest, EveryEventComesBackAsItWas) {
  std::vector<Event> events = EveryEvent();
  for (Event& step : EveryStep()) events.push_back(std::move(step));
  for (const Event& event : events) {
    const auto decoded = DecodeJournalEntry(EncodeJournalEntry({.at = kAt, .what = event}));
    ASSERT_TRUE(decoded.ok()) << MessageOf(decoded.status());
    EXPECT_EQ(decoded->at, kAt);
    EXPECT_EQ(std::get<Event>(decoded->what), event);
  }
}

TEST(EntryCodecTest, TheOpeningComesBackAsItWas) {
  const RoundOpened opened{.policy = {.cohort_min = 4,
                                      .cohort_target = 12,
                                      .selection_wanted = 15,
                                      .turn = {.joined_max = 70, .first = 3},
                                      .turn_wait = absl::Milliseconds(40),
                                      .selecting_for = absl::Milliseconds(1500),
                                      .training_for = absl::Hours(3),
                                      .collecting_for = absl::Seconds(9),
                                      .update_size = 19'664},
                           .seed = UINT64_MAX};
  const auto decoded = DecodeJournalEntry(EncodeJournalEntry({.at = kAt, .what = opened}));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<RoundOpened>(decoded->what), opened);
}

TEST(EntryCodecTest, TheSecureSumsPolicyComesBackAndAnOlderCoordinatorsJournalHasNone) {
  RoundOpened opened{.policy = {.sum = SumPolicy{.plan = Sha256::Of("plan"),
                                                 .corrupt_permille = 50,
                                                 .dropout_permille = 100,
                                                 .summing_for = absl::Seconds(12),
                                                 .attempts_max = 4}}};
  auto decoded = DecodeJournalEntry(EncodeJournalEntry({.at = kAt, .what = opened}));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<RoundOpened>(decoded->what), opened);
  v1::JournalEntry older;
  older.mutable_opened()->set_cohort_min(4);
  decoded = DecodeJournalEntry(older.SerializeAsString());
  ASSERT_TRUE(decoded.ok());
  EXPECT_FALSE(std::get<RoundOpened>(decoded->what).policy.sum.has_value());
}

TEST(EntryCodecTest, GarbageIsDataLossAndTheFutureIsAskedForItsProgram) {
  EXPECT_EQ(DecodeJournalEntry("\xff\xff\xff").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeJournalEntry("").status().code(), StatusCode::kFailedPrecondition) << "no event that is known here";
  v1::JournalEntry entry;
  entry.mutable_offered()->set_store("Not A Name");
  EXPECT_EQ(DecodeJournalEntry(entry.SerializeAsString()).status().code(), StatusCode::kInvalidArgument);
  entry.mutable_deadline()->set_phase(77);
  EXPECT_EQ(DecodeJournalEntry(entry.SerializeAsString()).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace aisle

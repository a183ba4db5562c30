#include "coordinator/catalog/record_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator-catalog/sample_records.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

template <typename Record>
struct Sample;
template <>
struct Sample<StoreRecord> {
  static StoreRecord Full() { return SampleStore(); }
};
template <>
struct Sample<JobRecord> {
  static JobRecord Full() { return SampleJob(); }
};
template <>
struct Sample<RoundRecord> {
  static RoundRecord Full() { return SampleRound(Round("demand", 9)); }
};
template <>
struct Sample<ModelRecord> {
  static ModelRecord Full() { return SampleModel("demand", 7); }
};

template <typename Record>
class RecordCodecTest : public ::testing::Test {
 protected:
  const Record record_ = Sample<Record>::Full();
  const std::string bytes_ = EncodeRecord(record_);
};
using Records = ::testing::Types<StoreRecord, JobRecord, RoundRecord, ModelRecord>;
TYPED_TEST_SUITE(RecordCodecTest, Records);

TYPED_TEST(RecordCodecTest, GivesBackEveryField) { EXPECT_EQ(*DecodeRecord<TypeParam>(this->bytes_), this->record_); }

TYPED_TEST(RecordCodecTest, GivesBackAnEmptyRecord) {
  const TypeParam empty;
  EXPECT_EQ(*DecodeRecord<TypeParam>(EncodeRecord(empty)), empty);
}

TYPED_TEST(RecordCodecTest, RefusesARecordCutAnywhere) {
  size_t whole = 0;
  for (size_t size = 0; size < this->bytes_.size(); ++size) {
    const auto cut = DecodeRecord<TypeParam>(std::string_view(this->bytes_).substr(0, size));
    if (!cut.ok()) {
      EXPECT_EQ(cut.status().code(), StatusCode::kDataLoss) << size << " bytes";
      continue;
    }
    ++whole;  // Where the records of 0.1 ended: the fields since have their defaults.
    EXPECT_EQ(EncodeRecord(*cut).substr(0, size), this->bytes_.substr(0, size)) << size << " bytes";
    EXPECT_NE(*cut, this->record_);
  }
  EXPECT_LE(whole, 1U);
}

TEST(OldRecordTest, ReadsRecordsOfTheFirstReleaseWhichEndedEarlier) {
  JobRecord job = SampleJob();
  job.left_out.clear();
  const std::string bytes = EncodeRecord(job);
  constexpr size_t kAddedSince = sizeof(uint64_t) + sizeof(uint32_t);  // A floor of versions; nobody left out.
  const auto old = DecodeRecord<JobRecord>(std::string_view(bytes).substr(0, bytes.size() - kAddedSince));
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->version_floor, 0U);
  EXPECT_EQ(old->ended_at, job.ended_at);
}

TYPED_TEST(RecordCodecTest, SkipsFieldsThatALaterProgramAdded) {
  EXPECT_EQ(*DecodeRecord<TypeParam>(this->bytes_ + "a new field"), this->record_);
}

TYPED_TEST(RecordCodecTest, RefusesANewerFormatByName) {
  std::string newer = this->bytes_;
  newer[0] = 2;
  const Status refused = DecodeRecord<TypeParam>(newer).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(MessageOf(refused), HasSubstr("newer coordinator"));
  newer[0] = 0;
  EXPECT_EQ(DecodeRecord<TypeParam>(newer).status().code(), StatusCode::kDataLoss);
}

// Any byte may be damaged: the record is refused or decodes to something within its bounds, but nothing crashes.
TYPED_TEST(RecordCodecTest, SurvivesAnyFlippedBit) {
  for (size_t at = 0; at < this->bytes_.size() * 8; ++at) {
    std::string damaged = this->bytes_;
    damaged[at / 8] = static_cast<char>(damaged[at / 8] ^ (1 << at % 8));
    const auto decoded = DecodeRecord<TypeParam>(damaged);
    EXPECT_TRUE(at < 8 || !decoded.ok() || *decoded != this->record_) << "bit " << at;
  }
}

TEST(RecordCodecLimitTest, CutsTextsToTheirLimit) {
  StoreRecord store = SampleStore();
  store.last_refusal.assign(kRecordTextMax + 1, 'x');
  EXPECT_EQ(DecodeRecord<StoreRecord>(EncodeRecord(store))->last_refusal.size(), kRecordTextMax);
}

TEST(RecordNamesTest, AreStable) {
  EXPECT_EQ(NameOf(StoreState::kInvited), "invited");
  EXPECT_EQ(NameOf(JobState::kCancelled), "cancelled");
  EXPECT_EQ(NameOf(RoundPhase::kCollecting), "collecting");
  EXPECT_EQ(NameOf(RoundPhase::kUnmasking), "unmasking");
  EXPECT_EQ(NameOf(StoreOutcome::kSilent), "silent");
}

}  // namespace
}  // namespace aisle

// The write-ahead order of a release, shown by making each step fail and by looking at the disk when noise is drawn.
#include "store-agent/task/release_and_spool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

const absl::Time kReleasedAt = absl::FromUnixSeconds(1'800'000'000);
constexpr size_t kLength = 1000;

// Notes what was on the disk when the key of the noise was drawn.
class WatchedRandom final : public RandomSource {
 public:
  explicit WatchedRandom(const TemporaryFolder& folder) : folder_(folder) {}
  void Fill(std::span<uint8_t> bytes) override {
    ++draws;
    debits_on_disk = Ledger::Load(folder_.Read("ledger/ledger")).value().ledger.entries().size();
    spooled = std::filesystem::exists(folder_.File("spool/demand-1.update"));
    std::ranges::fill(bytes, uint8_t{7});
  }
  int draws = 0;
  size_t debits_on_disk = 0;
  bool spooled = false;

 private:
  const TemporaryFolder& folder_;
};

class ReleaseAndSpoolTest : public ::testing::Test {
 protected:
  std::variant<BlobName, TaskEnd> Run(SecretVector<int32_t> clean, double epsilon_max = 10) {
    const ReleaseTerms terms{
        .debits = {debit_}, .caps = {.floor_per_year = epsilon_max, .delta = 1e-6}, .quantizer = quantizer_};
    return ReleaseAndSpool(std::move(clean), terms, *ledger_, spool_, random_, kReleasedAt);
  }
  static SecretVector<int32_t> Zero(size_t length = kLength) { return SecretVector<int32_t>(length); }
  static RefusalReason RefusalOf(const std::variant<BlobName, TaskEnd>& result) {
    return std::get<Refused>(std::get<TaskEnd>(result)).reason;
  }
  static FailureReason FailureOf(const std::variant<BlobName, TaskEnd>& result) {
    return std::get<Failed>(std::get<TaskEnd>(result)).reason;
  }

  TemporaryFolder folder_;
  std::unique_ptr<LedgerFile> ledger_ =
      LedgerFile::Open(folder_.File("ledger"), StoreId::Parse("s1").value(), kReleasedAt).value();
  Spool spool_ = Spool::Open(folder_.File("spool")).value();
  WatchedRandom random_{folder_};
  Debit debit_{.population = Population::Parse("store").value(),
               .round = {.job = JobId::Parse("demand").value(), .number = 1},
               .plan = Sha256::Of("plan"),
               .unit = PrivacyUnit::kStore,
               .noise_multiplier = 4,
               .delta = 1e-6};
  Quantizer quantizer_ =
      Quantizer::Make({.clip_norm = 1, .length = kLength, .addends_max = 10, .noise_multiplier = 4}).value();
};

TEST_F(ReleaseAndSpoolTest, TheDebitIsDurableWhenNoiseIsDrawn) {
  const auto released = Run(Zero());
  ASSERT_TRUE(std::holds_alternative<BlobName>(released));
  EXPECT_EQ(random_.draws, 1);
  EXPECT_EQ(random_.debits_on_disk, 1u);
  EXPECT_FALSE(random_.spooled);
  EXPECT_EQ(spool_.Find(debit_.round).value(), std::get<BlobName>(released));
  EXPECT_EQ(std::get<BlobName>(released).size, kLength * 4);
}

TEST_F(ReleaseAndSpoolTest, WhatIsSpooledIsNoised) {
  ASSERT_TRUE(std::holds_alternative<BlobName>(Run(Zero())));
  const std::string bytes = folder_.Read("spool/demand-1.update");
  double sum_of_squares = 0;
  for (size_t i = 0; i < kLength; ++i) {
    int32_t value = 0;
    std::memcpy(&value, bytes.data() + 4 * i, 4);
    sum_of_squares += static_cast<double>(value) * value;
  }
  const double sigma = 4 * static_cast<double>(quantizer_.scale());
  // A fixed key, so no false alarms; the variance's relative standard error is sqrt(2 / 1000) = 0.045.
  EXPECT_NEAR(sum_of_squares / kLength / (sigma * sigma), 1, 5 * 0.045);
}

TEST_F(ReleaseAndSpoolTest, AnUpdateOverTheNormCostsNothingAndDrawsNothing) {
  SecretVector<int32_t> over(kLength);
  over.Mutable()[0] = static_cast<int32_t>(quantizer_.scale() + 1);
  EXPECT_EQ(FailureOf(Run(std::move(over))), FailureReason::kPlanError);
  EXPECT_EQ(FailureOf(Run(Zero(kLength - 1))), FailureReason::kPlanError);
  EXPECT_EQ(random_.draws, 0);
  EXPECT_EQ(ledger_->head().entries, 0u);
}

TEST_F(ReleaseAndSpoolTest, OverTheCapNothingIsDrawn) {
  EXPECT_EQ(RefusalOf(Run(Zero(), 0.01)), RefusalReason::kPrivacyBudget);
  EXPECT_EQ(random_.draws, 0);
  EXPECT_EQ(ledger_->head().entries, 0u);
  EXPECT_EQ(spool_.Find(debit_.round).value(), std::nullopt);
}

TEST_F(ReleaseAndSpoolTest, WithoutADurableHeadNothingIsDrawn) {
  std::filesystem::remove(folder_.File("ledger/head"));
  std::filesystem::create_directories(folder_.File("ledger/head/in-the-way"));
  EXPECT_EQ(FailureOf(Run(Zero())), FailureReason::kStorage);
  EXPECT_EQ(random_.draws, 0);
  EXPECT_EQ(Ledger::Load(folder_.Read("ledger/ledger")).value().ledger.entries().size(), 1u) << "spent all the same";
}

TEST_F(ReleaseAndSpoolTest, WithoutASpoolTheDebitStays) {
  std::filesystem::remove(folder_.File("spool"));
  EXPECT_EQ(FailureOf(Run(Zero())), FailureReason::kStorage);
  EXPECT_EQ(ledger_->head().entries, 1u);
  std::filesystem::create_directories(folder_.File("spool"));
  ASSERT_TRUE(std::holds_alternative<BlobName>(Run(Zero())));
  EXPECT_EQ(ledger_->head().entries, 2u) << "a second release is a second debit";
}

TEST_F(ReleaseAndSpoolTest, AFullDiskReleasesNothing) {
  const SmallDisk disk("64k");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount";
  spool_ = Spool::Open(disk.folder().File("spool")).value();
  disk.Fill();
  EXPECT_EQ(FailureOf(Run(Zero())), FailureReason::kStorage);
  EXPECT_EQ(spool_.Find(debit_.round).value(), std::nullopt) << "nothing half-written is left to be sent";
}

}  // namespace
}  // namespace aisle

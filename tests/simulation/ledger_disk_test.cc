// The privacy ledger on a disk that forgets: whatever it is interrupted by, and however often.
#include <gtest/gtest.h>

#include "base/random.h"
#include "store-agent/ledger/ledger_file.h"
#include "tests/simulation/disk.h"

namespace aisle::simulation {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Debit DebitOf(uint32_t round) {
  return {.population = *Population::Parse("store"),
          .round = {.job = *JobId::Parse("demand"), .number = round},
          .plan = Sha256::Of("plan"),
          .unit = PrivacyUnit::kStore,
          .noise_multiplier = 1,
          .delta = 1e-6};
}

// A debit that kill -9 interrupts at any change of the disk; the agent starts again, and then the power goes.
TEST(LedgerDiskTest, AKillAndThenAPowerCutLeaveALedgerInOrder) {
  AesCtrStream random(SecretBytes(32), "ledger");
  for (uint64_t nth = 1; nth <= 10; ++nth) {
    for (int cut = 0; cut < 8; ++cut) {
      Disk disk("store");
      const auto open = [&] {
        return LedgerFile::OpenOrHalt(disk.File("ledger"), *StoreId::Parse("store-001"), kNow).value();
      };
      ASSERT_TRUE(open()->Spend(DebitOf(1), {}, kNow).ok());
      uint64_t left = nth;
      disk.BeforeChange([&] {
        if (left > 0 && --left == 0) disk.Freeze();
      });
      const bool spent = [&] {
        const StatusOr<std::unique_ptr<LedgerFile>> ledger =
            LedgerFile::Open(disk.File("ledger"), *StoreId::Parse("store-001"), kNow);
        return ledger.ok() && (*ledger)->Spend(DebitOf(2), {}, kNow).ok();
      }();
      disk.BeforeChange({});
      disk.Thaw();
      EXPECT_FALSE(open()->halted()) << "killed at change " << nth;
      disk.LosePower(random);
      const std::unique_ptr<LedgerFile> after = open();
      EXPECT_FALSE(after->halted()) << "killed at change " << nth << ", then a power cut: " << *after->halted();
      EXPECT_GE(after->head().entries, spent ? 2U : 1U);
    }
  }
}

}  // namespace
}  // namespace aisle::simulation

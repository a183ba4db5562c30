// The store's steps of the secure sum on real disks, with real certificates, against a headquarters that keeps to the
// protocol or doesn't.
#include "store-agent/sum/site_sum_steps.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/base/expect_cover.h"
#include "tests/store-agent-sum/played_sum.h"

namespace aisle {
namespace {

TEST(SiteSumStepsTest, TheUnmaskedSumIsTheSumOfTheSurvivorsVectors) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  sum.Confirm({1});
  sum.Reveal();
  EXPECT_EQ(sum.UnmaskedSum(), sum.SurvivorsSum());
}

TEST(SiteSumStepsTest, NoMaskedVectorLooksLikeTheOneUnderIt) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  const std::vector<uint32_t> bare = sum.store(0).Vector(SpooledVector::kUpdate);
  const std::vector<uint32_t> masked = sum.store(0).Vector(SpooledVector::kMasked);
  ASSERT_EQ(masked.size(), bare.size());
  size_t equal = 0;
  for (size_t i = 0; i < bare.size(); ++i) equal += bare[i] == masked[i] ? 1 : 0;
  EXPECT_LE(equal, 3U);  // 300,000 chances of 2^-32 each: more than three once in 10^18 runs.
}

TEST(SiteSumStepsTest, ACertificateThatIsRenewedBetweenTwoStepsChangesNothing) {
  PlayedSum sum;
  sum.Advertise();
  sum.store(2).Renew(sum.chain());
  sum.Share();
  sum.Mask();
  sum.store(3).Renew(sum.chain());
  sum.Confirm();
  sum.Reveal();
  EXPECT_EQ(sum.UnmaskedSum(), sum.SurvivorsSum());
}

TEST(SiteSumStepsTest, WhatIsKeptIsKeptAsKeysAre) {
  PlayedSum sum;
  sum.Advertise();
  struct ::stat entry {};
  ASSERT_EQ(::stat(sum.store(0).CohortPath().c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 0777, 0600U);
}

TEST(SiteSumStepsTest, TheSitesOwnSmallestCohortHoldsBesideThePlans) {
  PlayedSum sum(5);
  sum.store(0).policy.cohort_min = 6;
  sum.Advertise();
  EXPECT_EQ(EndOf(sum.store(0).Say(sum.ShareFor(0))), "cohort_too_small");
  EXPECT_EQ(EndOf(sum.store(1).Say(sum.ShareFor(1))), "");
}

TEST(SiteSumStepsTest, AStepOfACohortThatWasNeverJoinedIsRefused) {
  PlayedSum sum;
  EXPECT_EQ(EndOf(sum.store(0).Say(ConfirmInstruction{.round = SumRound()})), "cohort_replayed");
  EXPECT_EQ(EndOf(sum.store(0).Say(UnmaskInstruction{.round = SumRound()})), "cohort_replayed");
  EXPECT_EQ(EndOf(sum.store(0).Mask({})), "cohort_replayed");
}

TEST(SiteSumStepsTest, ANewAttemptHasFreshKeysAndForgetsTheOld) {
  const test::ExpectCover cover("sum.joined_anew");
  PlayedSum sum;
  sum.Advertise(1);
  const ShareInstruction old = sum.ShareFor(0);
  const std::string before = ReadFile(sum.store(0).CohortPath()).value();
  sum.Advertise(2);
  EXPECT_NE(sum.cohort().AdvertOf(0).mask_key, old.own.advert.mask_key);
  EXPECT_EQ(EndOf(sum.store(0).Say(old)), "cohort_replayed");
  EXPECT_EQ(EndOf(sum.store(0).Say(AdvertiseInstruction{.round = SumRound(), .attempt = 1}, 1)), "cohort_replayed");
  EXPECT_NE(ReadFile(sum.store(0).CohortPath()).value(), before);
  for (const auto& file :
       std::filesystem::directory_iterator(std::filesystem::path(sum.store(0).CohortPath()).parent_path())) {
    EXPECT_EQ(file.path().string(), sum.store(0).CohortPath()) << "of the old cohort nothing is left";
  }
  sum.Share();
  sum.Mask();
  sum.Confirm();
  sum.Reveal();
  EXPECT_EQ(sum.UnmaskedSum(), sum.SurvivorsSum());
}

TEST(SiteSumStepsTest, AVectorIsMaskedForOneCohortOnly) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  EXPECT_EQ(EndOf(sum.store(0).Say(AdvertiseInstruction{.round = SumRound(), .attempt = 2}, 2)), "vector_spent");
}

TEST(SiteSumStepsTest, ASecondInboxIsRefusedAndTheMaskedVectorStays) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  const std::string masked = sum.store(0).Bytes(SpooledVector::kMasked);
  SharesInbox fewer = sum.InboxFor(0);
  fewer.shares.pop_back();
  EXPECT_EQ(EndOf(sum.store(0).Mask(fewer)), "cohort_replayed");
  EXPECT_EQ(sum.store(0).Bytes(SpooledVector::kMasked), masked);
}

TEST(SiteSumStepsTest, ACohortOfAnotherVectorOfTheSameRoundCountsForNothing) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  sum.store(0).Finish(77);  // The round was begun anew, and the old cohort's file outlived its vector.
  EXPECT_EQ(EndOf(sum.store(0).Mask(sum.InboxFor(0))), "cohort_replayed") << "one mask for two vectors shows both";
  const Advert old = sum.cohort().AdvertOf(0);
  const auto fresh = Said<Advert>(sum.store(0).Say(AdvertiseInstruction{.round = SumRound(), .attempt = 1}));
  EXPECT_NE(fresh.mask_key, old.mask_key);
}

TEST(SiteSumStepsTest, AVectorThatChangedOnTheDiskIsNotMasked) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  PlayedStore& store = sum.store(0);
  std::filesystem::path cohort(store.CohortPath());
  const auto spooled = cohort.parent_path().parent_path() / "spool" / "demand-4.update";
  std::string bytes = ReadFile(spooled.string()).value();
  bytes[5] = static_cast<char>(bytes[5] ^ 1);
  ASSERT_TRUE(WriteFileDurably(spooled.string(), bytes).ok());
  EXPECT_EQ(EndOf(store.Mask(sum.InboxFor(0))), "storage");
  EXPECT_EQ(store.Bytes(SpooledVector::kMasked), "");
}

TEST(SiteSumStepsTest, ADamagedCohortIsNeverJoinedAnew) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  const std::string path = sum.store(0).CohortPath();
  const std::string whole = ReadFile(path).value();
  for (const size_t at : {size_t{0}, size_t{20}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    ASSERT_TRUE(WriteFileDurably(path, damaged, 0600).ok());
    EXPECT_EQ(EndOf(sum.store(0).Say(AdvertiseInstruction{.round = SumRound(), .attempt = 2}, 2)), "storage") << at;
  }
}

// There, but not to be read: not the same as a cohort that was never joined.
TEST(SiteSumStepsTest, AnUnreadableCohortIsNeverJoinedAnew) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  const std::string path = sum.store(0).CohortPath();
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);  // Whoever reads it, root too, gets an error.
  EXPECT_EQ(EndOf(sum.store(0).Say(AdvertiseInstruction{.round = SumRound(), .attempt = 2}, 2)), "storage");
  EXPECT_EQ(EndOf(sum.store(0).Mask(sum.InboxFor(0))), "storage");
  EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST(SiteSumStepsTest, ADealerOfWrongSharesCostsTheStoreNothing) {
  const test::ExpectCover cover("sum.wrong_dealer");
  PlayedSum sum(8);
  sum.Advertise();
  sum.Share();
  SharesInbox inbox = sum.InboxFor(0);
  inbox.shares[2].sealed[20] = static_cast<char>(inbox.shares[2].sealed[20] ^ 1);
  EXPECT_EQ(EndOf(sum.store(0).Mask(inbox)), "");
}

TEST(CohortFilesTest, ForgettingLeavesLeavesNothing) {
  const TemporaryFolder folder;
  const CohortFiles cohorts = CohortFiles::Open(folder.File("cohorts")).value();
  folder.Write("cohorts/demand-3.cohort", "old");
  folder.Write("cohorts/demand-4.cohort", "kept");
  folder.Write("cohorts/demand-4.cohort.tmp", "cut off");
  EXPECT_TRUE(cohorts.DropAllBut(SumRound()).ok());
  EXPECT_FALSE(FileExists(folder.File("cohorts/demand-3.cohort")));
  EXPECT_FALSE(FileExists(folder.File("cohorts/demand-4.cohort.tmp")));
  EXPECT_TRUE(FileExists(folder.File("cohorts/demand-4.cohort")));
  EXPECT_TRUE(cohorts.Drop(SumRound()).ok());
  EXPECT_FALSE(FileExists(folder.File("cohorts/demand-4.cohort")));
}

}  // namespace
}  // namespace aisle

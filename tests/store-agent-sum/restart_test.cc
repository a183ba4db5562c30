// kill -9 at every point where something has just become durable, or just hasn't: a store that comes back says the same
// again, and never more than it might have said before.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/store-agent-sum/played_sum.h"

namespace aisle {
namespace {

// The disk as a kill before the last durable write left it.
class Snapshot {
 public:
  explicit Snapshot(std::string path) : path_(std::move(path)), bytes_(ReadFile(path_).value_or("")) {}
  void Restore() const {
    if (bytes_.empty()) {
      ASSERT_TRUE(RemoveFile(path_).ok());
    } else {
      ASSERT_TRUE(WriteFileDurably(path_, bytes_, 0600).ok());
    }
  }

 private:
  std::string path_;
  std::string bytes_;
};

// No file can be written there any more.
class FullDisk {
 public:
  explicit FullDisk(const std::string& path) : obstacle_(path + ".tmp") {
    std::filesystem::create_directory(obstacle_);
  }
  ~FullDisk() { std::filesystem::remove(obstacle_); }

 private:
  std::string obstacle_;
};

TEST(SumRestartTest, EveryStepIsSaidAgainByteForByte) {
  PlayedSum sum;
  sum.Advertise();
  const AdvertiseInstruction advertise{.round = SumRound(), .attempt = 1};
  EXPECT_EQ(Said<Advert>(sum.store(0).Say(advertise)), sum.cohort().AdvertOf(0));
  const auto dealt = Said<DealtShares>(sum.store(0).Say(sum.ShareFor(0)));
  EXPECT_EQ(Said<DealtShares>(sum.store(0).Say(sum.ShareFor(0))), dealt);
  sum.Share();
  sum.Mask();
  const std::string masked = sum.store(0).Bytes(SpooledVector::kMasked);
  ASSERT_EQ(EndOf(sum.store(0).Mask(sum.InboxFor(0))), "");
  EXPECT_EQ(sum.store(0).Bytes(SpooledVector::kMasked), masked);
  sum.Confirm({4});
  const auto confirmed = Said<Confirmation>(sum.store(0).Say(sum.ConfirmFor()));
  EXPECT_EQ(Said<Confirmation>(sum.store(0).Say(sum.ConfirmFor())), confirmed);
  sum.Reveal();
  EXPECT_EQ(Said<RevealedShares>(sum.store(0).Say(sum.UnmaskFor(0))), sum.revealed().at(0));
}

TEST(SumRestartTest, NothingIsSaidThatIsNotDurable) {
  PlayedSum sum;
  PlayedStore& store = sum.store(0);
  const auto refuses = [&](const agent::SumInstruction& instruction) {
    const FullDisk full(store.CohortPath());
    return EndOf(store.Say(instruction)) == "storage";
  };
  EXPECT_TRUE(refuses(AdvertiseInstruction{.round = SumRound(), .attempt = 1}));
  EXPECT_FALSE(FileExists(store.CohortPath()));
  sum.Advertise();
  EXPECT_TRUE(refuses(sum.ShareFor(0)));
  sum.Share();
  {
    const FullDisk full(store.CohortPath());
    EXPECT_EQ(EndOf(store.Mask(sum.InboxFor(0))), "storage");
    EXPECT_EQ(store.Bytes(SpooledVector::kMasked), "") << "no masked vector before the inbox is pinned";
  }
  sum.Mask();
  sum.statuses().assign(sum.size(), MemberStatus::kSurvived);
  EXPECT_TRUE(refuses(sum.ConfirmFor()));
  sum.Confirm();
  EXPECT_TRUE(refuses(sum.UnmaskFor(0)));
  sum.Reveal();
  EXPECT_EQ(sum.UnmaskedSum(), sum.SurvivorsSum());
}

TEST(SumRestartTest, AKillBeforeAWriteIsAsIfTheStepHadNotBeenAskedFor) {
  PlayedSum sum;
  PlayedStore& store = sum.store(0);
  const Snapshot before_joining(store.CohortPath());
  const auto lost = Said<Advert>(store.Say(AdvertiseInstruction{.round = SumRound(), .attempt = 1}));
  before_joining.Restore();
  sum.Advertise();
  EXPECT_NE(sum.cohort().AdvertOf(0).mask_key, lost.mask_key) << "what nobody heard is drawn anew";
  const Snapshot before_dealing(store.CohortPath());
  const auto first = Said<DealtShares>(store.Say(sum.ShareFor(0)));
  before_dealing.Restore();
  EXPECT_EQ(Said<DealtShares>(store.Say(sum.ShareFor(0))).shares, first.shares) << "all but a signature's dice";
  sum.Share();
  sum.Mask();
  sum.Confirm();
  sum.Reveal();
  EXPECT_EQ(sum.UnmaskedSum(), sum.SurvivorsSum());
}

TEST(SumRestartTest, AKillWhileMaskingEndsInTheSameBytes) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  PlayedStore& store = sum.store(0);
  const std::string masked = store.Bytes(SpooledVector::kMasked);
  const auto spool = std::filesystem::path(store.CohortPath()).parent_path().parent_path() / "spool";
  std::filesystem::remove(spool / "demand-4.masked");
  ASSERT_TRUE(WriteFileDurably((spool / "demand-4.masked.part").string(), masked.substr(0, 1000)).ok());
  ASSERT_EQ(EndOf(store.Mask(sum.InboxFor(0))), "");
  EXPECT_EQ(store.Bytes(SpooledVector::kMasked), masked);
  EXPECT_EQ(EndOf(store.Say(AdvertiseInstruction{.round = SumRound(), .attempt = 2}, 2)), "vector_spent");
}

TEST(SumRestartTest, AfterAKillTheVectorIsStillSpent) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  PlayedStore& store = sum.store(0);
  ASSERT_EQ(EndOf(store.Mask(sum.InboxFor(0))), "");
  // The inbox is durable, the masked vector isn't yet; nobody knows whether it was.
  const auto spool = std::filesystem::path(store.CohortPath()).parent_path().parent_path() / "spool";
  std::filesystem::remove(spool / "demand-4.masked");
  EXPECT_EQ(EndOf(store.Say(AdvertiseInstruction{.round = SumRound(), .attempt = 2}, 2)), "vector_spent");
  SharesInbox fewer = sum.InboxFor(0);
  fewer.shares.pop_back();
  EXPECT_EQ(EndOf(store.Mask(fewer)), "cohort_replayed");
}

// Whoever got both shares of a store from enough of its neighbours would know its mask and its keys: its vector.
TEST(SumRestartTest, BothKindsOfShareNeverLeaveWhateverIsAskedAfterWhichKill) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  sum.Confirm({4});
  const auto other_survivors = [&] {
    ConfirmInstruction confirm = sum.ConfirmFor();
    confirm.statuses[4] = MemberStatus::kSurvived;
    return confirm;
  };
  // Signed, but nothing revealed yet: other survivors are refused already.
  EXPECT_EQ(EndOf(sum.store(0).Say(other_survivors())), "second_survivors");
  UnmaskInstruction other = sum.UnmaskFor(0);
  other.survivors = secagg::SurvivorsRoot(other_survivors().statuses);
  EXPECT_EQ(EndOf(sum.store(0).Say(other)), "second_survivors");
  sum.Reveal();
  for (const RevealedShare& share : sum.revealed().at(0).shares) {
    EXPECT_EQ(share.kind, share.of == 4 ? ShareKind::kMaskKey : ShareKind::kSeed);
  }
  EXPECT_NE(EndOf(sum.store(0).Say(other_survivors())), "");
  EXPECT_NE(EndOf(sum.store(0).Say(other)), "");
  EXPECT_EQ(EndOf(sum.store(0).Say(AdvertiseInstruction{.round = SumRound(), .attempt = 2}, 2)), "vector_spent");
  EXPECT_EQ(Said<RevealedShares>(sum.store(0).Say(sum.UnmaskFor(0))), sum.revealed().at(0));
}

TEST(SumRestartTest, ARefusalLeavesTheDiskAsItWas) {
  PlayedSum sum;
  sum.Advertise();
  sum.Share();
  sum.Mask();
  sum.Confirm();
  const std::string before = ReadFile(sum.store(0).CohortPath()).value();
  UnmaskInstruction unconfirmed = sum.UnmaskFor(0);
  unconfirmed.confirmations.clear();
  EXPECT_EQ(EndOf(sum.store(0).Say(unconfirmed)), "unconfirmed");
  EXPECT_EQ(ReadFile(sum.store(0).CohortPath()).value(), before);
}

}  // namespace
}  // namespace aisle

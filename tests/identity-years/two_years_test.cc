// Two years of a chain without a hand: certificates of 72 hours, keys that change with each, roots that change once,
// headquarters and stores that are off at times, answers that get lost, clocks that are wrong.
#include <gtest/gtest.h>

#include <vector>

#include "base/log.h"
#include "base/reason.h"
#include "tests/identity-years/played_chain.h"

namespace aisle::test {
namespace {

constexpr absl::Duration kStep = absl::Hours(6);
constexpr absl::Duration kDay = absl::Hours(24);

struct Box {
  std::unique_ptr<OwnClock> clock;
  std::unique_ptr<PlayedStore> store;
  absl::Time off_until = absl::InfinitePast();
};

class TwoYearsTest : public ::testing::Test {
 protected:
  TwoYearsTest() { SetLogLevel(LogLevel::kOff); }
  ~TwoYearsTest() override { SetLogLevel(LogLevel::kInfo); }

  Box NewBox(const std::string& name, const std::string& folder, absl::Duration clock_off = {}, double drift = 0) {
    Box box{.clock = std::make_unique<OwnClock>(clock_, clock_off, drift)};
    box.store = std::make_unique<PlayedStore>(headquarters_, name, folder_.File(folder), *box.clock);
    const Status joined = box.store->Start(headquarters_.InvitationFor(name, folder + ".toml"));
    EXPECT_TRUE(joined.ok()) << joined;
    return box;
  }
  bool Happens(double probability) { return dice_.Fraction() < probability; }
  void Step() {
    clock_.Advance(kStep);
    headquarters_.Tend();
  }

  const TemporaryFolder folder_;
  ManualExecutor clock_{absl::FromUnixSeconds(1'800'000'000)};
  AesCtrStream dice_{SecretBytes::CopyOf(std::string(32, 'y')), "two-years"};
  PlayedHeadquarters headquarters_{clock_};
};

TEST_F(TwoYearsTest, PassWithoutAHandAndWithoutAFailedCall) {
  std::vector<Box> boxes;
  boxes.push_back(NewBox("leeds-01", "leeds"));
  boxes.push_back(NewBox("york-01", "york", -absl::Minutes(20), 1e-7));
  boxes.push_back(NewBox("hull-01", "hull", absl::Minutes(40), -1e-7));
  const absl::Time end = clock_.Now() + kDay * 730;
  const absl::Time rotation = clock_.Now() + kDay * 250;
  absl::Time headquarters_back = clock_.Now();
  std::set<Digest> own_keys;
  uint64_t calls = 0;
  while (clock_.Now() < end) {
    Step();
    own_keys.insert(headquarters_.identity().own.key.digest());
    if (clock_.Now() >= rotation && RootSet::Load(headquarters_.paths()).value().roots().size() == 1) {
      SecureRandom random;
      ASSERT_TRUE(AddRoot(headquarters_.paths(), clock_.Now(), random).ok());
      headquarters_.Tend();
    }
    if (Happens(0.01)) headquarters_.Restart();
    if (Happens(0.01)) headquarters_back = clock_.Now() + kStep * static_cast<int64_t>(1 + dice_.Below(3));
    headquarters_.reachable = clock_.Now() >= headquarters_back;
    for (Box& box : boxes) {
      if (Happens(0.002)) box.off_until = clock_.Now() + kDay * static_cast<int64_t>(1 + dice_.Below(10));
      if (clock_.Now() < box.off_until) continue;
      if (Happens(0.02)) {
        ASSERT_TRUE(box.store->Start().ok());
      }
      box.store->loses_answers = Happens(0.05) && box.clock->Now() < box.store->certificate().not_after();
      const Status answered = box.store->CheckIn();
      if (!headquarters_.reachable) continue;
      ASSERT_TRUE(answered.ok()) << absl::FormatTime(clock_.Now()) << ": " << answered;
      ++calls;
      const absl::Duration life = box.store->certificate().not_after() - box.store->certificate().not_before();
      ASSERT_LE(life, EnrolmentPolicy{}.certificate_lifetime + kBackdating);
    }
  }
  EXPECT_GT(calls, 7'000u);
  const RootSet roots = RootSet::Load(headquarters_.paths()).value();
  EXPECT_EQ(roots.StageAt(0, clock_.Now()), RootStage::kRetired);
  EXPECT_GE(own_keys.size(), 12u) << "90 days, renewed after 60";
  int late_renewals = 0;
  for (const Box& box : boxes) {
    EXPECT_GE(box.store->keys.size(), 300u) << "one for every two days that it was on";
    EXPECT_EQ(box.store->roots_pem(), roots.roots()[1].pem) << "nobody trusts what is retired";
    late_renewals += box.store->late_renewals;
  }
  EXPECT_GT(late_renewals, 0) << "else no store was ever off for long";
}

TEST_F(TwoYearsTest, AStoreThatWasOffForWeeksComesBackByItself) {
  Box box = NewBox("leeds-01", "leeds");
  ASSERT_TRUE(box.store->CheckIn().ok());
  for (const int days : {4, 12, 29}) {
    clock_.Advance(kDay * days);
    headquarters_.Tend();
    ASSERT_TRUE(box.store->Start().ok()) << "its disk still says who it is";
    EXPECT_TRUE(box.store->CheckIn().ok()) << days << " days";
  }
  EXPECT_EQ(box.store->late_renewals, 3);
  clock_.Advance(kDay * 40);
  headquarters_.Tend();
  EXPECT_FALSE(box.store->CheckIn().ok()) << "there is an end to it";
  ASSERT_TRUE(box.store->Start(headquarters_.InvitationFor("leeds-01", "again.toml")).ok());
  EXPECT_TRUE(box.store->CheckIn().ok());
}

TEST_F(TwoYearsTest, AReplacedBoxIsTheStoreAndTheOldOneIsRefused) {
  Box old_box = NewBox("leeds-01", "old");
  ASSERT_TRUE(old_box.store->CheckIn().ok());
  Box new_box = NewBox("leeds-01", "new");
  for (int step = 0; step < 40; ++step) {
    EXPECT_TRUE(new_box.store->CheckIn().ok());
    const Status refused = old_box.store->CheckIn();
    if (old_box.store->certificate().not_after() > clock_.Now()) {
      EXPECT_EQ(ReasonOf(refused), Reason::kDuplicateIdentity) << refused;
    }
    EXPECT_FALSE(refused.ok());
    Step();
  }
}

TEST_F(TwoYearsTest, ACopyOfABoxEndsAsSoonAsTheOtherHasRenewed) {
  Box box = NewBox("leeds-01", "leeds");
  std::filesystem::copy(folder_.File("leeds"), folder_.File("copy"), std::filesystem::copy_options::recursive);
  OwnClock clock(clock_, {}, 0);
  PlayedStore copy(headquarters_, "leeds-01", folder_.File("copy"), clock);
  ASSERT_TRUE(copy.Start().ok());
  for (int step = 0; step < 9; ++step) {
    Step();
    ASSERT_TRUE(box.store->CheckIn().ok());
  }
  EXPECT_EQ(ReasonOf(copy.CheckIn()), Reason::kDuplicateIdentity);
}

TEST_F(TwoYearsTest, AStoreThatHeardOfNoNewRootInTimeIsOutUntilItIsInvited) {
  Box box = NewBox("leeds-01", "leeds");
  SecureRandom random;
  ASSERT_TRUE(AddRoot(headquarters_.paths(), clock_.Now(), random).ok());
  for (absl::Duration off; off < kRootOverlap; off += kStep) Step();
  EXPECT_EQ(box.store->CheckIn().code(), StatusCode::kUnavailable) << "it knows the old root alone";
  Box again = NewBox("leeds-01", "again");
  EXPECT_TRUE(again.store->CheckIn().ok());
}

TEST_F(TwoYearsTest, AClockThatIsYearsOffIsSetRightAndTheStoreGoesOn) {
  Box behind = NewBox("leeds-01", "leeds");
  Box ahead = NewBox("york-01", "york");
  behind.clock->Set(-kDay * 3650);
  ahead.clock->Set(kDay * 30);
  for (int step = 0; step < 4; ++step) {
    Step();
    EXPECT_EQ(behind.store->CheckIn().code(), StatusCode::kUnavailable) << "headquarters' certificate isn't valid yet";
    EXPECT_TRUE(ahead.store->CheckIn().ok()) << "it renews, needlessly often, and works";
  }
  behind.clock->Set(absl::ZeroDuration());
  ahead.clock->Set(absl::ZeroDuration());
  EXPECT_TRUE(behind.store->CheckIn().ok());
  EXPECT_TRUE(ahead.store->CheckIn().ok());
}

}  // namespace
}  // namespace aisle::test

#include "store-agent/program/certificate_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/executor.h"
#include "store-agent/transfer/grpc_fleet_link.h"
#include "tests/storage/temporary_folder.h"
#include "tests/store-agent-transfer/fake_fleet.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CertificateKeeperTest : public ::testing::Test {
 protected:
  CertificateKeeperTest() : clock_(absl::Now()) {}

  CertificateKeeper& Start(absl::Duration lifetime, const Clock* clock = nullptr) {
    fleet_.lifetime = lifetime;
    Membership membership{.store = StoreId::Parse("s1").value(),
                          .coordinator = fleet_.address(),
                          .identity = fleet_.StoreIdentity("s1", lifetime),
                          .plan_keys = {fleet_.plan_key().verify_key()}};
    const std::string folder = folder_.File("identity");
    folder_.Write("identity/headquarters.toml",
                  fmt::format("coordinator = \"{}\"\nplan_keys = [\"{}\"]\n", fleet_.address(),
                              ToHex(fleet_.plan_key().verify_key().bytes())));
    link_ = GrpcFleetLink::Open({.address = fleet_.address()}, membership.identity).value();
    keeper_.emplace(
        folder, std::move(membership), *link_,
        [this](const TlsIdentity& identity) { return link_->ChangeIdentity(identity); }, metrics_,
        clock == nullptr ? clock_ : *clock, random_);
    return *keeper_;
  }
  int renewals() {
    const std::lock_guard lock(fleet_.mutex);
    return fleet_.renewals;
  }

  TemporaryFolder folder_;
  FakeFleet fleet_;
  ManualExecutor clock_;
  SecureRandom random_;
  AgentMetrics metrics_;
  std::unique_ptr<GrpcFleetLink> link_;
  std::optional<CertificateKeeper> keeper_;
};

TEST_F(CertificateKeeperTest, RenewsAtTwoThirdsOfTheLife) {
  CertificateKeeper& keeper = Start(absl::Hours(72));
  keeper.Tend();
  clock_.Advance(absl::Hours(47));
  keeper.Tend();
  EXPECT_EQ(renewals(), 0);
  clock_.Advance(absl::Hours(2));
  keeper.Tend();
  EXPECT_EQ(renewals(), 1);
  EXPECT_TRUE(LoadTlsBundle(folder_.File("identity/identity.pem")).ok());
  EXPECT_EQ(keeper.plan_keys().size(), 1u);
}

TEST_F(CertificateKeeperTest, AShortCertificateIsntDueAtOnce) {
  CertificateKeeper& keeper = Start(absl::Minutes(10));
  keeper.Tend();
  EXPECT_EQ(renewals(), 0);
  clock_.Advance(absl::Minutes(7));
  keeper.Tend();
  EXPECT_EQ(renewals(), 1);
}

TEST_F(CertificateKeeperTest, AFailedRenewalIsTriedAgainButNotAtOnce) {
  CertificateKeeper& keeper = Start(absl::Hours(72));
  clock_.Advance(absl::Hours(50));
  {
    const std::lock_guard lock(fleet_.mutex);
    fleet_.enrol_answer = {grpc::StatusCode::UNAVAILABLE, "not now"};
  }
  keeper.Tend();
  keeper.Tend();
  EXPECT_EQ(renewals(), 1);
  {
    const std::lock_guard lock(fleet_.mutex);
    fleet_.enrol_answer = grpc::Status::OK;
  }
  clock_.Advance(absl::Minutes(3));
  keeper.Tend();
  EXPECT_EQ(renewals(), 2);
  keeper.Tend();
  clock_.Advance(absl::Minutes(3));
}

TEST_F(CertificateKeeperTest, AClockThatIsBeforeTheCertificateIsToldOfOnce) {
  ManualExecutor behind(absl::Now() - absl::Hours(24 * 365 * 9));
  CertificateKeeper& keeper = Start(absl::Hours(72), &behind);
  const auto said = [&] {
    ::testing::internal::CaptureStderr();
    keeper.Tend();
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(said(), HasSubstr("the clock is wrong. Set it right"));
  EXPECT_THAT(said(), IsEmpty());
  behind.AdvanceTo(absl::Now());
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_EQ(renewals(), 0);
}

TEST_F(CertificateKeeperTest, ACertificateThatEndedIsRenewedWithoutShowingIt) {
  CertificateKeeper& keeper = Start(absl::Hours(72));
  clock_.Advance(absl::Hours(24 * 12));
  keeper.Tend();
  EXPECT_EQ(renewals(), 1);
  EXPECT_FALSE(fleet_.last_renewal.proof().empty());
}

TEST_F(CertificateKeeperTest, AClockSetBackDoesntKeepItFromTryingAgain) {
  ManualExecutor ahead(absl::Now() + absl::Hours(24 * 365));
  CertificateKeeper& keeper = Start(absl::Hours(72), &ahead);
  {
    const std::lock_guard lock(fleet_.mutex);
    fleet_.enrol_answer = {grpc::StatusCode::UNAVAILABLE, "not now"};
  }
  keeper.Tend();
  EXPECT_EQ(renewals(), 1);
  keeper.Tend();
  EXPECT_EQ(renewals(), 1) << "it rests a while";
  ahead.Advance(absl::Minutes(3));
  keeper.Tend();
  EXPECT_EQ(renewals(), 2);
}

}  // namespace
}  // namespace aisle

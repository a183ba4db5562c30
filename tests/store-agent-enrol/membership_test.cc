#include "store-agent/enrol/membership.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/identity/statement.h"
#include "store-agent/transfer/grpc_fleet_link.h"
#include "tests/storage/temporary_folder.h"
#include "tests/store-agent-transfer/fake_fleet.h"

namespace aisle {
namespace {

class MembershipTest : public ::testing::Test {
 protected:
  MembershipTest() { Invite(std::string(32, 'a')); }

  void Invite(const std::string& code, std::string_view store = "s1", std::string_view chain = "northwind") {
    const std::string text =
        fmt::format("coordinator = \"{}\"\nstore = \"{}\"\nchain = \"{}\"\ncode = \"{}\"\nca_pem = '''\n{}'''\n",
                    fleet_.address(), store, chain, code, fleet_.authority().root_pem());
    invitation_ = folder_.Write("enrol.toml", text);
    std::filesystem::permissions(invitation_, std::filesystem::perms::owner_read);
    std::filesystem::permissions(invitation_, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  }
  StatusOr<Membership> TakeUp(absl::Time now = absl::Now()) {
    const EnrolCall call = [](const Invitation& invitation, const std::string& csr) {
      return CallEnrol({.address = invitation.coordinator}, invitation.ca_pem, invitation.code, csr);
    };
    return TakeUpMembership(folder_.File("identity"), invitation_, call, now);
  }
  StatusOr<Membership> Renew(const Membership& membership) {
    auto link = GrpcFleetLink::Open({.address = fleet_.address()}, membership.identity).value();
    return RenewMembership(folder_.File("identity"), membership, *link, absl::Now());
  }
  bool HasFile(std::string_view name) const { return std::filesystem::exists(folder_.File(name)); }

  TemporaryFolder folder_;
  FakeFleet fleet_;
  std::string invitation_;
};

TEST_F(MembershipTest, ACodeBecomesAnIdentity) {
  const StatusOr<Membership> joined = TakeUp();
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_EQ(joined->store.str(), "s1");
  EXPECT_EQ(joined->coordinator, fleet_.address());
  ASSERT_EQ(joined->plan_keys.size(), 1u);
  EXPECT_EQ(joined->plan_keys[0], fleet_.plan_key().verify_key());
  EXPECT_FALSE(HasFile("identity/pending.pem"));
  EXPECT_EQ(std::filesystem::status(folder_.File("identity/identity.pem")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(MembershipTest, AJoinedStoreNeedsNoInvitation) {
  ASSERT_TRUE(TakeUp().ok());
  std::filesystem::remove(invitation_);
  EXPECT_TRUE(TakeUp().ok());
  EXPECT_EQ(fleet_.enrolments, 1);
}

TEST_F(MembershipTest, NeitherJoinedNorInvitedSaysSo) {
  std::filesystem::remove(invitation_);
  const Status status = TakeUp().status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_NE(MessageOf(status).find(invitation_), std::string_view::npos) << status;
}

TEST_F(MembershipTest, AWrongCodeIsToldAndLeavesNothing) {
  Invite(std::string(32, 'b'));
  EXPECT_EQ(TakeUp().status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(HasFile("identity/identity.pem"));
}

TEST_F(MembershipTest, ALostAnswerIsAskedForAgainWithTheSameKey) {
  fleet_.enrol_answer = {grpc::StatusCode::UNAVAILABLE, "lost on its way"};
  EXPECT_EQ(TakeUp().status().code(), StatusCode::kUnavailable);
  ASSERT_TRUE(HasFile("identity/pending.pem"));
  const Digest key = KeyPair::Load(folder_.File("identity/pending.pem")).value().digest();
  fleet_.enrol_answer = grpc::Status::OK;
  EXPECT_EQ(TakeUp().value().identity.key.digest(), key);
}

TEST_F(MembershipTest, ACertificateForAnotherStoreIsRefused) {
  fleet_.enrolled_as = "s2";
  EXPECT_EQ(TakeUp().status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(HasFile("identity/identity.pem"));
}

TEST_F(MembershipTest, AForeignHeadquartersIsNotSpokenTo) {
  const FakeFleet other;
  const std::string text = folder_.Read("enrol.toml");
  const size_t begin = text.find("'''");
  folder_.Write("enrol.toml", text.substr(0, begin) + "'''\n" + other.authority().root_pem() + "'''\n");
  EXPECT_EQ(TakeUp().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(fleet_.enrolments, 0);
}

TEST_F(MembershipTest, RenewalBringsANewKeyAndKeepsTheStore) {
  const Membership before = TakeUp().value();
  fleet_.lifetime = absl::Hours(144);
  const StatusOr<Membership> after = Renew(before);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->store, before.store);
  EXPECT_NE(after->identity.key.digest(), before.identity.key.digest());
  EXPECT_GT(after->identity.certificate.not_after(), before.identity.certificate.not_after());
  const Membership loaded = TakeUp().value();
  EXPECT_EQ(loaded.identity.key.digest(), after->identity.key.digest());
  EXPECT_EQ(loaded.plan_keys.size(), 1u);
}

TEST_F(MembershipTest, ACertificateThatEndedIsRenewedWithAProofOfItsKey) {
  const Membership before = TakeUp().value();
  const absl::Time later = absl::Now() + absl::Hours(24 * 10);
  auto link = GrpcFleetLink::Open({.address = fleet_.address()}, before.identity).value();
  fleet_.lifetime = absl::Hours(24 * 20);
  const StatusOr<Membership> after = RenewMembership(folder_.File("identity"), before, *link, later);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_NE(after->identity.key.digest(), before.identity.key.digest());
  const v1::RenewRequest& asked = fleet_.last_renewal;
  EXPECT_EQ(asked.ended_certificate_pem(), before.identity.certificate.pem());
  EXPECT_TRUE(VerifyStatement(before.identity.certificate, kLateRenewalDomain, asked.csr_pem(), asked.proof()).ok());
}

TEST_F(MembershipTest, ARenewalBeforeTheEndNeedsNoProof) {
  ASSERT_TRUE(Renew(TakeUp().value()).ok());
  EXPECT_TRUE(fleet_.last_renewal.ended_certificate_pem().empty());
  EXPECT_TRUE(fleet_.last_renewal.proof().empty());
}

TEST_F(MembershipTest, AClockThatIsFarAheadDoesntKeepAStoreFromItsNewCertificate) {
  const Membership before = TakeUp().value();
  auto link = GrpcFleetLink::Open({.address = fleet_.address()}, before.identity).value();
  const absl::Time far = absl::Now() + absl::Hours(24 * 365);
  EXPECT_TRUE(RenewMembership(folder_.File("identity"), before, *link, far).ok());
}

TEST_F(MembershipTest, ARenewalThatWasLostIsAskedForWithTheSameKey) {
  const Membership before = TakeUp().value();
  fleet_.enrol_answer = {grpc::StatusCode::UNAVAILABLE, "lost on its way"};
  EXPECT_FALSE(Renew(before).ok());
  EXPECT_EQ(TakeUp().value().identity.key.digest(), before.identity.key.digest()) << "the old one still stands";
  const Digest pending = KeyPair::Load(folder_.File("identity/pending.pem")).value().digest();
  fleet_.enrol_answer = grpc::Status::OK;
  EXPECT_EQ(Renew(before).value().identity.key.digest(), pending);
}

TEST_F(MembershipTest, AKeyLeftByAPowerCutIsNotUsedAgain) {
  const Membership first = TakeUp().value();
  ASSERT_TRUE(first.identity.key.SaveTo(folder_.File("identity/pending.pem")).ok());
  EXPECT_NE(Renew(first).value().identity.key.digest(), first.identity.key.digest());
}

TEST_F(MembershipTest, AnExpiredStoreJoinsAgainIfThereIsANewCode) {
  const Digest first = TakeUp().value().identity.key.digest();
  const absl::Time later = absl::Now() + absl::Hours(24 * 30);
  EXPECT_EQ(TakeUp(later).value().identity.key.digest(), first) << "the code is used up; it may renew late";
  EXPECT_EQ(fleet_.enrolments, 1);
  {
    const std::lock_guard lock(fleet_.mutex);
    fleet_.code = std::string(32, 'c');
    fleet_.lifetime = absl::Hours(24 * 60);
  }
  Invite(std::string(32, 'c'));
  EXPECT_TRUE(TakeUp(later).ok());
  EXPECT_EQ(fleet_.enrolments, 2);
}

TEST_F(MembershipTest, TheInvitationIsReadStrictly) {
  EXPECT_TRUE(ReadInvitation(invitation_).ok());
  std::filesystem::permissions(invitation_, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  EXPECT_EQ(ReadInvitation(invitation_).status().code(), StatusCode::kFailedPrecondition);
  Invite("not a code", "No Store!");
  const Status status = ReadInvitation(invitation_).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(status).find("code"), std::string_view::npos) << status;
  EXPECT_NE(MessageOf(status).find("store"), std::string_view::npos) << status;
  EXPECT_EQ(MessageOf(status).find("not a code"), std::string_view::npos) << "codes aren't repeated";
  Invite("AAAAAAAA-aaaaaaaa-aaaaaaaa-aaaaaaaa");
  EXPECT_TRUE(ReadInvitation(invitation_).ok()) << "as people type it";
}

}  // namespace
}  // namespace aisle

// Identity over the wire: late renewals, replaced boxes, and what ends when one does.
#include <gtest/gtest.h>

#include <thread>

#include "base/identity/root_set.h"
#include "base/identity/statement.h"
#include "base/net/status_conversion.h"
#include "base/reason.h"
#include "tests/coordinator-services/live_headquarters.h"

namespace aisle::test {
namespace {

class WireIdentityTest : public ::testing::Test {
 protected:
  StatusOr<TlsIdentity> Renew(v1::Fleet::Stub& fleet, const TlsIdentity& ended, bool late) {
    KeyPair key = KeyPair::Generate().value();
    Call call;
    v1::RenewRequest request;
    request.set_csr_pem(MakeCsr(key).value());
    if (late) {
      request.set_ended_certificate_pem(ended.certificate.pem());
      request.set_proof(SignStatement(ended.key, kLateRenewalDomain, request.csr_pem()).value());
    }
    v1::RenewResponse response;
    AISLE_RETURN_IF_ERROR(FromGrpc(fleet.Renew(&call, request, &response)));
    AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(response.certificate_pem()));
    return TlsIdentity{.ca_pem = response.ca_pem(), .certificate = std::move(certificate), .key = std::move(key)};
  }
  // The same key, certified for a time that is over.
  TlsIdentity Ended(const TlsIdentity& identity) {
    SecureRandom random;
    const CertificateTerms terms{identity.certificate.identity(), absl::Minutes(20), {}};
    Certificate certificate =
        headquarters_.authority().Issue(identity.key, terms, absl::Now() - absl::Minutes(30), random).value();
    return {.ca_pem = identity.ca_pem, .certificate = std::move(certificate), .key = identity.key.Clone()};
  }
  void ExpectReplaced(const Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kUnauthenticated) << status;
    EXPECT_EQ(ReasonOf(status), Reason::kDuplicateIdentity) << status;
  }

  LiveHeadquarters headquarters_;
};

TEST_F(WireIdentityTest, AStoreWhoseCertificateEndedRenewsItWithoutShowingIt) {
  const TlsIdentity ended = Ended(headquarters_.Enrol("s1"));
  EXPECT_FALSE(LiveStore(headquarters_, ended).CheckIn().ok()) << "no handshake lets it in";
  const auto stranger = headquarters_.Stranger();
  EXPECT_EQ(Renew(*stranger, ended, false).status().code(), StatusCode::kUnauthenticated) << "without its proof";
  const StatusOr<TlsIdentity> renewed = Renew(*stranger, ended, true);
  ASSERT_TRUE(renewed.ok()) << renewed.status();
  LiveStore store(headquarters_, *renewed);
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kFourMessages).ok());
  EXPECT_TRUE(store.TrainUpTo(UpdateOfLength(kFourMessages)).ok());
  ExpectReplaced(Renew(*stranger, ended, true).status());
}

TEST_F(WireIdentityTest, AnUploadThatBeganBeforeARenewalEndsAfterIt) {
  const TlsIdentity first = headquarters_.Enrol("s1");
  LiveStore store(headquarters_, first);
  const std::string update = UpdateOfLength(kFourMessages);
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kFourMessages).ok());
  ASSERT_TRUE(store.TrainUpTo(update).ok());
  Call call;
  v1::UploadResponse response;
  const auto writer = store.fleet->Upload(&call, &response);
  ASSERT_TRUE(writer->Write(store.FirstMessage(update, update.substr(0, kChunkSize))));
  while (store.UploadStatus(update).value().received_bytes() == 0) {
  }
  LiveStore renewed(headquarters_, Renew(*store.fleet, first, false).value());
  renewed.round = store.round;
  ASSERT_TRUE(renewed.UploadStatus(update).ok()) << "from here on the first key is an old one";
  ExpectReplaced(store.UploadStatus(update).status());
  v1::UploadRequest rest;
  rest.set_data(update.substr(kChunkSize));
  ASSERT_TRUE(writer->Write(rest));
  ASSERT_TRUE(writer->WritesDone());
  const Status accepted = FromGrpc(writer->Finish());
  EXPECT_TRUE(accepted.ok()) << accepted;
  EXPECT_TRUE(response.complete());
}

TEST_F(WireIdentityTest, AReplacedBoxIsTheStoreAndWhatTheOldOneHasOpenEndsAtOnce) {
  LiveStore old_box(headquarters_, headquarters_.Enrol("s1"));
  const std::string update = UpdateOfLength(kFourMessages);
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kFourMessages).ok());
  ASSERT_TRUE(old_box.TrainUpTo(update).ok());
  Call call;
  v1::UploadResponse response;
  const auto writer = old_box.fleet->Upload(&call, &response);
  ASSERT_TRUE(writer->Write(old_box.FirstMessage(update, update.substr(0, kChunkSize))));
  while (old_box.UploadStatus(update).value().received_bytes() == 0) {
  }
  const std::string code = headquarters_.Invite("s1").code();
  EXPECT_TRUE(old_box.UploadStatus(update).ok()) << "an invitation alone changes nothing";
  const absl::Time joined = absl::Now();
  LiveStore new_box(headquarters_, headquarters_.Redeem(code).value());
  ExpectReplaced(FromGrpc(writer->Finish()));
  EXPECT_LT(absl::Now() - joined, absl::Seconds(5));
  ExpectReplaced(old_box.CheckIn().status());
  ExpectReplaced(old_box.Upload(update));
  new_box.round = old_box.round;
  EXPECT_TRUE(new_box.UploadStatus(update).ok());
}

TEST_F(WireIdentityTest, AHeldCheckInOfAReplacedBoxEndsAtOnce) {
  LiveStore old_box(headquarters_, headquarters_.Enrol("s1"));
  const std::string code = headquarters_.Invite("s1").code();
  StatusOr<v1::CheckInResponse> answer = Internal("none yet");
  std::thread waits([&] { answer = old_box.CheckIn(); });
  for (uint64_t waiting = 0; waiting == 0;) {
    Call call;
    v1::Overview overview;
    ASSERT_TRUE(headquarters_.admin().GetOverview(&call, {}, &overview).ok());
    waiting = overview.stores_waiting();
  }
  ASSERT_TRUE(headquarters_.Redeem(code).ok());
  waits.join();
  ExpectReplaced(answer.status());
}

TEST_F(WireIdentityTest, StoresLearnOfANewRootAsTheyJoinAndRenew) {
  const TlsIdentity early = headquarters_.Enrol("s1");
  SecureRandom random;
  const ChainPaths paths{headquarters_.config().identity};
  ASSERT_TRUE(AddRoot(paths, absl::Now(), random).ok());
  headquarters_.Restart();
  const std::string both = RootSet::Load(paths).value().TrustedAt(absl::Now());
  EXPECT_NE(early.ca_pem, both);
  LiveStore store(headquarters_, early);
  const TlsIdentity renewed = Renew(*store.fleet, early, false).value();
  EXPECT_EQ(renewed.ca_pem, both);
  EXPECT_TRUE(renewed.certificate.CheckIssuedBy(early.ca_pem, absl::Now()).ok()) << "the old root still issues";
  EXPECT_EQ(headquarters_.Enrol("s2").ca_pem, both);
  EXPECT_EQ(headquarters_.Invite("s3").ca_pem(), both);
}

TEST_F(WireIdentityTest, ARootThatWasAnnouncedLongEnoughIssuesAndTheOldOnesStoresGoOn) {
  const TlsIdentity early = headquarters_.Enrol("s1");
  SecureRandom random;
  const ChainPaths paths{headquarters_.config().identity};
  ASSERT_TRUE(AddRoot(paths, absl::Now() - kRootOverlap - absl::Hours(1), random).ok());
  headquarters_.Restart();
  const RootSet roots = RootSet::Load(paths).value();
  const TlsIdentity informed{
      .ca_pem = roots.TrustedAt(absl::Now()), .certificate = early.certificate, .key = early.key.Clone()};
  LiveStore store(headquarters_, informed);
  const TlsIdentity renewed = Renew(*store.fleet, informed, false).value();
  EXPECT_TRUE(renewed.certificate.CheckIssuedBy(roots.roots()[1].pem, absl::Now()).ok());
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kFourMessages).ok()) << "the administrator's certificate followed";
  EXPECT_TRUE(LiveStore(headquarters_, renewed).TrainUpTo(UpdateOfLength(kFourMessages)).ok());
}

}  // namespace
}  // namespace aisle::test

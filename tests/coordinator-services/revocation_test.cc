// Revocation over the wire: what a stolen box has open is cut, and whatever it asks next is refused with the reason.
#include <gtest/gtest.h>

#include <thread>

#include "base/net/status_conversion.h"
#include "base/reason.h"
#include "tests/coordinator-services/live_headquarters.h"

namespace aisle::test {
namespace {

constexpr absl::Duration kCutWithin = absl::Seconds(5);  // As promised; it takes milliseconds.

class RevocationTest : public ::testing::Test {
 protected:
  void ExpectRevoked(const Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied) << status;
    EXPECT_EQ(ReasonOf(status), Reason::kRevoked) << status;
    EXPECT_NE(MessageOf(status).find("s1"), std::string::npos) << status;
  }
  LiveHeadquarters headquarters_;
  const TlsIdentity identity_ = headquarters_.Enrol("s1");
  LiveStore store_{headquarters_, identity_};
};

TEST_F(RevocationTest, EndsACheckInThatIsHeld) {
  StatusOr<v1::CheckInResponse> answer = Internal("none yet");
  std::thread waits([&] { answer = store_.CheckIn(); });
  for (uint64_t waiting = 0; waiting == 0;) {
    Call call;
    v1::Overview overview;
    ASSERT_TRUE(headquarters_.admin().GetOverview(&call, {}, &overview).ok());
    waiting = overview.stores_waiting();
  }
  const absl::Time revoked = absl::Now();
  ASSERT_TRUE(headquarters_.Revoke("s1", "box stolen").ok());
  waits.join();
  EXPECT_LT(absl::Now() - revoked, kCutWithin);
  ExpectRevoked(answer.status());
  ExpectRevoked(store_.CheckIn().status());
}

TEST_F(RevocationTest, CutsAnUploadThatIsRunning) {
  const std::string update = UpdateOfLength(kFourMessages);
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kFourMessages).ok());
  ASSERT_TRUE(store_.TrainUpTo(update).ok());
  Call call;
  v1::UploadResponse response;
  const auto writer = store_.fleet->Upload(&call, &response);
  ASSERT_TRUE(writer->Write(store_.FirstMessage(update, update.substr(0, kChunkSize))));
  while (store_.UploadStatus(update).value().received_bytes() == 0) {
  }
  const absl::Time revoked = absl::Now();
  ASSERT_TRUE(headquarters_.Revoke("s1", "box stolen").ok());
  ExpectRevoked(FromGrpc(writer->Finish()));  // Although the store had not ended its stream.
  EXPECT_LT(absl::Now() - revoked, kCutWithin);
  ExpectRevoked(store_.UploadStatus(update).status());
  ExpectRevoked(store_.Upload(update));
}

TEST_F(RevocationTest, CutsADownloadThatIsRunning) {
  const std::string update = UpdateOfLength(8 << 20);  // Weights of 32 MiB: more than fits between two peers.
  ASSERT_TRUE(headquarters_.SubmitJob("demand", 8 << 20).ok());
  const StatusOr<v1::CheckInResponse> task = store_.CheckIn();
  ASSERT_TRUE(task.ok() && task->has_train());
  Call call;
  v1::FetchBlobRequest request;
  request.set_sha256(task->train().weights().sha256());
  const auto reader = store_.fleet->FetchBlob(&call, request);
  v1::FetchBlobResponse chunk;
  ASSERT_TRUE(reader->Read(&chunk));
  ASSERT_TRUE(headquarters_.Revoke("s1", "box stolen").ok());
  uint64_t received = chunk.data().size();
  while (reader->Read(&chunk)) received += chunk.data().size();
  EXPECT_LT(received, task->train().weights().size_bytes());
  ExpectRevoked(FromGrpc(reader->Finish()));
}

TEST_F(RevocationTest, IsLiftedForAStoreThatJoinsAnewWithANewCodeOnly) {
  const std::string unused = headquarters_.Invite("s1").code();
  ASSERT_TRUE(headquarters_.Revoke("s1", "box stolen").ok());
  EXPECT_EQ(ReasonOf(headquarters_.TryInvite("s1").status()), Reason::kRevoked);
  ASSERT_TRUE(headquarters_.Reinstate("s1").ok());
  EXPECT_EQ(headquarters_.Reinstate("s1").code(), StatusCode::kFailedPrecondition) << "once is enough";
  EXPECT_EQ(ReasonOf(store_.CheckIn().status()), Reason::kUnknownStore) << "the stolen box stays shut out";
  EXPECT_EQ(ReasonOf(headquarters_.Redeem(unused).status()), Reason::kCodeInvalid);
  LiveStore again(headquarters_, headquarters_.Enrol("s1"));
  const std::string update = UpdateOfLength(kFourMessages);
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kFourMessages).ok());
  ASSERT_TRUE(again.TrainUpTo(update).ok());
  EXPECT_TRUE(again.Upload(update).ok());
  EXPECT_FALSE(store_.CheckIn().ok()) << "and now its key is an old one";
}

TEST_F(RevocationTest, OfOneStoreLeavesTheOthersAlone) {
  LiveStore other(headquarters_, headquarters_.Enrol("s2"));
  ASSERT_TRUE(headquarters_.Revoke("s1", "box stolen").ok());
  const std::string update = UpdateOfLength(kFourMessages);
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kFourMessages).ok());
  ASSERT_TRUE(other.TrainUpTo(update).ok());
  EXPECT_TRUE(other.Upload(update).ok());
}

}  // namespace
}  // namespace aisle::test

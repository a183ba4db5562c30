// Whatever a caller gets wrong, on purpose or not, is answered to that caller with what and which limit; afterwards an
// honest store still brings the job to its end.
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "base/net/status_conversion.h"
#include "base/net/transport.h"
#include "base/reason.h"
#include "tests/coordinator-services/live_headquarters.h"
#include "tests/net/test_chain.h"

namespace aisle::test {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kFewParameters = 4;

class BadCallTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(headquarters_.SubmitJob("demand", kFewParameters).ok()); }
  void TearDown() override {
    if (!done_) ExpectTheJobEnds();
  }
  // The honest store's part, from wherever it is.
  void ExpectTheJobEnds() {
    done_ = true;
    if (!asked_) GetAsked();
    const Status uploaded = store_.Upload(update_);
    EXPECT_TRUE(uploaded.ok()) << uploaded;
    const StatusOr<v1::CheckInResponse> closed = store_.CheckIn(v1::STORE_STANDING_UPLOADED);
    ASSERT_TRUE(closed.ok()) << closed.status();
    EXPECT_EQ(closed->closed().outcome(), v1::ROUND_OUTCOME_COMMITTED);
  }
  void GetAsked() {
    ASSERT_TRUE(store_.TrainUpTo(update_).ok());
    asked_ = true;
  }
  void ExpectRefused(const Status& status, StatusCode code, Reason reason, const std::string& says) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(ReasonOf(status), reason) << status;
    EXPECT_THAT(std::string(MessageOf(status)), HasSubstr(says));
  }

  LiveHeadquarters headquarters_;
  const TlsIdentity identity_ = headquarters_.Enrol("s1");
  LiveStore store_{headquarters_, identity_};
  const std::string update_ = UpdateOfLength(kFewParameters);
  bool asked_ = false;
  bool done_ = false;
};

Status CallWithBytes(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, std::string_view bytes) {
  grpc::Slice slice(bytes.data(), bytes.size());
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  Call call;
  grpc::Status status;
  const auto rpc = stub.PrepareUnaryCall(&call, method, request, &queue);
  rpc->StartCall();
  rpc->Finish(&response, &status, &call);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  return FromGrpc(status);
}

TEST_F(BadCallTest, BytesThatAreNoMessage) {
  const auto channel = headquarters_.Connect(identity_);
  for (const char* method : {"CheckIn", "ReportOutcome", "GetUploadStatus", "Renew", "Enrol"}) {
    const Status refused = CallWithBytes(channel, std::string("/aisle.v1.Fleet/") + method, "\xff\xff\xff\xff garbage");
    EXPECT_FALSE(refused.ok()) << method;  // With which code is gRPC's own choice: no handler of ours sees it.
  }
  EXPECT_EQ(CallWithBytes(channel, "/aisle.v1.Fleet/NoSuchCall", "").code(), StatusCode::kUnimplemented);
}

TEST_F(BadCallTest, AnEmptyMessage) {
  ExpectRefused(store_.CheckIn(v1::CheckInRequest()).status(), StatusCode::kUnimplemented, Reason::kVersionUnsupported,
                "protocol 0");
}

TEST_F(BadCallTest, AMessageOverTheLimit) {
  v1::CheckInRequest request = store_.Greeting();
  request.add_tables(std::string(kMessageSizeMax, 't'));
  const Status refused = store_.CheckIn(request).status();
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr(std::to_string(kMessageSizeMax)));
}

TEST_F(BadCallTest, AStreamMessageOverItsLimit) {
  GetAsked();
  const v1::UploadRequest message = store_.FirstMessage(update_, std::string(kChunkSizeMax + 1, 'x'));
  ExpectRefused(store_.Upload({message}), StatusCode::kInvalidArgument, Reason::kLimitExceeded,
                "1048577 bytes of data; the limit is 1048576");
}

TEST_F(BadCallTest, AnUploadWithoutAHeader) {
  GetAsked();
  v1::UploadRequest message;
  message.set_data(update_);
  EXPECT_THAT(std::string(MessageOf(store_.Upload({message}))), HasSubstr("begins with a header"));
  EXPECT_THAT(std::string(MessageOf(store_.Upload(std::vector<v1::UploadRequest>()))),
              HasSubstr("begins with a header"));
}

TEST_F(BadCallTest, AnUpdateThatIsNotWhatWasPromised) {
  GetAsked();
  ExpectRefused(store_.Upload({store_.FirstMessage(update_, std::string(update_.size(), 'x'))}), StatusCode::kDataLoss,
                Reason::kDigestMismatch, "s1");
}

TEST_F(BadCallTest, AnUpdateOfTheWrongLength) {
  ASSERT_TRUE(store_.AskForTask().ok());
  const Status refused = store_.Report({.digest = Sha256::Of(update_), .size = update_.size() - 4});
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("12 bytes; the plan's vector has 16"));
  asked_ = true;
  ASSERT_TRUE(store_.Report({.digest = Sha256::Of(update_), .size = update_.size()}).ok());
  v1::UploadRequest header = store_.FirstMessage(update_, update_);
  header.mutable_header()->set_size_bytes(8);
  ExpectRefused(store_.Upload({header}), StatusCode::kInvalidArgument, Reason::kSizeMismatch, "16");
  ExpectRefused(store_.Upload({store_.FirstMessage(update_, update_ + "x")}), StatusCode::kInvalidArgument,
                Reason::kSizeMismatch, "16");
}

TEST_F(BadCallTest, AnotherUpdateThanReported) {
  GetAsked();
  const std::string other(update_.size(), 'x');
  const Status refused = store_.Upload(other);
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("s1 reported update"));
}

TEST_F(BadCallTest, AnUploadThatBeginsBeyondWhatIsHere) {
  GetAsked();
  v1::UploadRequest message = store_.FirstMessage(update_, update_.substr(8));
  message.mutable_header()->set_offset_bytes(8);
  const Status refused = store_.Upload({message});
  EXPECT_EQ(refused.code(), StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("go on from 0"));
}

TEST_F(BadCallTest, AnUploadThatIsCutAtEveryByte) {
  GetAsked();
  for (size_t at = 0; at + 1 < update_.size(); ++at) {
    v1::UploadRequest message = store_.FirstMessage(update_, update_.substr(at, 1));
    message.mutable_header()->set_offset_bytes(at);
    EXPECT_EQ(store_.Upload({message}).code(), StatusCode::kDataLoss) << "not complete yet";
    EXPECT_EQ(store_.UploadStatus(update_)->received_bytes(), at + 1);
  }
  v1::UploadRequest rest = store_.FirstMessage(update_, update_.substr(update_.size() - 1));
  rest.mutable_header()->set_offset_bytes(update_.size() - 1);
  EXPECT_TRUE(store_.Upload({rest}).ok());
  EXPECT_EQ(store_.CheckIn(v1::STORE_STANDING_UPLOADED)->closed().outcome(), v1::ROUND_OUTCOME_COMMITTED);
  done_ = true;
}

TEST_F(BadCallTest, AnUploadThatComesTwiceOrLate) {
  GetAsked();
  ExpectTheJobEnds();
  ExpectRefused(store_.Upload(update_), StatusCode::kFailedPrecondition, Reason::kRoundClosed, "demand/1 is over");
  store_.round.set_number(2);
  ExpectRefused(store_.Upload(update_), StatusCode::kNotFound, Reason::kRoundUnknown, "demand/2");
}

TEST_F(BadCallTest, AStoreWithoutAPartInTheRound) {
  GetAsked();
  LiveStore other(headquarters_, headquarters_.Enrol("s2"));
  other.round = store_.round;
  ExpectRefused(other.Upload(update_), StatusCode::kNotFound, Reason::kNotInRound, "s2 has no part in round demand/1");
  ExpectRefused(other.Report({.digest = Sha256::Of(update_), .size = update_.size()}), StatusCode::kNotFound,
                Reason::kNotInRound, "s2 has no part in round demand/1");
}

TEST_F(BadCallTest, AStoreThatWasNeverEnrolled) {
  SecureRandom random;
  const CertificateAuthority authority = headquarters_.authority();
  KeyPair key = KeyPair::Generate().value();
  const Identity name = Identity::Make(authority.chain(), Role::kStore, "s9").value();
  Certificate certificate = authority.Issue(key, {name, absl::Hours(1), {}}, absl::Now(), random).value();
  LiveStore stranger(headquarters_, {authority.root_pem(), std::move(certificate), std::move(key)});
  ExpectRefused(stranger.CheckIn().status(), StatusCode::kUnauthenticated, Reason::kUnknownStore, "s9");
}

TEST_F(BadCallTest, ACertificateOfAnotherChain) {
  TlsIdentity foreign = testing::TestChain("northwind").Store("s1");
  foreign.ca_pem = identity_.ca_pem;  // It knows whom it talks to; headquarters doesn't.
  LiveStore impostor(headquarters_, foreign);
  EXPECT_EQ(impostor.CheckIn().status().code(), StatusCode::kUnavailable) << "the handshake ends";
}

TEST_F(BadCallTest, ACallWithoutACertificate) {
  Call call;
  v1::CheckInResponse response;
  const Status refused = FromGrpc(headquarters_.Stranger()->CheckIn(&call, store_.Greeting(), &response));
  EXPECT_EQ(refused.code(), StatusCode::kUnauthenticated);
}

TEST_F(BadCallTest, AStoreThatAsksWhatAdministratorsAsk) {
  Call call;
  v1::Overview overview;
  const auto admin = v1::Admin::NewStub(headquarters_.Connect(identity_));
  EXPECT_EQ(FromGrpc(admin->GetOverview(&call, {}, &overview)).code(), StatusCode::kPermissionDenied);
}

TEST_F(BadCallTest, ACodeThatIsWrongOrUsed) {
  EXPECT_EQ(ReasonOf(headquarters_.Redeem("hello").status()), Reason::kCodeInvalid);
  EXPECT_EQ(ReasonOf(headquarters_.Redeem(std::string(32, '0')).status()), Reason::kCodeInvalid);
  const std::string code = headquarters_.Invite("s3").code();
  EXPECT_TRUE(headquarters_.Redeem(code).ok());
  ExpectRefused(headquarters_.Redeem(code).status(), StatusCode::kFailedPrecondition, Reason::kCodeUsed, "used");
  const std::string replaced = headquarters_.Invite("s4").code();
  EXPECT_TRUE(headquarters_.Redeem(headquarters_.Invite("s4").code()).ok());
  EXPECT_EQ(ReasonOf(headquarters_.Redeem(replaced).status()), Reason::kCodeInvalid) << "a newer one took its place";
}

TEST(ExpiredCodeTest, IsRefused) {
  LiveHeadquarters headquarters({.enrolment = {.code_lifetime = absl::ZeroDuration()}});
  const Status refused = headquarters.Redeem(headquarters.Invite("s1").code()).status();
  EXPECT_EQ(ReasonOf(refused), Reason::kCodeExpired) << refused;
}

TEST_F(BadCallTest, TwoAgentsWithOneIdentity) {
  v1::CheckInRequest first = store_.Greeting();
  first.set_agent_instance(1);
  first.set_willing(false);
  first.set_wait_max_ms(0);
  v1::CheckInRequest second = first;
  second.set_agent_instance(2);
  EXPECT_TRUE(store_.CheckIn(first).ok());
  EXPECT_TRUE(store_.CheckIn(second).ok()) << "a restart";
  ExpectRefused(store_.CheckIn(first).status(), StatusCode::kFailedPrecondition, Reason::kDuplicateIdentity,
                "two boxes share it");
  EXPECT_TRUE(store_.CheckIn(second).ok()) << "the newer one goes on";
}

TEST_F(BadCallTest, AStoresClockTenMinutesOff) {
  for (const absl::Duration off : {absl::Minutes(10), absl::Minutes(-10)}) {
    v1::CheckInRequest request = store_.Greeting();
    request.set_clock_unix_ms(absl::ToUnixMillis(absl::Now() + off));
    StatusOr<v1::CheckInResponse> answer = store_.CheckIn(request);
    while (answer.ok() && !answer->has_train()) answer = store_.CheckIn(request);
    ASSERT_TRUE(answer.ok()) << answer.status();
    const absl::Duration left =
        absl::FromUnixMillis(answer->train().deadline_unix_ms()) - absl::FromUnixMillis(answer->clock_unix_ms());
    EXPECT_GT(left, absl::Minutes(9)) << "deadline and clock are both headquarters': the store can tell what is left";
    EXPECT_LE(left, absl::Minutes(10));
  }
}

TEST_F(BadCallTest, APlanThatIsNotSignedByTheChain) {
  v1::SubmitJobRequest request = headquarters_.PrepareJob("forged", kFewParameters);
  SecureRandom random;
  const Digest plan = Digest::FromBytes(request.plan_sha256()).value();
  request.set_plan_signature(SignPlan(SigningKey::Generate(random).value(), plan).value());
  const Status refused = headquarters_.SubmitJob(request);
  EXPECT_EQ(refused.code(), StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("sign"));
}

TEST_F(BadCallTest, ABlobThatIsNotWhatWasPromised) {
  Call call;
  v1::PutBlobResponse response;
  const auto writer = headquarters_.admin().PutBlob(&call, &response);
  v1::PutBlobRequest message;
  message.mutable_blob()->set_sha256(std::string(Sha256::Of("promised").view()));
  message.mutable_blob()->set_size_bytes(8);
  message.set_data("brought!");
  writer->Write(message);
  writer->WritesDone();
  EXPECT_EQ(ReasonOf(FromGrpc(writer->Finish())), Reason::kDigestMismatch);
}

TEST(FullDiskTest, OfHeadquartersCostsAnUploadAndNothingElse) {
  const SmallDisk disk("64m");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a small disk isn't allowed here";
  constexpr uint64_t kLength = 1 << 20;  // An update of 4 MiB.
  LiveHeadquarters headquarters({}, disk.folder().File("data"));
  LiveStore store(headquarters, headquarters.Enrol("s1"));
  const std::string update = UpdateOfLength(kLength);
  ASSERT_TRUE(headquarters.SubmitJob("demand", kLength).ok());
  ASSERT_TRUE(store.TrainUpTo(update).ok());
  disk.Fill();
  const Status full = store.Upload(update);
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted) << full;
  EXPECT_EQ(ReasonOf(full), Reason::kStorageFull);
  EXPECT_GT(RetryAfterOf(full), absl::ZeroDuration()) << "it says when to try again";
  disk.Free();
  const Status uploaded = store.Upload(update);
  EXPECT_TRUE(uploaded.ok()) << uploaded;
  EXPECT_EQ(store.CheckIn(v1::STORE_STANDING_UPLOADED)->closed().outcome(), v1::ROUND_OUTCOME_COMMITTED);
}

}  // namespace
}  // namespace aisle::test

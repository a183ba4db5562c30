// The whole way: a backup of a coordinator at work, a chain that goes on, the coordinator lost, the backup restored
// elsewhere; and the stores carry on.
#include <absl/time/clock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/net/status_conversion.h"
#include "cli/backup_folder.h"
#include "coordinator/backup/restoration.h"
#include "tests/coordinator-services/live_headquarters.h"

namespace aisle::test {
namespace {

constexpr uint64_t kParameters = 16;

class RestoredChainTest : public ::testing::Test {
 protected:
  Status BackUp(const std::string& to, const std::string& since = "") {
    AISLE_ASSIGN_OR_RETURN(cli::BackupWriter writer, cli::BackupWriter::Open(folder_.File(to), since));
    Call call;
    v1::BackUpRequest request;
    for (const Digest& blob : writer.blobs()) request.add_have_blobs(std::string(blob.view()));
    const auto reader = headquarters_.admin().BackUp(&call, request);
    v1::BackUpResponse message;
    while (reader->Read(&message)) AISLE_RETURN_IF_ERROR(writer.Take(message));
    AISLE_RETURN_IF_ERROR(FromGrpc(reader->Finish()));
    AISLE_RETURN_IF_ERROR(writer.Finish());
    sent_ = writer.bytes();
    return OkStatus();
  }
  // The coordinator is lost; another machine takes its place.
  void LoseAndRestore(const std::string& backup) {
    const StatusOr<uint64_t> restored = cli::RestoreBackup(folder_.File(backup), folder_.File("elsewhere"));
    ASSERT_TRUE(restored.ok()) << restored.status();
    headquarters_.MoveTo(folder_.File("elsewhere"));
  }
  void Commit(LiveStore& store) {
    const std::string update = UpdateOfLength(kParameters);
    ASSERT_TRUE(store.TrainUpTo(update).ok());
    ASSERT_TRUE(store.Upload(update).ok());
    const auto closed = store.CheckIn(v1::STORE_STANDING_UPLOADED);
    ASSERT_TRUE(closed.ok() && closed->has_closed()) << closed.status();
    version_ = closed->closed().model_version();
  }
  // As the coordinator would renew it an hour later: certificates tell whole seconds, and this test takes fewer.
  TlsIdentity RenewedLater(const TlsIdentity& identity) {
    KeyPair key = KeyPair::Generate().value();
    Certificate certificate =
        headquarters_.authority()
            .IssueFromCsr(MakeCsr(key).value(), {identity.certificate.identity(), absl::Hours(73), {}}, absl::Now(),
                          random_)
            .value();
    return {.ca_pem = identity.ca_pem, .certificate = std::move(certificate), .key = std::move(key)};
  }
  StatusOr<v1::Round> Round(uint32_t number) {
    Call call;
    v1::GetRoundRequest request;
    request.mutable_round()->set_job("demand");
    request.mutable_round()->set_number(number);
    v1::Round round;
    AISLE_RETURN_IF_ERROR(FromGrpc(headquarters_.admin().GetRound(&call, request, &round)));
    return round;
  }
  StatusOr<v1::Model> Model(uint64_t version) {
    Call call;
    v1::GetModelRequest request;
    request.set_job("demand");
    request.set_version(version);
    v1::Model model;
    AISLE_RETURN_IF_ERROR(FromGrpc(headquarters_.admin().GetModel(&call, request, &model)));
    return model;
  }
  StatusCode CheckInCode(const TlsIdentity& identity) {
    LiveStore store(headquarters_, identity);
    v1::CheckInRequest greeting = store.Greeting();
    greeting.set_willing(false);
    greeting.set_wait_max_ms(1);
    return store.CheckIn(greeting).status().code();
  }

  const TemporaryFolder folder_;
  LiveHeadquarters headquarters_;
  SecureRandom random_;
  uint64_t version_ = 0;
  uint64_t sent_ = 0;
};

TEST_F(RestoredChainTest, StoresCarryOnAndNothingIsNamedTwice) {
  const TlsIdentity leeds = headquarters_.Enrol("leeds-01");
  const TlsIdentity york = headquarters_.Enrol("york-02");
  const std::string unused = headquarters_.Invite("hull-03").code();
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kParameters, 9).ok());
  LiveStore store(headquarters_, leeds);
  Commit(store);
  EXPECT_EQ(version_, 1U);
  const std::string first_weights = Model(1)->weights().sha256();
  ASSERT_TRUE(store.TrainUpTo(UpdateOfLength(kParameters)).ok());  // Round 2 is open, with this store in it.
  ASSERT_TRUE(BackUp("monday").ok());

  // The chain goes on: round 2 is committed, keys are renewed, a store joins, a code is used.
  ASSERT_TRUE(store.Upload(UpdateOfLength(kParameters)).ok());
  Commit(store);
  EXPECT_EQ(version_, 3U);
  const TlsIdentity leeds_renewed = RenewedLater(leeds);
  const TlsIdentity late = headquarters_.Enrol("whitby-04");
  ASSERT_TRUE(headquarters_.SubmitJob("promo", kParameters, 2).ok());

  LoseAndRestore("monday");
  EXPECT_EQ(Round(1)->phase(), v1::ROUND_PHASE_COMMITTED);
  EXPECT_EQ(Round(2)->phase(), v1::ROUND_PHASE_ABORTED);
  EXPECT_EQ(Round(2)->abort_reason().find("restored: "), 0U);
  EXPECT_EQ(Model(0)->version(), 1U);
  EXPECT_EQ(Model(1)->weights().sha256(), first_weights);
  EXPECT_EQ(Model(2).status().code(), StatusCode::kNotFound);

  // Whoever was known, renewed or joined since is let in; what was void stays so.
  EXPECT_EQ(CheckInCode(leeds_renewed), StatusCode::kOk);
  EXPECT_EQ(CheckInCode(leeds), StatusCode::kUnauthenticated) << "an older certificate than the one seen since";
  EXPECT_EQ(CheckInCode(york), StatusCode::kOk);
  EXPECT_EQ(CheckInCode(late), StatusCode::kOk);
  EXPECT_FALSE(headquarters_.Redeem(unused).ok()) << "it may have been used after the backup";

  // A store in a round that this coordinator never knew is told that it is over.
  LiveStore after(headquarters_, leeds_renewed);
  after.round.set_job("demand");
  after.round.set_number(4);
  const auto told = after.CheckIn(v1::STORE_STANDING_TRAINED);
  ASSERT_TRUE(told.ok() && told->has_closed()) << told.status();
  EXPECT_EQ(told->closed().outcome(), v1::ROUND_OUTCOME_ABORTED);

  Commit(after);
  EXPECT_GT(after.round.number(), kNumbersPerMinute);
  EXPECT_GT(version_, kNumbersPerMinute) << "versions 2 and 3 were other models";
  EXPECT_EQ(Model(0)->version(), version_);

  // A job that the backup doesn't know is submitted again under its name: its numbers are new as well.
  ASSERT_TRUE(headquarters_.SubmitJob("promo", kParameters, 2).ok());
  LiveStore other(headquarters_, york);
  for (int round = 0; round < 20 && other.round.job() != "promo"; ++round) Commit(other);
  EXPECT_EQ(other.round.job(), "promo");
  EXPECT_GT(other.round.number(), kNumbersPerMinute);
  EXPECT_GT(version_, kNumbersPerMinute);
}

TEST_F(RestoredChainTest, AStoreRevokedBeforeTheBackupStaysRevoked) {
  const TlsIdentity leeds = headquarters_.Enrol("leeds-01");
  ASSERT_TRUE(headquarters_.Revoke("leeds-01", "stolen").ok());
  ASSERT_TRUE(BackUp("monday").ok());
  LoseAndRestore("monday");
  EXPECT_EQ(CheckInCode(leeds), StatusCode::kPermissionDenied);
}

TEST_F(RestoredChainTest, TheSecondBackupFetchesOnlyWhatIsNew) {
  ASSERT_TRUE(headquarters_.SubmitJob("demand", 100'000).ok());
  ASSERT_TRUE(BackUp("monday").ok());
  const uint64_t whole = sent_;
  ASSERT_TRUE(BackUp("tuesday", folder_.File("monday")).ok());
  EXPECT_LT(sent_, whole / 4);
  std::filesystem::remove_all(folder_.File("monday"));  // Each is whole by itself.
  LoseAndRestore("tuesday");
  EXPECT_TRUE(headquarters_.FleetOf(headquarters_.Enrol("leeds-01")) != nullptr);
}

TEST_F(RestoredChainTest, ADamagedBackupIsRefusedByName) {
  ASSERT_TRUE(headquarters_.SubmitJob("demand", kParameters).ok());
  ASSERT_TRUE(BackUp("monday").ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.File("monday/blobs"))) {
    if (!entry.is_regular_file()) continue;
    std::ofstream(entry.path(), std::ios::in | std::ios::out) << "\xff";
    const Status refused = cli::RestoreBackup(folder_.File("monday"), folder_.File("elsewhere")).status();
    EXPECT_EQ(refused.code(), StatusCode::kDataLoss);
    EXPECT_NE(MessageOf(refused).find(entry.path().filename().string()), std::string_view::npos) << refused;
    break;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.File("elsewhere"))) << "all of it or nothing";
}

TEST_F(RestoredChainTest, NeverOverwritesAndNeverTakesHalfABackup) {
  ASSERT_TRUE(BackUp("monday").ok());
  EXPECT_EQ(BackUp("monday").code(), StatusCode::kAlreadyExists);
  ASSERT_TRUE(cli::RestoreBackup(folder_.File("monday"), folder_.File("elsewhere")).ok());
  EXPECT_EQ(cli::RestoreBackup(folder_.File("monday"), folder_.File("elsewhere")).status().code(),
            StatusCode::kAlreadyExists);
  std::filesystem::remove(folder_.File("monday/backup.toml"));
  EXPECT_EQ(cli::RestoreBackup(folder_.File("monday"), folder_.File("another")).status().code(), StatusCode::kNotFound);
}

TEST_F(RestoredChainTest, OnlyAdministratorsGetABackup) {
  Call call;
  const std::shared_ptr<grpc::ChannelInterface> channel = headquarters_.Connect(headquarters_.Enrol("leeds-01"));
  const auto admin = v1::Admin::NewStub(channel);
  const auto reader = admin->BackUp(&call, {});
  v1::BackUpResponse message;
  EXPECT_FALSE(reader->Read(&message));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(RestoredChainTest, AReceiverThatHangsUpLetsTheNextOneIn) {
  {
    Call call;
    const auto reader = headquarters_.admin().BackUp(&call, {});
    v1::BackUpResponse message;
    ASSERT_TRUE(reader->Read(&message));
    call.TryCancel();
    (void)reader->Finish();
  }
  Status again = BackUp("monday");  // The server may not have heard of it yet.
  for (int i = 0; i < 1000 && again.code() == StatusCode::kFailedPrecondition; ++i) again = BackUp("monday");
  EXPECT_TRUE(again.ok()) << again;
}

}  // namespace
}  // namespace aisle::test

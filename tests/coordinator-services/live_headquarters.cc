#include "tests/coordinator-services/live_headquarters.h"

#include <absl/time/clock.h>

#include "aggregation/weights.h"
#include "base/net/credentials.h"
#include "base/net/status_conversion.h"
#include "base/net/transport.h"
#include "plans/bundle.h"
#include "plans/initial_weights.h"

namespace aisle::test {
namespace {

std::string PlanText(uint64_t parameters, const LiveCohort& cohort) {
  return fmt::format(R"(
[plan]
name = "live"
version = 1
source = "live.py"
[tables.sales.columns]
week = {{type = "int64", range = [0, 200]}}
[training]
optimizer = "sgd"
learning_rate = 0.1
[privacy]
secure_sum = {}
mode = "store"
clip_norm = 1.0
noise_multiplier = 1.0
delta = 1e-6
rounds_max = 100
[cohort]
min = {}
target = {}
over_selection = 1.0
[server]
optimizer = "fedavg"
[[parameters]]
name = "weights"
shape = [{}]
init = "zeros"
)",
                     cohort.secure_sum, cohort.min, cohort.target, parameters);
}

}  // namespace

Call::Call() { set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60))); }

LiveHeadquarters::LiveHeadquarters(const CoordinatorPolicy& policy, std::string data)
    : policy_(policy), data_(data.empty() ? folder_.File("data") : std::move(data)) {
  SecureRandom random;
  const Status made = InitChain(
      {.folder = folder_.File("identity"), .name = *ChainName::Parse("northwind"), .server_names = {"127.0.0.1"}},
      absl::Now(), random);
  EXPECT_TRUE(made.ok()) << made;
  Restart();
}

void LiveHeadquarters::Restart() {
  server_.reset();
  server_ = CoordinatorServer::Start(config()).value();
  admin_ = v1::Admin::NewStub(Connect(LoadAdmin(ChainPaths{folder_.File("identity")}).value()));
}

void LiveHeadquarters::MoveTo(std::string data) {
  data_ = std::move(data);
  Restart();
}

CoordinatorConfig LiveHeadquarters::config() const {
  return {.listen = "127.0.0.1:0",
          .metrics_listen = "127.0.0.1:0",
          .data = data_,
          .identity = folder_.File("identity"),
          .policy = policy_};
}

std::shared_ptr<grpc::Channel> LiveHeadquarters::Connect(const TlsIdentity& identity) const {
  return OpenChannel({.address = fmt::format("127.0.0.1:{}", server_->port()), .own_connection = true},
                     MakeChannelCredentials(identity).value())
      .value();
}

std::unique_ptr<v1::Fleet::Stub> LiveHeadquarters::FleetOf(const TlsIdentity& identity) const {
  return v1::Fleet::NewStub(Connect(identity));
}

std::unique_ptr<v1::Fleet::Stub> LiveHeadquarters::Stranger() const {
  const std::string root = authority().root_pem();
  return v1::Fleet::NewStub(
      OpenChannel({.address = fmt::format("127.0.0.1:{}", server_->port())}, MakeEnrolmentCredentials(root).value())
          .value());
}

v1::AddStoreResponse LiveHeadquarters::Invite(const std::string& store) { return TryInvite(store).value(); }

StatusOr<v1::AddStoreResponse> LiveHeadquarters::TryInvite(const std::string& store) {
  Call call;
  v1::AddStoreRequest request;
  request.set_store(store);
  v1::AddStoreResponse invited;
  AISLE_RETURN_IF_ERROR(FromGrpc(admin_->AddStore(&call, request, &invited)));
  return invited;
}

StatusOr<TlsIdentity> LiveHeadquarters::Redeem(const std::string& code) {
  KeyPair key = KeyPair::Generate().value();
  Call call;
  v1::EnrolRequest request;
  request.set_code(code);
  request.set_csr_pem(MakeCsr(key).value());
  v1::EnrolResponse enrolled;
  AISLE_RETURN_IF_ERROR(FromGrpc(Stranger()->Enrol(&call, request, &enrolled)));
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(enrolled.certificate_pem()));
  return TlsIdentity{.ca_pem = enrolled.ca_pem(), .certificate = std::move(certificate), .key = std::move(key)};
}

TlsIdentity LiveHeadquarters::Enrol(const std::string& store) { return Redeem(Invite(store).code()).value(); }

Status LiveHeadquarters::Revoke(const std::string& store, const std::string& reason) {
  Call call;
  v1::RevokeStoreRequest request;
  request.set_store(store);
  request.set_reason(reason);
  v1::Store revoked;
  return FromGrpc(admin_->RevokeStore(&call, request, &revoked));
}

Status LiveHeadquarters::Reinstate(const std::string& store) {
  Call call;
  v1::ReinstateStoreRequest request;
  request.set_store(store);
  v1::Store reinstated;
  return FromGrpc(admin_->ReinstateStore(&call, request, &reinstated));
}

Status LiveHeadquarters::PutBlob(std::string_view bytes) {
  Call call;
  v1::PutBlobResponse response;
  const auto writer = admin_->PutBlob(&call, &response);
  v1::PutBlobRequest message;
  message.mutable_blob()->set_sha256(std::string(Sha256::Of(bytes).view()));
  message.mutable_blob()->set_size_bytes(bytes.size());
  for (size_t at = 0; at < bytes.size(); at += kChunkSize) {
    message.set_data(std::string(bytes.substr(at, kChunkSize)));
    if (!writer->Write(message)) break;
    message.clear_blob();
  }
  writer->WritesDone();
  return FromGrpc(writer->Finish());
}

v1::SubmitJobRequest LiveHeadquarters::PrepareJob(const std::string& job, uint64_t parameters, uint32_t rounds,
                                                  const LiveCohort& cohort) {
  const std::string text = PlanText(parameters, cohort);
  const std::string weights = EncodeWeights(MakeInitialWeights(Plan::Parse(text).value()).value());
  const PlanBundle bundle =
      MakePlanBundle({.plan_toml = text, .kind = ProgramKind::kSource, .program = "# Never compiled."}, weights)
          .value();
  EXPECT_TRUE(PutBlob(weights).ok());
  EXPECT_TRUE(PutBlob(bundle.Encode()).ok());
  const SigningKey key = SigningKey::Load(ChainPaths{folder_.File("identity")}.plan_signing_key()).value();
  v1::SubmitJobRequest request;
  request.set_job(job);
  request.set_plan_sha256(std::string(bundle.digest().view()));
  request.set_plan_signature(SignPlan(key, bundle.digest()).value());
  request.set_rounds(rounds);
  return request;
}

Status LiveHeadquarters::SubmitJob(const std::string& job, uint64_t parameters, uint32_t rounds) {
  return SubmitJob(PrepareJob(job, parameters, rounds));
}

Status LiveHeadquarters::SubmitJob(const v1::SubmitJobRequest& request) {
  Call call;
  v1::Job submitted;
  return FromGrpc(admin_->SubmitJob(&call, request, &submitted));
}

v1::CheckInRequest LiveStore::Greeting(v1::StoreStanding standing) const {
  v1::CheckInRequest request;
  request.set_protocol_major(kProtocolMajor);
  request.set_protocol_minor(kProtocolMinor);
  request.set_agent_version("test");
  request.add_tables("sales");
  request.set_willing(true);
  request.set_standing(standing);
  if (standing != v1::STORE_STANDING_IDLE) *request.mutable_round() = round;
  request.set_wait_max_ms(20'000);
  request.set_clock_unix_ms(absl::ToUnixMillis(absl::Now()));
  return request;
}

StatusOr<v1::CheckInResponse> LiveStore::CheckIn(v1::StoreStanding standing) { return CheckIn(Greeting(standing)); }

StatusOr<v1::CheckInResponse> LiveStore::CheckIn(const v1::CheckInRequest& request) {
  Call call;
  v1::CheckInResponse response;
  AISLE_RETURN_IF_ERROR(FromGrpc(fleet->CheckIn(&call, request, &response)));
  return response;
}

StatusOr<v1::TrainInstruction> LiveStore::AskForTask() {
  for (;;) {
    AISLE_ASSIGN_OR_RETURN(const v1::CheckInResponse answer, CheckIn());
    if (!answer.has_train()) continue;
    round = answer.train().round();
    return answer.train();
  }
}

Status LiveStore::Report(const BlobName& update) {
  Call call;
  v1::ReportOutcomeRequest report;
  *report.mutable_round() = round;
  report.mutable_trained()->mutable_update()->set_sha256(std::string(update.digest.view()));
  report.mutable_trained()->mutable_update()->set_size_bytes(update.size);
  v1::ReportOutcomeResponse reported;
  return FromGrpc(fleet->ReportOutcome(&call, report, &reported));
}

Status LiveStore::TrainUpTo(const std::string& update) {
  AISLE_RETURN_IF_ERROR(AskForTask().status());
  AISLE_RETURN_IF_ERROR(Report({.digest = Sha256::Of(update), .size = update.size()}));
  AISLE_ASSIGN_OR_RETURN(const v1::CheckInResponse answer, CheckIn(v1::STORE_STANDING_TRAINED));
  return answer.has_collect() ? OkStatus() : Internal("{}", answer.ShortDebugString());
}

v1::UploadRequest LiveStore::FirstMessage(const std::string& update, std::string_view data) const {
  v1::UploadRequest message;
  *message.mutable_header()->mutable_round() = round;
  message.mutable_header()->set_sha256(std::string(Sha256::Of(update).view()));
  message.mutable_header()->set_size_bytes(update.size());
  message.set_data(std::string(data));
  return message;
}

StatusOr<v1::GetUploadStatusResponse> LiveStore::UploadStatus(const std::string& update) {
  Call call;
  v1::GetUploadStatusRequest request;
  *request.mutable_round() = round;
  request.set_sha256(std::string(Sha256::Of(update).view()));
  v1::GetUploadStatusResponse response;
  AISLE_RETURN_IF_ERROR(FromGrpc(fleet->GetUploadStatus(&call, request, &response)));
  return response;
}

Status LiveStore::Upload(const std::string& update) {
  std::vector<v1::UploadRequest> messages = {FirstMessage(update, update.substr(0, kChunkSize))};
  for (size_t at = kChunkSize; at < update.size(); at += kChunkSize) {
    messages.emplace_back().set_data(update.substr(at, kChunkSize));
  }
  return Upload(messages);
}

Status LiveStore::Upload(const std::vector<v1::UploadRequest>& messages) {
  Call call;
  v1::UploadResponse response;
  const auto writer = fleet->Upload(&call, &response);
  for (const v1::UploadRequest& message : messages) {
    if (!writer->Write(message)) break;  // Finish says why.
  }
  writer->WritesDone();
  AISLE_RETURN_IF_ERROR(FromGrpc(writer->Finish()));
  return response.complete() ? OkStatus() : DataLoss("{} bytes arrived", response.received_bytes());
}

std::string UpdateOfLength(uint64_t parameters) { return std::string(parameters * sizeof(uint32_t), '\1'); }

}  // namespace aisle::test

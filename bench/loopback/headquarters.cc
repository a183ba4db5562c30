#include "bench/loopback/headquarters.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <filesystem>

#include "aggregation/weights.h"
#include "aisle/v1/fleet.grpc.pb.h"
#include "base/fleet.h"
#include "base/identity/chain_folder.h"
#include "base/net/credentials.h"
#include "base/net/status_conversion.h"
#include "base/net/transport.h"
#include "base/storage/files.h"
#include "plans/bundle.h"
#include "plans/initial_weights.h"

namespace aisle {
namespace {

std::string PlanText(uint64_t length, uint32_t stores) {
  return fmt::format(R"(
[plan]
name = "bench"
version = 1
source = "bench.py"
[tables.rows.columns]
x = {{type = "int64", range = [0, 1]}}
[training]
optimizer = "sgd"
learning_rate = 0.1
[privacy]
secure_sum = false
mode = "store"
clip_norm = 1.0
noise_multiplier = 1.0
delta = 1e-5
rounds_max = 10000
[cohort]
min = {1}
target = {1}
over_selection = 1.0
[server]
optimizer = "fedavg"
[deadlines]
selecting = "5m"
training = "30m"
collecting = "30m"
[[parameters]]
name = "weights"
shape = [{0}]
init = "zeros"
)",
                     length, stores);
}

}  // namespace

std::string ProgramPath(std::string_view name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

StatusOr<std::unique_ptr<Headquarters>> Headquarters::Start() {
  std::unique_ptr<Headquarters> headquarters(new Headquarters);
  AISLE_RETURN_IF_ERROR(headquarters->MakeChain());
  const std::string config = headquarters->folder_.path() + "/coordinator.toml";
  AISLE_RETURN_IF_ERROR(WriteFileDurably(config,
                                         "listen = \"127.0.0.1:0\"\n"
                                         "metrics_listen = \"127.0.0.1:0\"\n"
                                         "identity = \"identity\"\n"
                                         "data = \"data\"\n"));
  AISLE_ASSIGN_OR_RETURN(headquarters->coordinator_,
                         Child::Start({ProgramPath("aisle-coordinator"), "--config", config}));
  AISLE_ASSIGN_OR_RETURN(const TlsIdentity admin, LoadTlsIdentity(ChainPaths{headquarters->identity_}.admin()));
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeChannelCredentials(admin));
  AISLE_ASSIGN_OR_RETURN(const auto channel,
                         OpenChannel({.address = headquarters->coordinator_->address()}, credentials));
  headquarters->admin_ = v1::Admin::NewStub(channel);
  return headquarters;
}

Status Headquarters::MakeChain() {
  identity_ = folder_.path() + "/identity";
  SecureRandom random;
  AISLE_ASSIGN_OR_RETURN(ChainName name, ChainName::Parse("bench"));
  return InitChain({.folder = identity_, .name = std::move(name), .server_names = {"127.0.0.1", "localhost"}},
                   absl::Now(), random);
}

StatusOr<v1::AddStoreResponse> Headquarters::Invite(const std::string& store) {
  v1::AddStoreRequest add;
  add.set_store(store);
  v1::AddStoreResponse invited;
  grpc::ClientContext adding;
  AISLE_RETURN_IF_ERROR(FromGrpc(admin_->AddStore(&adding, add, &invited)));
  return invited;
}

StatusOr<TlsIdentity> Headquarters::Enrol(const std::string& store) {
  AISLE_ASSIGN_OR_RETURN(const v1::AddStoreResponse invited, Invite(store));
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeEnrolmentCredentials(invited.ca_pem()));
  AISLE_ASSIGN_OR_RETURN(const auto channel, OpenChannel({.address = coordinator_->address()}, credentials));
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Generate());
  v1::EnrolRequest request;
  request.set_code(invited.code());
  AISLE_ASSIGN_OR_RETURN(*request.mutable_csr_pem(), MakeCsr(key));
  v1::EnrolResponse enrolled;
  grpc::ClientContext enrolling;
  AISLE_RETURN_IF_ERROR(FromGrpc(v1::Fleet::NewStub(channel)->Enrol(&enrolling, request, &enrolled)));
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(enrolled.certificate_pem()));
  return TlsIdentity{.ca_pem = enrolled.ca_pem(), .certificate = std::move(certificate), .key = std::move(key)};
}

Status Headquarters::PrepareJob(uint64_t length, uint32_t stores, uint32_t rounds) {
  const std::string text = PlanText(length, stores);
  AISLE_ASSIGN_OR_RETURN(const Plan plan, Plan::Parse(text));
  AISLE_ASSIGN_OR_RETURN(const Weights weights, MakeInitialWeights(plan));
  const std::string bytes = EncodeWeights(weights);
  weights_size_ = bytes.size();
  AISLE_ASSIGN_OR_RETURN(
      const PlanBundle bundle,
      MakePlanBundle({.plan_toml = text, .kind = ProgramKind::kSource, .program = "# Never compiled."}, bytes));
  AISLE_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Load(ChainPaths{identity_}.plan_signing_key()));
  job_.set_job("bench");
  job_.set_plan_sha256(std::string(bundle.digest().view()));
  AISLE_ASSIGN_OR_RETURN(*job_.mutable_plan_signature(), SignPlan(key, bundle.digest()));
  job_.set_rounds(rounds);
  AISLE_RETURN_IF_ERROR(PutBlob(bytes));
  return PutBlob(bundle.Encode());
}

Status Headquarters::PutBlob(std::string_view bytes) {
  grpc::ClientContext context;
  v1::PutBlobResponse response;
  const auto writer = admin_->PutBlob(&context, &response);
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

Status Headquarters::SubmitJob() {
  grpc::ClientContext context;
  v1::Job job;
  return FromGrpc(admin_->SubmitJob(&context, job_, &job));
}

StatusOr<v1::Overview> Headquarters::Overview() {
  grpc::ClientContext context;
  v1::Overview overview;
  AISLE_RETURN_IF_ERROR(FromGrpc(admin_->GetOverview(&context, {}, &overview)));
  return overview;
}

}  // namespace aisle

#include "bench/loopback/headquarters.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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
#include "coordinator/catalog/rocks_state_store.h"
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

// Below the ports that the system gives to connections: while the coordinator is down nobody else gets it, and no store
// that knocks there can meet itself.
StatusOr<int> FindFreePort() {
  constexpr int kFirst = 20'000;
  constexpr int kPorts = 10'000;
  for (int i = 0; i < kPorts; ++i) {
    const int port = kFirst + (::getpid() + i) % kPorts;
    const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return port;
  }
  return Unavailable("no port from {} to {} is free on 127.0.0.1", kFirst, kFirst + kPorts - 1);
}

}  // namespace

std::string ProgramPath(std::string_view name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

StatusOr<std::unique_ptr<Headquarters>> Headquarters::Start(const HeadquartersOptions& options) {
  std::unique_ptr<Headquarters> headquarters(new Headquarters);
  AISLE_RETURN_IF_ERROR(headquarters->MakeChain());
  AISLE_RETURN_IF_ERROR(headquarters->EnrolStores(options.stores));
  AISLE_ASSIGN_OR_RETURN(const int port, FindFreePort());
  AISLE_RETURN_IF_ERROR(WriteFileDurably(headquarters->ConfigPath(), fmt::format("listen = \"127.0.0.1:{}\"\n"
                                                                                 "metrics_listen = \"127.0.0.1:0\"\n"
                                                                                 "identity = \"identity\"\n"
                                                                                 "data = \"data\"\n{}",
                                                                                 port, options.settings)));
  AISLE_RETURN_IF_ERROR(headquarters->RestartCoordinator());
  return headquarters;
}

Status Headquarters::RestartCoordinator() {
  coordinator_.reset();
  AISLE_ASSIGN_OR_RETURN(coordinator_, Child::Start({ProgramPath("aisle-coordinator"), "--config", ConfigPath()}));
  AISLE_ASSIGN_OR_RETURN(const TlsIdentity admin, LoadTlsIdentity(ChainPaths{identity_}.admin()));
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeChannelCredentials(admin));
  AISLE_ASSIGN_OR_RETURN(const auto channel,
                         OpenChannel({.address = coordinator_->address(), .own_connection = true}, credentials));
  admin_ = v1::Admin::NewStub(channel);
  return OkStatus();
}

Status Headquarters::MakeChain() {
  identity_ = folder_.path() + "/identity";
  SecureRandom random;
  AISLE_ASSIGN_OR_RETURN(ChainName name, ChainName::Parse("bench"));
  return InitChain({.folder = identity_, .name = std::move(name), .server_names = {"127.0.0.1", "localhost"}},
                   absl::Now(), random);
}

// As if all had joined through the door, which would take ten thousand of them minutes: each in the record of its key,
// with a certificate of the chain's root.
Status Headquarters::EnrolStores(uint32_t count) {
  if (count == 0) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(const CertificateAuthority authority, LoadAuthority(ChainPaths{identity_}));
  AISLE_ASSIGN_OR_RETURN(const auto state, RocksStateStore::Open(folder() + "/data/state"));
  SecureRandom random;
  StateChange change;
  for (uint32_t i = 0; i < count; ++i) {
    AISLE_ASSIGN_OR_RETURN(StoreId store, StoreId::Parse(fmt::format("store-{}", i)));
    AISLE_ASSIGN_OR_RETURN(Identity identity, Identity::Make(authority.chain(), Role::kStore, store.str()));
    AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Generate());
    AISLE_ASSIGN_OR_RETURN(Certificate certificate,
                           authority.Issue(key, {std::move(identity), absl::Hours(72)}, absl::Now(), random));
    change.Put(StoreRecord{.id = std::move(store),
                           .state = StoreState::kEnrolled,
                           .key_current = key.digest(),
                           .certificate_not_after = certificate.not_after()});
    stores_.push_back({.ca_pem = authority.root_pem(), .certificate = std::move(certificate), .key = std::move(key)});
  }
  return state->Commit(change, Durability::kSynced);
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

Status Headquarters::SubmitJob(const std::string& job) {
  job_.set_job(job);
  grpc::ClientContext context;
  v1::Job submitted;
  return FromGrpc(admin_->SubmitJob(&context, job_, &submitted));
}

StatusOr<v1::ListJobsResponse> Headquarters::Jobs() {
  grpc::ClientContext context;
  v1::ListJobsResponse jobs;
  AISLE_RETURN_IF_ERROR(FromGrpc(admin_->ListJobs(&context, {}, &jobs)));
  return jobs;
}

StatusOr<v1::Overview> Headquarters::Overview() {
  grpc::ClientContext context;
  v1::Overview overview;
  AISLE_RETURN_IF_ERROR(FromGrpc(admin_->GetOverview(&context, {}, &overview)));
  return overview;
}

}  // namespace aisle

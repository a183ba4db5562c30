#include "coordinator/program/server.h"

#include <prometheus/registry.h>

#include <atomic>
#include <chrono>
#include <future>

#include "base/log.h"
#include "base/net/credentials.h"
#include "base/net/http_endpoint.h"
#include "base/net/process_metrics.h"
#include "base/net/transport.h"
#include "base/storage/files.h"
#include "base/version.h"
#include "coordinator/backup/backup.h"
#include "coordinator/backup/restoration.h"
#include "coordinator/catalog/rocks_state_store.h"
#include "coordinator/enrolment/identity_keeper.h"
#include "coordinator/services/admin_service.h"
#include "coordinator/services/fleet_service.h"

namespace aisle {
namespace {

// How long running calls may go on once the coordinator stops.
constexpr std::chrono::milliseconds kShutdownGrace{500};
// Uploads that end at the same time share the disk's syncs instead of queueing for one after another.
constexpr size_t kDiskThreads = 8;
// A blob that an administrator sent in part is kept so long for another try.
constexpr absl::Duration kPartialKept = absl::Hours(24);
constexpr absl::Duration kSweepEvery = absl::Hours(1);
constexpr absl::Duration kTendIdentityEvery = absl::Minutes(10);

struct Address {
  std::string host;
  int port = 0;
};

StatusOr<Address> ParseAddress(std::string_view key, const std::string& text) {
  const size_t colon = text.rfind(':');
  Address address{.host = text.substr(0, colon)};
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(port) > 65535) {
    return InvalidArgument("{} is '{}'; write it as \"127.0.0.1:9463\"", key, text);
  }
  address.port = std::stoi(port);
  return address;
}

// The folder's own plan key and whatever else the configuration names.
StatusOr<std::vector<VerifyKey>> LoadPlanKeys(const CoordinatorConfig& config) {
  std::vector<VerifyKey> keys;
  const std::string own = ChainPaths{config.identity}.plan_verify_key();
  if (FileExists(own)) {
    AISLE_ASSIGN_OR_RETURN(VerifyKey key, VerifyKey::Load(own));
    keys.push_back(std::move(key));
  }
  for (const std::string& path : config.plan_keys) {
    AISLE_ASSIGN_OR_RETURN(VerifyKey key, VerifyKey::Load(path));
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return NotFound("no plan key: neither {} nor plan_keys name one, so no job could ever run", own);
  return keys;
}

}  // namespace

// Members are destroyed from the last to the first.
struct CoordinatorServer::Parts {
  SecureRandom random;
  SystemClock clock;
  std::unique_ptr<IdentityKeeper> identity;  // On the workshop's thread once that serves.
  std::shared_ptr<const HouseIdentity> first_identity;
  std::unique_ptr<ServerIdentity> shown;
  std::vector<VerifyKey> plan_keys;
  std::unique_ptr<RocksStateStore> state;
  std::unique_ptr<BlobStore> blobs;
  std::unique_ptr<BackupDesk> backups;
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  CoordinatorMetrics metrics{registry};
  ThreadExecutor executor{"coordinator"};
  ThreadExecutor workshop{"workshop"};
  ThreadPool disk{"disk", kDiskThreads};
  std::unique_ptr<Coordinator> coordinator;
  std::unique_ptr<FleetService> fleet;
  std::unique_ptr<AdminService> admin;
  RunningServer server;
  std::atomic<bool> serving = false;
  std::unique_ptr<HttpEndpoint> http;

  ~Parts() {
    serving = false;
    http.reset();
    if (coordinator != nullptr) coordinator->Stop();
    if (server.server != nullptr) server.server->Shutdown(std::chrono::system_clock::now() + kShutdownGrace);
    server.server.reset();  // Waits for the last call, whose answers come from the executors.
    executor.Drain();       // Streams that have just ended are put away there.
    workshop.Shutdown();
    disk.Shutdown();
    executor.Shutdown();
  }

  Status OpenStorage(const CoordinatorConfig& config, const ChainName& chain) {
    AISLE_RETURN_IF_ERROR(MakeFolders(config.data));
    AISLE_ASSIGN_OR_RETURN(state, RocksStateStore::Open(config.data + "/state"));
    AISLE_RETURN_IF_ERROR(CarryOverIfRestored(config.data, chain, *state, absl::Now()));
    AISLE_ASSIGN_OR_RETURN(blobs, BlobStore::Open(config.data + "/blobs"));
    backups = std::make_unique<BackupDesk>(*state, *blobs, config.data);
    return MakeFolders(config.data + "/spool");
  }

  Status StartCoordinator(const CoordinatorConfig& config) {
    coordinator = std::make_unique<Coordinator>(Coordinator::Parts{.executor = executor,
                                                                   .workshop = workshop,
                                                                   .state = *state,
                                                                   .blobs = *blobs,
                                                                   .spool_folder = config.data + "/spool",
                                                                   .authority = *first_identity->issuer,
                                                                   .plan_keys = plan_keys,
                                                                   .random = random,
                                                                   .metrics = metrics,
                                                                   .credentials = CredentialsOf(*first_identity)},
                                                config.policy);
    coordinator->ChangeIdentity(first_identity);
    std::promise<Status> started;
    executor.Post([&] { started.set_value(coordinator->Start()); });
    return started.get_future().get();
  }

  // Now, and again every so often.
  void SweepPartials() {
    const StatusOr<uint64_t> freed = blobs->RemovePartials(workshop.Now() - kPartialKept);
    if (!freed.ok()) LogWarning("half-sent blobs were not removed: {}", MessageOf(freed.status()));
    if (freed.ok() && *freed > 0) LogInfo("{} bytes of half-sent blobs were removed", *freed);
    workshop.PostAt(workshop.Now() + kSweepEvery, [this] { SweepPartials(); });
  }

  // Now, and again every so often.
  void TendIdentity() {
    const StatusOr<bool> changed = identity->Tend();
    if (!changed.ok()) LogError("headquarters' identity can't be kept fresh: {}", MessageOf(changed.status()));
    if (changed.ok() && *changed) {
      coordinator->ChangeIdentity(identity->present());
      if (const Status shows = shown->Change(identity->present()->own); !shows.ok()) LogError("{}", MessageOf(shows));
    }
    workshop.PostAt(workshop.Now() + kTendIdentityEvery, [this] { TendIdentity(); });
  }

  Status Listen(const CoordinatorConfig& config) {
    AISLE_ASSIGN_OR_RETURN(const Address metrics_address, ParseAddress("metrics_listen", config.metrics_listen));
    AISLE_ASSIGN_OR_RETURN(shown, ServerIdentity::Make(first_identity->own));
    const ChainName chain = first_identity->issuer->chain();
    fleet = std::make_unique<FleetService>(*coordinator, chain, executor, disk, plan_keys);
    admin = std::make_unique<AdminService>(*coordinator, *blobs, *backups, disk, chain, executor);
    grpc::ServerBuilder builder;
    ApplyServerLimits(builder);
    builder.RegisterService(fleet.get());
    builder.RegisterService(admin.get());
    AISLE_ASSIGN_OR_RETURN(server, StartServer(builder, config.listen, shown->credentials()));
    serving = true;
    AISLE_ASSIGN_OR_RETURN(
        http, HttpEndpoint::Start({.host = metrics_address.host,
                                   .port = metrics_address.port,
                                   .metrics = {registry, MakeProcessMetrics("coordinator", Version())},
                                   .readiness = [this] { return serving ? OkStatus() : Unavailable("not serving"); }}));
    return OkStatus();
  }
};

CoordinatorServer::CoordinatorServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
CoordinatorServer::~CoordinatorServer() = default;

StatusOr<std::unique_ptr<CoordinatorServer>> CoordinatorServer::Start(const CoordinatorConfig& config) {
  auto parts = std::make_unique<Parts>();
  AISLE_ASSIGN_OR_RETURN(parts->identity,
                         IdentityKeeper::Open(ChainPaths{config.identity}, parts->clock, parts->random));
  parts->first_identity = parts->identity->present();
  AISLE_ASSIGN_OR_RETURN(parts->plan_keys, LoadPlanKeys(config));
  AISLE_RETURN_IF_ERROR(parts->OpenStorage(config, parts->first_identity->issuer->chain()));
  AISLE_RETURN_IF_ERROR(parts->StartCoordinator(config));
  parts->SweepPartials();
  AISLE_RETURN_IF_ERROR(parts->Listen(config));
  parts->workshop.Post([parts = parts.get()] { parts->TendIdentity(); });
  return std::unique_ptr<CoordinatorServer>(new CoordinatorServer(std::move(parts)));
}

int CoordinatorServer::port() const { return parts_->server.port; }
int CoordinatorServer::metrics_port() const { return parts_->http->port(); }

}  // namespace aisle

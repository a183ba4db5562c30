#include "store-agent/program/agent.h"

#include <algorithm>
#include <utility>

#include "base/executor.h"
#include "base/log.h"
#include "base/net/http_endpoint.h"
#include "base/net/process_metrics.h"
#include "base/version.h"
#include "store-agent/driver/agent_driver.h"
#include "store-agent/ingest/drop_folder.h"
#include "store-agent/program/certificate_keeper.h"
#include "store-agent/program/folder_lock.h"
#include "store-agent/program/hours_watch.h"
#include "store-agent/program/joining.h"
#include "store-agent/sum/site_sum_steps.h"
#include "store-agent/tables/store_key.h"
#include "store-agent/task/site_task_steps.h"
#include "store-agent/transfer/grpc_fleet_link.h"

namespace aisle {
namespace {

// Headquarters may answer this rarely before /readyz says no: the longest pause it can ask for, and some.
absl::Duration SilenceMax() { return agent::kComeBackMax + absl::Minutes(5); }

constexpr absl::Duration kRetentionEvery = absl::Hours(24);

struct Address {
  std::string host;
  int port = 0;
};

StatusOr<Address> ParseAddress(std::string_view key, const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(port) > 65535) {
    return InvalidArgument("{} is '{}'; write it as \"127.0.0.1:9464\"", key, text);
  }
  return Address{.host = text.substr(0, colon), .port = std::stoi(port)};
}

// What the check-in says of this site.
class OpenSite final : public Site {
 public:
  OpenSite(const Schema& schema, const SitePolicy& policy, const ByteMeter& meter, LedgerFile& ledger,
           AgentMetrics& metrics)
      : schema_(schema), policy_(policy), meter_(meter), ledger_(ledger), metrics_(metrics) {
    metrics_.LedgerHalted(ledger_.halted().has_value());
  }

  std::vector<TableName> tables() const override {
    std::vector<TableName> names;
    for (const TableSchema& table : schema_.tables) names.push_back(table.name);
    return names;
  }
  bool IsWilling(absl::Time now) const override {
    return policy_.hours.IsOpen(now) && meter_.today() < policy_.bytes_per_day && !ledger_.halted();
  }
  std::optional<LedgerClaim> ledger() const override { return ledger_.claim(); }
  void CompareLedger(const std::optional<LedgerHead>& acknowledged) override {
    ledger_.Compare(acknowledged);
    metrics_.LedgerHalted(ledger_.halted().has_value());
  }

 private:
  const Schema& schema_;
  const SitePolicy& policy_;
  const ByteMeter& meter_;
  LedgerFile& ledger_;
  AgentMetrics& metrics_;
};

}  // namespace

// Members are destroyed from the last to the first.
struct Agent::Parts {
  std::optional<FolderLock> lock;
  SecureRandom random;
  SystemClock clock;
  AgentMetrics metrics;
  SitePolicy policy;
  Schema schema;
  std::unique_ptr<TableStore> tables;
  std::unique_ptr<LedgerFile> ledger;
  std::optional<HomeStore> home_store;
  std::optional<BlobCache> cache;
  std::optional<Spool> spool;
  std::optional<TrainingFolder> trainings;
  std::unique_ptr<ByteMeter> meter;
  std::unique_ptr<GrpcFleetLink> link;
  std::unique_ptr<CertificateKeeper> certificate;
  std::unique_ptr<OpenSite> site;
  std::unique_ptr<SiteTaskSteps> steps;
  std::optional<CohortFiles> cohorts;
  std::unique_ptr<SiteSumSteps> sum;
  std::unique_ptr<AgentDriver> driver;
  std::unique_ptr<HoursWatch> hours;
  ThreadExecutor own{"agent"};
  ThreadExecutor asking{"asking"};
  ThreadExecutor working{"working"};
  std::unique_ptr<DropFolder> drop_folder;
  std::unique_ptr<HttpEndpoint> http;

  ~Parts() {
    http.reset();
    drop_folder.reset();
    if (driver != nullptr) driver->Stop();
    own.Drain();  // The open calls are being cut; nothing new begins.
    asking.Shutdown();
    working.Shutdown();
    own.Shutdown();
    if (meter != nullptr) (void)meter->Save();
  }

  Status OpenFolders(const AgentConfig& config) {
    AISLE_ASSIGN_OR_RETURN(lock, FolderLock::Take(config.data));
    AISLE_ASSIGN_OR_RETURN(policy, SitePolicy::ParseFile(config.policy));
    AISLE_ASSIGN_OR_RETURN(schema, Schema::ParseFile(config.tables));
    AISLE_ASSIGN_OR_RETURN(tables, TableStore::Open(config.data + "/tables", schema, random));
    AISLE_ASSIGN_OR_RETURN(cache, BlobCache::Open(config.data + "/cache"));
    AISLE_ASSIGN_OR_RETURN(spool, Spool::Open(config.data + "/spool"));
    AISLE_ASSIGN_OR_RETURN(cohorts, CohortFiles::Open(config.data + "/cohorts"));
    AISLE_RETURN_IF_ERROR(OpenTrainings(config));
    meter = std::make_unique<ByteMeter>(config.data + "/bytes-today", clock);
    return OkStatus();
  }

  Status OpenTrainings(const AgentConfig& config) {
    AISLE_ASSIGN_OR_RETURN(const SecretBytes key, LoadStoreKey(config.data + "/tables/store.key", false, random));
    AISLE_ASSIGN_OR_RETURN(trainings, TrainingFolder::Open(config.data + "/training", key, config.checkpoint_every));
    return OkStatus();
  }

  Status Join(const AgentConfig& config, const std::function<bool()>& stopping) {
    const std::string folder = config.data + "/identity";
    AISLE_ASSIGN_OR_RETURN(
        Membership membership,
        JoinPatiently({.folder = folder, .invitation = config.enrolment, .coordinator = config.coordinator}, random,
                      stopping));
    AISLE_ASSIGN_OR_RETURN(ledger, LedgerFile::OpenOrHalt(config.data + "/ledger", membership.store, clock.Now()));
    AISLE_RETURN_IF_ERROR(FindHomes(config, membership.store));
    const std::string address = config.coordinator.empty() ? membership.coordinator : config.coordinator;
    AISLE_ASSIGN_OR_RETURN(link, GrpcFleetLink::Open({.address = address}, membership.identity));
    link->CountOn(*meter);
    LogInfo("this is {} of {}; headquarters is {}", membership.store, membership.identity.certificate.identity().chain,
            address);
    certificate = std::make_unique<CertificateKeeper>(
        folder, std::move(membership), *link,
        [this](const TlsIdentity& identity) { return link->ChangeIdentity(identity); }, metrics, clock, random);
    return OkStatus();
  }

  Status FindHomes(const AgentConfig& config, const StoreId& store) {
    if (policy.customers.candidates.empty()) return OkStatus();
    const std::string path = ChainCustomerKeyPath(config.data + "/tables");
    if (!FileExists(path)) {
      return FailedPrecondition("the site policy has a home-store rule, which needs the chain's key of customers in {}",
                                path);
    }
    AISLE_ASSIGN_OR_RETURN(const SecretBytes key, LoadStoreKey(path, false, random));
    AISLE_ASSIGN_OR_RETURN(home_store, HomeStore::Make(store, policy.customers.candidates, key));
    return OkStatus();
  }

  Status Work(const AgentConfig& config) {
    site = std::make_unique<OpenSite>(schema, policy, *meter, *ledger, metrics);
    steps = std::make_unique<SiteTaskSteps>(SiteParts{.cache = *cache,
                                                      .spool = *spool,
                                                      .meter = *meter,
                                                      .tables = *tables,
                                                      .schema = schema,
                                                      .policy = policy,
                                                      .ledger = *ledger,
                                                      .metrics = metrics,
                                                      .clock = clock,
                                                      .random = random,
                                                      .plan_keys = [this] { return certificate->plan_keys(); },
                                                      .worker_program = config.worker,
                                                      .home_store = home_store ? &*home_store : nullptr,
                                                      .trainings = &*trainings});
    sum = std::make_unique<SiteSumSteps>(SumParts{
        .cohorts = *cohorts, .spool = *spool, .policy = policy, .clock = clock, .random = random, .identity = [this] {
          return certificate->identity();
        }});
    driver = std::make_unique<AgentDriver>(AgentParts{.own = own,
                                                      .asking = asking,
                                                      .working = working,
                                                      .link = *link,
                                                      .cache = *cache,
                                                      .spool = *spool,
                                                      .meter = *meter,
                                                      .steps = *steps,
                                                      .sum = *sum,
                                                      .site = *site,
                                                      .metrics = metrics,
                                                      .random = random,
                                                      .before_call = [this] { certificate->Tend(); }},
                                           AgentSettings{.record_path = config.data + "/task",
                                                         .agent_version = std::string(Version()),
                                                         .cache_size_max = config.cache_size_max,
                                                         .worker_idle = config.worker_idle});
    AISLE_RETURN_IF_ERROR(TakeInFiles(config));
    hours = std::make_unique<HoursWatch>(own, policy.hours, random, [this] { driver->SiteChanged(); });
    own.Post([this] {
      hours->Watch();
      DropOldRows();
    });
    return driver->Start();
  }

  Status TakeInFiles(const AgentConfig& config) {
    const auto on_file = [this](const IngestReport& report) {
      LogInfo("{}", Summary(report));
      metrics.Ingested(IngestResult::kAdded, report.rows_added);
      metrics.Ingested(IngestResult::kKnown, report.rows_known);
      metrics.Ingested(IngestResult::kQuarantined, report.rows_quarantined);
      if (report.rows_added > 0) driver->SiteChanged();
    };
    const auto on_error = [](const std::string& path, const Status& status) {
      LogError("{} stays in the inbox: {}", path, MessageOf(status));
    };
    AISLE_ASSIGN_OR_RETURN(drop_folder, DropFolder::Start({.folder = config.drop_folder}, *tables,
                                                          {.on_file = on_file, .on_error = on_error}));
    return OkStatus();
  }

  void DropOldRows() {
    working.Post([this] {
      const StatusOr<uint64_t> dropped = tables->DropExpired(clock.Now());
      if (!dropped.ok()) LogError("old rows can't be dropped: {}", MessageOf(dropped.status()));
      if (dropped.ok() && *dropped > 0) LogInfo("{} rows were older than their table keeps them", *dropped);
    });
    own.PostAt(own.Now() + kRetentionEvery, [this] { DropOldRows(); });
  }

  Status Readiness() const {
    if (clock.Now() - driver->last_answer() <= SilenceMax()) return OkStatus();
    return Unavailable("headquarters has not answered a check-in yet, or not for {}",
                       aisle::FormatDuration(SilenceMax()));
  }

  Status ServeMetrics(const AgentConfig& config) {
    AISLE_ASSIGN_OR_RETURN(const Address address, ParseAddress("metrics_listen", config.metrics_listen));
    AISLE_ASSIGN_OR_RETURN(http,
                           HttpEndpoint::Start({.host = address.host,
                                                .port = address.port,
                                                .metrics = {metrics.registry(), MakeProcessMetrics("agent", Version())},
                                                .readiness = [this] { return Readiness(); }}));
    return OkStatus();
  }
};

Agent::Agent(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Agent::~Agent() = default;

StatusOr<std::unique_ptr<Agent>> Agent::Start(const AgentConfig& config, const std::function<bool()>& stopping) {
  auto parts = std::make_unique<Parts>();
  AISLE_RETURN_IF_ERROR(parts->OpenFolders(config));
  AISLE_RETURN_IF_ERROR(parts->Join(config, stopping));
  AISLE_RETURN_IF_ERROR(parts->Work(config));
  AISLE_RETURN_IF_ERROR(parts->ServeMetrics(config));
  return std::unique_ptr<Agent>(new Agent(std::move(parts)));
}

int Agent::metrics_port() const { return parts_->http->port(); }

}  // namespace aisle

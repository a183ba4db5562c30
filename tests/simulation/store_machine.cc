#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "base/storage/files.h"
#include "store-agent/driver/agent_driver.h"
#include "store-agent/sum/site_sum_steps.h"
#include "tests/simulation/link.h"
#include "tests/simulation/machines.h"
#include "tests/simulation/scripted_site.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

// The real steps of the secure sum; tells what was masked.
class WatchedSum final : public SumSteps {
 public:
  WatchedSum(SumParts parts, std::function<void(const agent::TakeSumStep&, const BlobName&)> masked)
      : steps_(std::move(parts)), masked_(std::move(masked)) {}

  std::variant<SumMessage, TaskEnd> Say(const agent::TakeSumStep& step) override { return steps_.Say(step); }
  std::variant<BlobName, TaskEnd> Mask(const agent::TakeSumStep& step) override {
    auto masked = steps_.Mask(step);
    if (const auto* vector = std::get_if<BlobName>(&masked)) masked_(step, *vector);
    return masked;
  }
  Status Forget(const RoundId& round) override { return steps_.Forget(round); }
  Status ForgetAllBut(const std::optional<RoundId>& round) override { return steps_.ForgetAllBut(round); }

 private:
  SiteSumSteps steps_;
  const std::function<void(const agent::TakeSumStep&, const BlobName&)> masked_;
};

TlsIdentity CopyOf(const TlsIdentity& identity) {
  return {.ca_pem = identity.ca_pem, .certificate = identity.certificate, .key = identity.key.Clone()};
}

}  // namespace

struct StoreMachine::Running {
  Running(Lane& own_lane, Lane& asking_lane, Lane& working_lane)
      : own(own_lane), asking(asking_lane), working(working_lane) {}

  Lane& own;
  Lane& asking;
  Lane& working;
  SitePolicy policy;
  AgentMetrics metrics;
  std::unique_ptr<RandomSource> random;
  std::unique_ptr<RandomSource> dice;
  std::optional<BlobCache> cache;
  std::optional<Spool> spool;
  std::optional<CohortFiles> cohorts;
  std::unique_ptr<ByteMeter> meter;
  std::unique_ptr<LedgerFile> ledger;
  std::unique_ptr<Link> link;
  std::unique_ptr<ScriptedSite> site;
  std::unique_ptr<ScriptedTrainer> trainer;
  std::unique_ptr<WatchedSum> sum;
  std::unique_ptr<AgentDriver> driver;
};

StoreMachine::StoreMachine(World& world, const StoreId& id) : Machine(world, id.str()), id_(id) {}

StoreMachine::~StoreMachine() { Kill(); }

const LedgerFile* StoreMachine::ledger() const { return running_ == nullptr ? nullptr : running_->ledger.get(); }

void StoreMachine::SetWilling(bool willing) {
  willing_ = willing;
  if (running_ != nullptr && running_->driver != nullptr) running_->driver->SiteChanged();
}

void StoreMachine::SetIdentity(TlsIdentity identity) { identity_ = std::move(identity); }

const Certificate& StoreMachine::certificate() const { return identity_->certificate; }

SpendingCaps StoreMachine::caps() const {
  const double cap = world().scenario().plan.floor_cap;
  return {.floor_per_year = cap, .aggregate_per_year = cap, .floor_ever = cap, .delta = 1e-6};
}

Status StoreMachine::Boot() {
  running_ = std::make_unique<Running>(process().AddLane(false), process().AddLane(true), process().AddLane(true));
  Running& now = *running_;
  now.random = world().RandomFor(name() + "/secrets");
  now.dice = world().RandomFor(name() + "/dice");
  now.policy.caps = caps();
  AISLE_ASSIGN_OR_RETURN(now.cache, BlobCache::Open(disk().File("cache")));
  AISLE_ASSIGN_OR_RETURN(now.spool, Spool::Open(disk().File("spool")));
  AISLE_ASSIGN_OR_RETURN(now.cohorts, CohortFiles::Open(disk().File("cohorts")));
  now.meter = std::make_unique<ByteMeter>(disk().File("bytes-today"), clock());
  AISLE_ASSIGN_OR_RETURN(now.ledger, LedgerFile::OpenOrHalt(disk().File("ledger"), id_, clock().Now()));
  Work();
  AISLE_RETURN_IF_ERROR(now.driver->Start());
  world().ForChecks([this](Check& check) { check.OnStarted(world(), id_); });
  TellSpooled();
  return OkStatus();
}

// A vector whose release was interrupted at its last step is there all the same, and will be sent.
void StoreMachine::TellSpooled() {
  for (const auto& entry : std::filesystem::directory_iterator(disk().File("spool"))) {
    const std::string stem = entry.path().stem().string();
    const size_t dash = stem.rfind('-');
    if (entry.path().extension() != ".update" || dash == std::string::npos) continue;
    const std::string bytes = ReadFile(entry.path().string()).value_or("");
    std::vector<uint32_t> values(bytes.size() / sizeof(uint32_t));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(uint32_t));
    const RoundId round{.job = JobId::Parse(stem.substr(0, dash)).value(),
                        .number = static_cast<uint32_t>(std::stoul(stem.substr(dash + 1)))};
    const Released found{
        .store = id_, .round = round, .update = {.digest = Sha256::Of(bytes), .size = bytes.size()}, .values = values};
    world().ForChecks([&](Check& check) { check.OnReleased(world(), found); });
  }
}

void StoreMachine::Work() {
  Running& now = *running_;
  now.link.reset(new Link(world().network(), id_, process(), {.asking = now.asking, .working = now.working}));
  now.site = std::make_unique<ScriptedSite>(*now.ledger, willing_);
  now.trainer.reset(new ScriptedTrainer({.store = id_,
                                         .process = process(),
                                         .working = now.working,
                                         .cache = *now.cache,
                                         .spool = *now.spool,
                                         .ledger = *now.ledger,
                                         .caps = now.policy.caps,
                                         .plan_key = world().headquarters().plan_key().verify_key(),
                                         .random = *now.random,
                                         .dice = *now.dice,
                                         .script = world().scenario().training,
                                         .released = [this](const Released& released) {
                                           world().ForChecks([&](Check& c) { c.OnReleased(world(), released); });
                                         }}));
  now.sum.reset(new WatchedSum({.cohorts = *now.cohorts,
                                .spool = *now.spool,
                                .policy = now.policy,
                                .clock = clock(),
                                .random = *now.random,
                                .identity = [this] { return CopyOf(*identity_); }},
                               [this](const agent::TakeSumStep& step, const BlobName& vector) {
                                 const Masked masked{
                                     .store = id_, .round = step.terms.round, .update = step.update, .masked = vector};
                                 world().ForChecks([&](Check& check) { check.OnMasked(world(), masked); });
                               }));
  now.driver.reset(new AgentDriver(AgentParts{.own = now.own,
                                              .asking = now.asking,
                                              .working = now.working,
                                              .link = *now.link,
                                              .cache = *now.cache,
                                              .spool = *now.spool,
                                              .meter = *now.meter,
                                              .steps = *now.trainer,
                                              .sum = *now.sum,
                                              .site = *now.site,
                                              .metrics = now.metrics,
                                              .random = *now.random},
                                   AgentSettings{.record_path = disk().File("task"), .agent_version = "simulated"}));
}

void StoreMachine::Bury() { running_.reset(); }

}  // namespace aisle::simulation

#include <prometheus/registry.h>

#include "aggregation/weights.h"
#include "base/check.h"
#include "base/identity/statement.h"
#include "base/log.h"
#include "base/storage/durability.h"
#include "plans/bundle.h"
#include "tests/simulation/door.h"
#include "tests/simulation/machines.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(1);       // With what can't go wrong.
constexpr absl::Duration kLifetime = absl::Hours(24 * 365);  // Of certificates, unless a scenario is about them.

std::string PlanToml(const PlanScript& script) {
  return fmt::format(R"(
[plan]
name = "simulated"
version = 1
description = "Numbers that every store moves a little."
source = "plan.py"
[tables.sales.columns]
week = {{type = "int64", range = [0, 200]}}
[training]
learning_rate = 0.1
[privacy]
secure_sum = {}
mode = "store"
clip_norm = 1.0
noise_multiplier = {:.4f}
delta = 1e-6
rounds_max = 100000
metric_share = 0.1
[cohort]
min = {}
target = {}
over_selection = {:.3f}
[deadlines]
selecting = "{}"
training = "{}"
collecting = "{}"
summing = "{}"
[server]
{}
[metrics.loss]
bound = 10.0
[[parameters]]
name = "slope"
shape = [{}]
init = "zeros"
)",
                     script.secure_sum, script.noise_multiplier, script.cohort_min, script.cohort_target,
                     script.over_selection, aisle::FormatDuration(script.selecting),
                     aisle::FormatDuration(script.training), aisle::FormatDuration(script.collecting),
                     aisle::FormatDuration(script.summing), script.server, script.parameters);
}

constexpr const char* kSource =
    "def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:\n"
    "    return tables[\"sales\"]\n";

// State in memory that goes down with its machine, and tells the checks what it has taken.
class WatchedState final : public MemoryStateStore {
 public:
  WatchedState(Disk& disk, RandomSource& random, std::function<bool()> before,
               std::function<void(const StateChange&)> after)
      : disk_(disk), random_(random), before_(std::move(before)), after_(std::move(after)) {}

  Status Commit(const StateChange& change, Durability durability) override {
    if (!before_()) return Unavailable("the machine is down");
    if (durability == Durability::kSynced && disk_.syncs_fail()) return FailSync(change);
    AISLE_RETURN_IF_ERROR(MemoryStateStore::Commit(change, durability));
    after_(change);
    (void)before_();  // It may die right after as well, before anybody heard of it.
    return OkStatus();
  }

 private:
  // As a database does whose log wasn't synced: the change may be there all the same, once it is opened anew.
  Status FailSync(const StateChange& change) {
    if (random_.Below(2) == 0 && MemoryStateStore::Commit(change, Durability::kSynced).ok()) after_(change);
    Status failed = Unavailable("the state's log can't be synced");
    DurabilityLost(disk_.folder(), failed);
    return failed;
  }

  Disk& disk_;
  RandomSource& random_;
  const std::function<bool()> before_;
  const std::function<void(const StateChange&)> after_;
};

}  // namespace

// What outlives the process.
struct HeadquartersMachine::Lasting {
  WatchedState state;
  SigningKey plan_key;
  CertificateAuthority authority;
  std::shared_ptr<const KeyPair> key;
  Certificate certificate;
  std::optional<JobPlan> plan;
  std::string weights;
};

struct HeadquartersMachine::Running {
  Lane& own;
  Lane& workshop;
  Lane& disk;
  std::unique_ptr<RandomSource> random;
  std::unique_ptr<BlobStore> blobs;
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  CoordinatorMetrics metrics{registry};
  std::unique_ptr<Coordinator> coordinator;
  std::unique_ptr<Door> door;
};

HeadquartersMachine::HeadquartersMachine(World& world)
    : Machine(world, "headquarters"), job_(JobId::Parse("demand").value()) {
  const std::unique_ptr<RandomSource> random = world.RandomFor("identity");
  const absl::Time now = world.timeline().Now();
  CertificateAuthority authority =
      CertificateAuthority::Create(*ChainName::Parse("northwind"), KeyPair::Generate().value(), now, *random).value();
  auto key = std::make_shared<const KeyPair>(KeyPair::Generate().value());
  const CertificateTerms terms{
      .identity = Identity::Make(authority.chain(), Role::kCoordinator, "headquarters").value(),
      .lifetime = kLifetime,
      .server_names = {"127.0.0.1"}};
  Certificate certificate = authority.Issue(*key, terms, now, *random).value();
  const auto committed = [this](const StateChange& change) {
    ++commits_;
    this->world().ForChecks([&](Check& check) { check.OnCommitted(this->world(), change); });
  };
  lasting_.reset(new Lasting{.state = {disk(), world.random(), [this] { return BeforeChange(); }, committed},
                             .plan_key = SigningKey::Generate(*random).value(),
                             .authority = std::move(authority),
                             .key = std::move(key),
                             .certificate = std::move(certificate)});
}

HeadquartersMachine::~HeadquartersMachine() { Kill(); }

Coordinator* HeadquartersMachine::coordinator() { return running_ == nullptr ? nullptr : running_->coordinator.get(); }
const StateStore& HeadquartersMachine::state() const { return lasting_->state; }
const JobPlan& HeadquartersMachine::plan() const { return *lasting_->plan; }
const std::string& HeadquartersMachine::initial_weights() const { return lasting_->weights; }
const SigningKey& HeadquartersMachine::plan_key() const { return lasting_->plan_key; }
const CertificateAuthority& HeadquartersMachine::authority() const { return lasting_->authority; }

void HeadquartersMachine::FailCommits(Status failure, size_t count) {
  lasting_->state.FailCommits(std::move(failure), count);
}

Status HeadquartersMachine::Boot() {
  running_.reset(new Running{.own = process().AddLane(false),
                             .workshop = process().AddLane(false),
                             .disk = process().AddLane(false),
                             .random = world().RandomFor("coordinator")});
  AISLE_ASSIGN_OR_RETURN(running_->blobs, BlobStore::Open(disk().File("blobs")));
  AISLE_RETURN_IF_ERROR(MakeFolders(disk().File("spool")));
  const auto sign = [key = lasting_->key](std::string_view domain, std::string_view message) {
    return SignStatement(*key, domain, message);
  };
  running_->coordinator = std::make_unique<Coordinator>(
      Coordinator::Parts{
          .executor = running_->own,
          .workshop = running_->workshop,
          .state = lasting_->state,
          .blobs = *running_->blobs,
          .spool_folder = disk().File("spool"),
          .authority = lasting_->authority,
          .plan_keys = {lasting_->plan_key.verify_key()},
          .random = *running_->random,
          .metrics = running_->metrics,
          .credentials = {.certificate_pem = lasting_->certificate.pem(), .sign = sign},
      },
      CoordinatorPolicy{.enrolment = {.certificate_lifetime = kLifetime}});
  AISLE_RETURN_IF_ERROR(running_->coordinator->Start());
  running_->door.reset(
      new Door({.coordinator = *running_->coordinator,
                .process = process(),
                .disk = running_->disk,
                .network = world().network(),
                .chain = lasting_->authority.chain(),
                .certificate_of = [this](const StoreId& store) { return world().store(store).certificate(); },
                .ca_pem = lasting_->authority.root_pem(),
                .plan_keys = {lasting_->plan_key.verify_key()}}));
  world().network().Serve(running_->door.get());
  return OkStatus();
}

void HeadquartersMachine::Bury() {
  world().network().Serve(nullptr);
  running_.reset();
}

void HeadquartersMachine::ForgetUnsynced() {
  lasting_->state.LosePower(world().random().Below(lasting_->state.unsynced() + 1));
}

TlsIdentity HeadquartersMachine::Enrol(const StoreId& store) {
  std::optional<TlsIdentity> identity;
  const auto key = std::make_shared<KeyPair>(KeyPair::Generate().value());
  const auto enrolled = [&, key](StatusOr<EnrolmentDesk::Enrolled> answer) {
    identity.emplace(
        TlsIdentity{.ca_pem = authority().root_pem(), .certificate = answer.value().certificate, .key = key->Clone()});
  };
  coordinator()->Invite(store, std::nullopt, [&](StatusOr<IssuedCode> issued) {
    coordinator()->Enrol(std::string(issued.value().code.Reveal().Reveal()), MakeCsr(*key).value(), enrolled);
  });
  while (!identity && world().timeline().RunNext(world().timeline().Now() + kPatience)) continue;
  return *std::move(identity);
}

void HeadquartersMachine::SubmitJob() {
  const PlanScript& script = world().scenario().plan;
  const Weights weights{.layout = Layout::Make({{.name = "slope", .shape = {script.parameters}}}).value(),
                        .values = std::vector<float>(script.parameters)};
  const std::string& encoded = lasting_->weights = EncodeWeights(weights);
  BlobStore& blobs = *running_->blobs;
  const PlanBundle bundle =
      MakePlanBundle({.plan_toml = PlanToml(script), .kind = ProgramKind::kSource, .program = kSource}, encoded)
          .value();
  (void)blobs.Put(encoded).value();
  (void)blobs.Put(bundle.Encode()).value();
  lasting_->plan.emplace(OpenJobPlan(blobs, bundle.digest()).value());
  std::optional<StatusOr<JobRecord>> submitted;
  coordinator()->Submit({.job = job_,
                         .plan = bundle.digest(),
                         .plan_signature = SignPlan(plan_key(), bundle.digest()).value(),
                         .rounds = script.rounds},
                        [&](StatusOr<JobRecord> record) { submitted = std::move(record); });
  while (!submitted && world().timeline().RunNext(world().timeline().Now() + kPatience)) continue;
  AISLE_CHECK(submitted->ok(), "the job is refused: {}", MessageOf(submitted->status()));
}

}  // namespace aisle::simulation

#include "tests/simulation/world.h"

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/storage/durability.h"
#include "tests/simulation/entropy.h"
#include "tests/simulation/faults.h"

namespace aisle::simulation {
namespace {

constexpr absl::Duration kOpeningMax = absl::Seconds(30);  // Within which all stores come up.
constexpr size_t kFailuresMax = 20;

absl::Time Beginning() { return absl::FromUnixSeconds(1'800'000'000); }

}  // namespace

World::World(const Scenario& scenario, uint64_t seed)
    : scenario_(scenario),
      seed_(seed),
      entropy_(std::make_unique<SeededEntropy>(seed)),
      start_(Beginning()),
      timeline_(start_),
      random_(RandomFor("faults")),
      network_random_(RandomFor("network")),
      network_(std::make_unique<Network>(timeline_, *network_random_)),
      checks_(AllChecks()) {
  network_->Tap([this](const Sent& sent) {
    ForChecks([&](Check& check) { check.OnSent(*this, sent); });
    Trace(NameOf(sent.method), sent.bytes.size());
  });
  OnDurabilityLost([this](const std::string& path, const Status&) {
    if (Machine* machine = MachineWith(Disk::Find(path))) machine->LoseDurability();
  });
  Build();
}

World::~World() {
  OnDurabilityLost(nullptr);
  for (const auto& store : stores_) store->Kill();
  if (headquarters_ != nullptr) headquarters_->Kill();
}

std::unique_ptr<RandomSource> World::RandomFor(std::string_view purpose) {
  return std::make_unique<AesCtrStream>(SeedBytes(seed_),
                                        fmt::format("simulation/{}/{}", purpose, ++purposes_[std::string(purpose)]));
}

void World::Build() {
  headquarters_ = std::make_unique<HeadquartersMachine>(*this);
  headquarters_->Start();
  for (uint32_t i = 1; i <= scenario_.stores; ++i) {
    const StoreId id = StoreId::Parse(fmt::format("store-{:03}", i)).value();
    stores_.push_back(std::make_unique<StoreMachine>(*this, id));
    stores_.back()->SetIdentity(headquarters_->Enrol(id));
  }
  headquarters_->SubmitJob();
  for (const auto& store : stores_) {
    Later(Draw(absl::ZeroDuration(), kOpeningMax), [&machine = *store] { machine.Start(); });
  }
  network_->conditions = scenario_.network;
  for (const FaultScript& fault : scenario_.faults) Later(fault.from, [this, &fault] { ComeAgain(fault); });
  if (scenario_.expect.faults_end < scenario_.duration) {
    timeline_.At(start_ + scenario_.expect.faults_end, [this] { EndFaults(); });
  }
}

StoreMachine& World::store(const StoreId& id) {
  return **std::ranges::find_if(stores_, [&](const auto& store) { return store->id() == id; });
}

Machine* World::MachineWith(const Disk* disk) {
  if (disk == nullptr) return nullptr;
  if (headquarters_ != nullptr && &headquarters_->disk() == disk) return headquarters_.get();
  const auto found = std::ranges::find_if(stores_, [&](const auto& store) { return &store->disk() == disk; });
  return found == stores_.end() ? nullptr : found->get();
}

absl::Duration World::Draw(absl::Duration from, absl::Duration to) { return from + (to - from) * random_->Fraction(); }

absl::Duration World::DrawAbout(absl::Duration mean) {
  return -mean * std::log1p(-random_->Fraction());  // Exponential: as things happen that know nothing of each other.
}

void World::ComeAgain(const FaultScript& script) {
  Later(DrawAbout(script.every), [this, &script] {
    if (faults_over_) return;
    Occur(script);
    ComeAgain(script);
  });
}

Machine& World::Victim(const FaultScript& script) {
  if (script.who == "coordinator") return *headquarters_;
  if (script.who == "store") return *stores_[random_->Below(stores_.size())];
  return store(StoreId::Parse(script.who).value());
}

void World::Occur(const FaultScript& script) {
  Machine& victim = Victim(script);
  ++outcome_.faults;
  Note(fmt::format("{} befalls {}", script.kind, victim.name()));
  Faults().at(script.kind)({.world = *this,
                            .machine = victim,
                            .script = script,
                            .random = *random_,
                            .lasts = script.exact ? script.lasts : DrawAbout(script.lasts)});
}

void World::EndFaults() {
  Note("from here on nothing goes wrong");
  faults_over_ = true;
  if (scenario_.expect.commits_within < absl::InfiniteDuration()) {
    Later(scenario_.expect.commits_within, [this, before = Job().rounds_committed] {
      if (Job().rounds_committed > before) return;
      Fail("expectations", fmt::format("no round was committed within {} after the last fault",
                                       aisle::FormatDuration(scenario_.expect.commits_within)));
    });
  }
  network_->HealAll();
  network_->conditions.loss = network_->conditions.duplicate = network_->conditions.cut = 0;
  for (const auto& mend : mends_) mend();
  headquarters_->DieAtChange(0, false);
  headquarters_->Start();
  for (const auto& store : stores_) {
    store->DieAtChange(0, false);
    store->Start();
  }
}

Outcome World::Run() {
  const absl::Time end = start_ + scenario_.duration;
  while (outcome_.failures.empty() && !finished() && timeline_.RunNext(end)) {
    while (!after_.empty()) {
      for (const auto& task : std::exchange(after_, {})) task();
    }
    for (const auto& check : checks_) check->AfterEvent(*this);
  }
  ForChecks([this](Check& check) { check.AtEnd(*this); });
  CheckExpectations();
  outcome_.events = timeline_.events();
  outcome_.messages = network_->messages();
  outcome_.virtual_time = SinceStart();
  outcome_.trace = trace_.Finish();
  return outcome_;
}

JobRecord World::Job() const {
  return headquarters_->state().FindJob(headquarters_->job()).value().value_or(JobRecord{});
}

bool World::finished() {
  if (std::exchange(commits_seen_, headquarters_->commits()) == commits_seen_) return false;
  return Job().ended_at.has_value();
}

void World::CheckExpectations() {
  const JobRecord job = Job();
  outcome_.rounds_committed = job.rounds_committed;
  outcome_.rounds_aborted = job.rounds_aborted;
  const std::vector<ModelRecord> models = headquarters_->state().ListModels(job.id).value();
  for (const ModelRecord& model : models) outcome_.store_rounds += model.stores;
  const std::vector<RoundRecord> rounds = headquarters_->state().ListRounds(job.id).value();
  for (const RoundRecord& round : rounds) outcome_.store_rounds_begun += round.stores_selected;
  const Expectations& expect = scenario_.expect;
  if (job.rounds_committed < std::min(expect.rounds_min, scenario_.plan.rounds)) {
    Fail("expectations",
         fmt::format("{} rounds were committed, {} are expected", job.rounds_committed, expect.rounds_min));
  }
  if (job.rounds_aborted > expect.aborted_max) {
    Fail("expectations",
         fmt::format("{} rounds were aborted, {} at most are expected", job.rounds_aborted, expect.aborted_max));
  }
}

void World::Fail(std::string_view check, std::string what) {
  std::string failure =
      fmt::format("{} at {}: {}", check, aisle::FormatDuration(absl::Trunc(SinceStart(), absl::Milliseconds(1))), what);
  Note(failure);
  if (outcome_.failures.size() < kFailuresMax) outcome_.failures.push_back(std::move(failure));
}

void World::Note(std::string_view what) {
  LogDebug("{} {}", FormatUtc(timeline_.Now()), what);
  Trace(what, 0);
}

void World::Trace(std::string_view what, uint64_t number) {
  trace_.Update(ByteWriter().I64(absl::ToUnixNanos(timeline_.Now())).String(what).U64(number).bytes());
}

void World::ForChecks(const std::function<void(Check&)>& tell) {
  for (const auto& check : checks_) tell(*check);
}

}  // namespace aisle::simulation

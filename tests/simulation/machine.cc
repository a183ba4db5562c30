#include "base/check.h"
#include "base/log.h"
#include "tests/simulation/machines.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

constexpr absl::Duration kStartAgainAfter = absl::Seconds(10);

}  // namespace

Machine::Machine(World& world, const std::string& name)
    : world_(world), name_(name), disk_(name), clock_(world.timeline()) {
  disk_.BeforeChange([this] { CountDown(); });
}

Machine::~Machine() = default;

void Machine::Start() {
  if (running()) return;
  world_.Note(name_ + " starts");
  process_ = std::make_unique<Process>(world_.timeline(), clock_, world_.random());
  const Status booted = Boot();
  if (booted.ok() && !process_->dead()) return;
  LogWarning("{} can't start: {}", name_, MessageOf(booted));
  EndProcess();
  world_.Later(kStartAgainAfter, [this] { Start(); });
}

void Machine::Kill() {
  if (!running()) return;
  world_.Note(name_ + " is killed");
  EndProcess();
}

void Machine::LosePower() {
  world_.Note(name_ + " loses power");
  if (running()) EndProcess();
  disk_.LosePower(world_.random());
  ForgetUnsynced();
}

void Machine::LoseDurability() {
  if (!running() || process_->dead()) return;
  world_.Note(name_ + " ends: a sync has failed");
  disk_.Freeze();
  process_->Doom();
  world_.AfterThis([this] {
    Kill();
    world_.Later(kStartAgainAfter, [this] { Start(); });
  });
}

void Machine::DieAtChange(uint64_t nth, bool power) {
  changes_left_ = nth;
  power_ = power;
}

void Machine::CountDown() {
  if (changes_left_ == 0 || --changes_left_ > 0 || !running()) return;
  disk_.Freeze();
  process_->Doom();
  world_.AfterThis([this] {
    if (power_)
      LosePower();
    else
      Kill();
  });
}

bool Machine::BeforeChange() {
  if (!disk_.frozen()) CountDown();
  return !disk_.frozen();
}

void Machine::EndProcess() {
  changes_left_ = 0;
  disk_.Freeze();
  process_->Die();
  Bury();
  process_.reset();
  disk_.Thaw();
}

}  // namespace aisle::simulation

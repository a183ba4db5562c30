#include "store-agent/agent/agent_machine.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/cover.h"
#include "base/overloaded.h"

namespace aisle::agent {
namespace {

// What the store tells headquarters of where it stands; nullopt while another call speaks for it.
std::optional<Standing> StandingOf(const State& state) {
  using enum StoreStanding;
  return std::visit(Overloaded{[](const Idle&) { return std::optional<Standing>(Standing{.standing = kIdle}); },
                               [](const Reporting&) { return std::optional<Standing>(); },
                               [](const Summing&) { return std::optional<Standing>(); },
                               [](const Uploading&) { return std::optional<Standing>(); },
                               [](const Holding& holding) {
                                 return std::optional<Standing>(Standing{kTrained, holding.held.round});
                               },
                               [](const Delivered& delivered) {
                                 return std::optional<Standing>(Standing{kUploaded, delivered.held.round});
                               },
                               [&](const auto&) {
                                 return std::optional<Standing>(Standing{kTraining, RoundOf(state)});
                               }},
                    state);
}

}  // namespace

std::string_view NameOf(const State& state) {
  static constexpr std::array<std::string_view, kStateCount> kNames = {
      "idle",      "fetching_plan", "vetting_plan", "fetching_weights", "training", "releasing",
      "reporting", "holding",       "summing",      "uploading",        "delivered"};
  static_assert(std::variant_size_v<State> == kStateCount);
  return kNames[state.index()];
}

std::string_view NameOf(RoundResult result) {
  static constexpr std::array<std::string_view, kRoundResultCount> kNames = {"committed", "aborted", "left_out",
                                                                             "refused", "failed"};
  return kNames[static_cast<size_t>(result)];
}

std::optional<RoundId> RoundOf(const State& state) {
  using Round = std::optional<RoundId>;
  return std::visit(
      Overloaded{[](const Idle&) { return Round(); },
                 [](const FetchingPlan& s) { return Round(s.task.instruction.round); },
                 [](const VettingPlan& s) { return Round(s.task.instruction.round); },
                 [](const FetchingWeights& s) { return Round(s.task.instruction.round); },
                 [](const Training& s) { return Round(s.task.instruction.round); },
                 [](const Releasing& s) { return Round(s.instruction.round); },
                 [](const Reporting& s) { return Round(s.round); }, [](const auto& s) { return Round(s.held.round); }},
      state);
}

const HeldUpdate* HeldOf(const State& state) {
  if (const auto* holding = std::get_if<Holding>(&state)) return &holding->held;
  if (const auto* delivered = std::get_if<Delivered>(&state)) return &delivered->held;
  return nullptr;
}

AgentMachine::AgentMachine(Findings findings, RandomSource& random)
    : random_(random), findings_(std::move(findings)), conversation_(random) {}

Effects AgentMachine::Start(absl::Time now) {
  now_ = now;
  Restore(std::exchange(findings_, {}));
  return TakeEffects();
}

Effects AgentMachine::Handle(Event event, absl::Time now) {
  now_ = now;
  std::visit([this](const auto& happened) { On(happened); }, event);
  return TakeEffects();
}

Effects AgentMachine::TakeEffects() {
  conversation_.Align(StandingOf(state_), declined_plans_.list(), last_ticket_, now_, effects_);
  return std::exchange(effects_, {});
}

// task_record.h says what each stage means after a restart.
void AgentMachine::Restore(Findings findings) {
  if (!findings.record) return;
  const std::optional<BlobName>& spooled = findings.spooled;
  std::visit(Overloaded{[&](PreparingRecord& record) {
                          Prepare({std::move(record.task), std::move(record.seed)});
                        },
                        [&](ReleasingRecord& record) {
                          if (spooled) return Finish({.round = record.round, .update = *spooled, .sum = record.sum});
                          AISLE_COVER("agent.release_interrupted");
                          GiveUp(record.round,
                                 Failed{FailureReason::kWorkerCrash,
                                        "the agent was stopped between the ledger's debit and the finished update"});
                        },
                        [&](FinishedRecord& record) {
                          if (spooled == record.held.update) return ReportHeld(std::move(record.held));
                          AISLE_COVER("agent.spool_lost");
                          GiveUp(record.held.round,
                                 Failed{FailureReason::kStorage, "the finished update is gone from the store's disk"});
                        },
                        [&](UploadedRecord& record) { state_ = Delivered{std::move(record.held)}; },
                        [&](GivenUpRecord& record) { Report(record.round, std::move(record.outcome)); }},
             *findings.record);
}

bool AgentMachine::TakeStep(Ticket ticket) {
  if (step_ != ticket) return false;
  step_.reset();
  return true;
}

void AgentMachine::On(const TimerRanOut& event) {
  if (event.timer == Timer::kConversation) return conversation_.EndPause();
  if (std::exchange(task_waits_, false)) RepeatStep();
}

void AgentMachine::On(const SiteChanged&) {
  declined_plans_.Clear();
  if (std::holds_alternative<Idle>(state_)) conversation_.Refresh();
}

// The same step again, after a wait.
void AgentMachine::RepeatStep() {
  if (const auto* fetching = std::get_if<FetchingPlan>(&state_)) {
    Emit(FetchBlob{OpenStep(), fetching->task.instruction.plan});
  } else if (const auto* fetching_weights = std::get_if<FetchingWeights>(&state_)) {
    Emit(FetchBlob{OpenStep(), fetching_weights->task.instruction.weights});
  } else if (const auto* reporting = std::get_if<Reporting>(&state_)) {
    Emit(ReportOutcome{OpenStep(), reporting->round, reporting->outcome});
  } else if (const auto* uploading = std::get_if<Uploading>(&state_)) {
    AskUpload(*uploading);
  } else if (const auto* summing = std::get_if<Summing>(&state_)) {
    AskStep(*summing);
  }
}

void AgentMachine::RetryStep(const CallOutcome& outcome) {
  if (outcome.progressed) task_backoff_.Reset();
  const absl::Duration wait = std::max(task_backoff_.Next(random_), std::min(outcome.wait_min, kComeBackMax));
  task_waits_ = true;
  Emit(SetTimer{.timer = Timer::kTask, .due = now_ + wait});
}

// The round is over for this store, whatever was in hand.
void AgentMachine::DropTask() {
  const std::optional<RoundId> round = RoundOf(state_);
  if (step_) Emit(StopTask{});
  if (task_waits_) Emit(ClearTimer{.timer = Timer::kTask});
  step_.reset();
  task_waits_ = false;
  task_backoff_.Reset();
  Emit(SaveRecord{});
  if (round) Emit(DropSpool{*round});
  state_ = Idle{};
}

}  // namespace aisle::agent

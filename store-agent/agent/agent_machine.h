// The life of a store in the fleet: asking for work, doing one task at a time, handing it in.
//
// Events and the time go in; what must now be done comes out, in order. Does no I/O, holds no locks, never reads a
// clock: AgentDriver does those on its behalf. Not thread-safe; it has one owner.
//
// Read a task in the order of its files:
//   idle.cc        asks headquarters and is given a task
//   preparing.cc   plan -> vetted -> weights -> trained
//   releasing.cc   ledger, noise, spool; or the decision to give up
//   reporting.cc   tells headquarters how it ended
//   holding.cc     waits with the finished vector, uploads it when asked, waits for the round to close
//   summing.cc     under the secure sum: its steps, before the upload and after it
// instructions.cc is what headquarters may say at any of these; conversation.h is the check-in that stays open beside
// all of them.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <variant>

#include "base/random.h"
#include "store-agent/agent/backoff.h"
#include "store-agent/agent/conversation.h"
#include "store-agent/agent/declined_plans.h"
#include "store-agent/agent/effects.h"
#include "store-agent/agent/events.h"
#include "store-agent/agent/task_record.h"

namespace aisle::agent {

// Larger than any plan or weights can be (plans/bundle.h, aggregation/weights.h): refused before a byte is fetched.
inline constexpr uint64_t kPlanSizeMax = uint64_t{258} << 20;
inline constexpr uint64_t kWeightsSizeMax = (uint64_t{1} << 30) + (uint64_t{16} << 20);

inline constexpr int kWrongBlobsMax = 3;

// Where the agent stands: each state holds only its own data.
struct Idle {};
// A task in the making. The same plan and seed give the same update, however often a restart begins it anew.
struct Task {
  TrainInstruction instruction;
  SecretBytes seed;
  int wrong_blobs = 0;  // Blobs that came whole and weren't what their name says.
};
struct FetchingPlan {
  Task task;
};
struct VettingPlan {
  Task task;
};
struct FetchingWeights {
  Task task;
};
struct Training {
  Task task;
};
struct Releasing {
  TrainInstruction instruction;
  std::optional<CohortTerms> sum;
};
struct Reporting {
  RoundId round;
  TaskOutcome outcome;
  std::optional<HeldUpdate> held;  // What was trained.
};
struct Holding {  // The finished vector is in the spool and headquarters knows it.
  HeldUpdate held;
  bool tried = false;  // An upload was begun before.
};
struct Summing {  // A step of the secure sum is being answered.
  HeldUpdate held;
  SumInstruction instruction;
  bool tried = false;
  bool delivered = false;  // Its masked vector is at headquarters.
};
struct Uploading {
  HeldUpdate held;
  BlobName sent;        // The held vector, or under the secure sum the masked one.
  bool resume = false;  // Ask first how much is already there.
};
struct Delivered {
  HeldUpdate held;
};
using State = std::variant<Idle, FetchingPlan, VettingPlan, FetchingWeights, Training, Releasing, Reporting, Holding,
                           Summing, Uploading, Delivered>;
inline constexpr int kStateCount = 11;
std::string_view NameOf(const State& state);  // "fetching_plan": stable, for logs and tests.

// What a restart finds on the disk.
struct Findings {
  std::optional<TaskRecord> record;
  std::optional<BlobName> spooled;  // The finished vector of the record's round, if one is there.
};

class AgentMachine {
 public:
  // `random` draws jitter and training seeds, and must outlive the machine.
  AgentMachine(Findings findings, RandomSource& random);

  // The first effects: takes up the task that was found, or asks for one. Once, before any event.
  Effects Start(absl::Time now);
  // A wrong or stale instruction of headquarters changes nothing here.
  Effects Handle(Event event, absl::Time now);

  const State& state() const { return state_; }
  // Headquarters' clock minus the store's, as of the last answer.
  absl::Duration clock_skew() const { return clock_skew_; }

 private:
  // idle.cc
  void BeginTask(TrainInstruction instruction);
  // preparing.cc
  void Prepare(Task task);
  void On(const BlobFetched& event);
  void OnDownloadFailed(Task& task, std::string_view what, const CallOutcome& outcome);
  void On(const PlanVetted& event);
  // releasing.cc
  void On(const UpdateTrained& event);
  void On(const UpdateReleased& event);
  void On(const TaskRefused& event);
  void On(const TaskFailed& event);
  void Finish(HeldUpdate held);
  void GiveUp(const RoundId& round, TaskOutcome outcome);
  // reporting.cc
  void Report(const RoundId& round, TaskOutcome outcome);
  void ReportHeld(HeldUpdate held);
  void On(const OutcomeReported& event);
  void OnReportHeard();
  void EndUnheard(const CallOutcome& outcome);
  void TellGivenUp(const Reporting& reporting);
  // holding.cc
  void Upload(Uploading uploading);
  void AskUpload(const Uploading& uploading);
  void On(const UpdateUploaded& event);
  // summing.cc
  void Sum(const RoundId& round, SumInstruction instruction);
  void AskStep(const Summing& summing);
  void On(const SumStepTaken& event);
  void On(const UpdateMasked& event);
  void EndStep();
  void RefuseToSum(const RoundId& round, RefusalReason reason, std::string_view why);
  // instructions.cc
  void On(const CheckInAnswered& event);
  void On(const CheckInFailed& event);
  void Obey(const TrainInstruction& train);
  void Obey(const CollectInstruction& collect);
  void Obey(const RoundClosed& closed);
  void Obey(const ComeBack& come_back);
  void Obey(const AdvertiseInstruction& advertise);
  void Obey(const ShareInstruction& share);
  void Obey(const ConfirmInstruction& confirm);
  void Obey(const UnmaskInstruction& unmask);
  void HoldNothingFor(const RoundId& round);
  // agent_machine.cc
  void Restore(Findings findings);
  void On(const TimerRanOut& event);
  void On(const SiteChanged& event);
  void RepeatStep();
  void RetryStep(const CallOutcome& outcome);
  void DropTask();
  Ticket OpenStep() { return *(step_ = ++last_ticket_); }
  bool TakeStep(Ticket ticket);  // True if that step's answer is awaited; it no longer is.
  void Emit(Effect effect) { effects_.push_back(std::move(effect)); }
  Effects TakeEffects();

  RandomSource& random_;
  State state_;
  Findings findings_;
  Conversation conversation_;
  DeclinedPlans declined_plans_;
  Backoff task_backoff_;
  absl::Duration clock_skew_;
  Ticket last_ticket_ = 0;
  std::optional<Ticket> step_;  // The task step whose answer is awaited.
  bool task_waits_ = false;     // For the task timer, to repeat a step.
  absl::Time now_;              // Of the event in hand.
  Effects effects_;
};

std::optional<RoundId> RoundOf(const State& state);  // Nullopt when idle.
// The finished vector of a store that waits for headquarters to ask for it, or for more of it; null otherwise.
const HeldUpdate* HeldOf(const State& state);

}  // namespace aisle::agent

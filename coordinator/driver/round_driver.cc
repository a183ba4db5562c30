#include "coordinator/driver/round_driver.h"

#include <utility>

#include "base/cover.h"
#include "base/overloaded.h"

namespace aisle {
namespace {

StoreOutcome OutcomeOf(const Seat& seat) { return static_cast<StoreOutcome>(seat.index() + 1); }

// What a store gives to the secure sum.
std::string_view StepIn(PhaseName phase) {
  switch (phase) {
    case PhaseName::kAdvertising:
      return "its keys are";
    case PhaseName::kSharing:
      return "the shares that it deals are";
    case PhaseName::kCollecting:
      return "its masked update is";
    case PhaseName::kConfirming:
      return "its signature is";
    default:
      return "the shares that it reveals are";
  }
}

}  // namespace

RoundDriver::RoundDriver(RoundMachine machine, Executor& executor, GroupCommit& commit, House house)
    : machine_(std::move(machine)),
      executor_(executor),
      commit_(commit),
      house_(std::move(house)),
      story_(machine_.opened_at()) {}

RoundDriver::~RoundDriver() {
  *alive_ = false;
  executor_.Cancel(deadline_);
}

std::unique_ptr<RoundDriver> RoundDriver::Open(RoundId id, const RoundOpened& opened, Executor& executor,
                                               GroupCommit& commit, House house) {
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(executor.Now()));
  std::unique_ptr<RoundDriver> driver(new RoundDriver(RoundMachine(std::move(id), opened.policy, opened.seed, now),
                                                      executor, commit, std::move(house)));
  commit.Append(driver->id(), driver->next_sequence_++, EncodeJournalEntry({.at = now, .what = opened}));
  commit.change().Put(driver->Record());
  // A deadline may be armed before the opening is durable: it says nothing to anybody.
  const PhaseName phase = NameOfPhase(driver->machine_.phase());
  driver->CarryOut(driver->machine_.Open(), phase, phase);
  return driver;
}

StatusOr<std::unique_ptr<RoundDriver>> RoundDriver::Resume(RoundId id, const std::vector<std::string>& journal,
                                                           Executor& executor, GroupCommit& commit, House house) {
  std::unique_ptr<RoundDriver> driver;
  for (const std::string& bytes : journal) {
    AISLE_ASSIGN_OR_RETURN(const JournalEntry entry, DecodeJournalEntry(bytes));
    if (const auto* opened = std::get_if<RoundOpened>(&entry.what)) {
      if (driver != nullptr) return DataLoss("the journal of round {} opens it twice", id);
      driver.reset(new RoundDriver(RoundMachine(id, opened->policy, opened->seed, entry.at), executor, commit, house));
    } else if (driver != nullptr) {
      const Event& event = std::get<Event>(entry.what);
      const PhaseName before = NameOfPhase(driver->machine_.phase());
      driver->machine_.Handle(event, entry.at);
      driver->story_.Note(event, before, driver->machine_, entry.at);
    }
    if (driver == nullptr) return DataLoss("the journal of round {} doesn't begin with its opening", id);
    ++driver->next_sequence_;
  }
  if (driver == nullptr) return DataLoss("the journal of round {} is empty", id);
  return driver;
}

void RoundDriver::CarryOn(const RoundRecord& known) {
  story_.CarryOn(known);
  bytes_down_ = known.bytes_down;
  // Written down with the next change. A write of its own would be one more to lose on a full disk, and each write that
  // is lost resumes the round.
}

void RoundDriver::Restart(absl::Duration grace) {
  const absl::Time closes_at = ClosesAt(machine_.phase());
  if (closes_at != absl::InfiniteFuture()) {
    ArmDeadline(NameOfPhase(machine_.phase()), std::max(closes_at, executor_.Now() + grace));
  }
  if (machine_.closed()) return house_.closed();
  const Roster* roster = RosterOf(machine_.phase());
  if (roster == nullptr) return;
  for (const auto& [store, seat] : roster->seats()) {
    if (const auto* gave = std::get_if<GaveUpdate>(&seat)) house_.fold(store, gave->update);
  }
  if (const auto* committing = std::get_if<Committing>(&machine_.phase())) {
    house_.apply_sum({.survivors = roster->StoresWith<GaveUpdate>(), .transcript = committing->transcript});
  }
}

void RoundDriver::Submit(Event event, Done done) {
  if (Status refused = machine_.Check(event); !refused.ok()) return done(refused);
  if (machine_.IsRepeat(event)) {  // What it repeats may still be on its way to the disk.
    AISLE_COVER("round.repeat_not_journalled");
    return commit_.Then(std::move(done));
  }
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(executor_.Now()));  // As the journal keeps it.
  const PhaseName before = NameOfPhase(machine_.phase());
  Effects effects = machine_.Handle(event, now);
  story_.Note(event, before, machine_, now);
  if (NameOfPhase(machine_.phase()) != before) NoteWhoIsMissing(before);
  commit_.Append(id(), next_sequence_++, EncodeJournalEntry({.at = now, .what = std::move(event)}));
  if (NameOfPhase(machine_.phase()) != before) {
    if (machine_.closed()) {
      closed_at_ = now;
      commit_.DropJournal(id());
    }
    commit_.change().Put(Record());
  }
  const PhaseName after = NameOfPhase(machine_.phase());
  commit_.Then([=, this, alive = alive_, effects = std::move(effects), done = std::move(done)](const Status& durable) {
    if (durable.ok() && *alive) CarryOut(effects, before, after);
    done(durable);
  });
}

void RoundDriver::NoteWhoIsMissing(PhaseName ended) {
  if (ended == PhaseName::kSelecting && house_.absent) story_.NoteAbsent(house_.absent(story_.offered()));
  const Roster* roster = RosterOf(machine_.phase());
  if (ended != PhaseName::kCollecting || roster == nullptr || !house_.received) return;
  for (const auto& [store, seat] : roster->seats()) {
    const bool missing = std::holds_alternative<HoldsUpdate>(seat) || std::holds_alternative<LeftBehind>(seat);
    if (missing) story_.NoteBytes(store, house_.received(store));
  }
}

void RoundDriver::CarryOut(const Effects& effects, PhaseName before, PhaseName now) {
  house_.changed(before, now);
  for (const Effect& effect : effects) {
    std::visit(Overloaded{[&](const SetDeadline& set) { ArmDeadline(set.phase, set.at); },
                          [&](const AskToTrain& ask) { house_.duty_changed(ask.store); },
                          [&](const CallForStep& call) { house_.duty_changed(call.store); },
                          [&](const CallForUpdate& call) { house_.duty_changed(call.store); },
                          [&](const Release& release) { house_.duty_changed(release.store); },
                          [&](const Dismiss& dismiss) { house_.duty_changed(dismiss.store); },
                          [&](const FoldUpdate& fold) { house_.fold(fold.store, fold.update); },
                          [&](const ApplySum& apply) { house_.apply_sum(apply); },
                          [&](const Distrust& distrust) {
                            if (house_.distrust) house_.distrust(distrust.store, distrust.why);
                          },
                          [&](const CloseRound&) {
                            executor_.Cancel(deadline_);
                            house_.closed();
                          }},
               effect);
  }
}

void RoundDriver::ArmDeadline(PhaseName phase, absl::Time at) {
  executor_.Cancel(deadline_);
  deadline_ = executor_.PostAt(at, [this, phase] { Submit(DeadlinePassed{phase}, [](const Status&) {}); });
}

RoundRecord RoundDriver::Record() const {
  const Phase& phase = machine_.phase();
  RoundRecord record{.id = id(),
                     .phase = static_cast<RoundPhase>(NameOfPhase(phase)),
                     .opened_at = machine_.opened_at(),
                     .closed_at = closed_at_,
                     .metrics = metrics_,
                     .bytes_down = bytes_down_,
                     .cohort_min = machine_.policy().cohort_min,
                     .cohort_target = machine_.policy().cohort_target,
                     .update_size = machine_.policy().update_size};
  if (ClosesAt(phase) != absl::InfiniteFuture()) record.phase_closes_at = ClosesAt(phase);
  if (const auto* committed = std::get_if<Committed>(&phase)) record.model_version = committed->model_version;
  if (const auto* aborted = std::get_if<Aborted>(&phase)) {
    record.abort_reason = fmt::format("{}: {}", NameOf(aborted->reason), aborted->explanation);
  }
  const Roster* roster = RosterOf(phase);
  if (roster == nullptr) {
    story_.WriteTo(record);
    return record;
  }
  if (const std::optional<StepProgress> step = machine_.Progress()) {
    record.stores_stepped = static_cast<uint32_t>(step->taken);
    record.stores_asked = static_cast<uint32_t>(step->asked);
  }
  for (const auto& [store, seat] : roster->seats()) {
    record.stores.push_back({.store = store, .outcome = OutcomeOf(seat), .detail = DetailOf(seat)});
    std::string& detail = record.stores.back().detail;
    if (detail.empty() && machine_.Owes(store)) detail = fmt::format("{} awaited", StepIn(NameOfPhase(phase)));
    const bool gave = std::holds_alternative<GaveUpdate>(seat);
    record.stores_trained += gave || std::holds_alternative<HoldsUpdate>(seat) ? 1 : 0;
    record.stores_collected += gave ? 1 : 0;
    record.stores_refused += std::holds_alternative<Refused>(seat) ? 1 : 0;
    record.stores_failed += std::holds_alternative<Failed>(seat) ? 1 : 0;
  }
  record.stores_selected = static_cast<uint32_t>(roster->size());
  record.bytes_up = record.stores_collected * machine_.policy().update_size;
  story_.WriteTo(record);
  return record;
}

}  // namespace aisle

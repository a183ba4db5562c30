// What each store is told when it checks in. Every answer follows from durable state, so every call can be repeated.
#include <algorithm>

#include "base/cover.h"
#include "base/overloaded.h"
#include "coordinator/driver/coordinator.h"
#include "coordinator/round/sum_tasks.h"

namespace aisle {

void Coordinator::AnswerCheckIn(Certificate caller, uint64_t call, CheckIn check_in, Reply<CheckInAnswered> reply) {
  parts_.executor.Post(
      [=, this, caller = std::move(caller), check_in = std::move(check_in), reply = std::move(reply)]() mutable {
        const StatusOr<StoreId> store = AdmitCaller(caller);
        if (!store.ok()) return reply(store.status());
        if (Status present = stores_.Present(*store, check_in); !present.ok()) {
          return reply(present);
        }
        const StatusOr<LedgerStanding> ledger = stores_.NoteLedger(*store, check_in.ledger);
        if (!ledger.ok()) return reply(ledger.status());
        const auto answer = [reply, head = ledger->acknowledged](StatusOr<Instruction> instruction) {
          if (!instruction.ok()) return reply(instruction.status());
          reply(CheckInAnswered{.instruction = *std::move(instruction), .ledger = head});
        };
        const bool in_trouble = !ledger->trouble.empty();
        const bool knows = !check_in.ledger || check_in.ledger->halted;
        if (in_trouble && !knows && !check_in.round) return answer(ComeBackLater());  // The head in it will tell.
        if (in_trouble) check_in.willing = false;
        OnCheckIn(*store, call, std::move(check_in), answer);
      });
}

ComeBack Coordinator::ComeBackLater() {
  return {.after = ComeBackAfter(policy_.pace, stores_.CountPresent(policy_.presence_window), parts_.random)};
}

void Coordinator::OnCheckIn(const StoreId& store, uint64_t call, CheckIn check_in, WaitingRoom::Reply reply) {
  parts_.metrics.CheckedIn();
  // While a write is on its way memory is ahead of the disk, and nothing of it may be said: the store takes a seat.
  const bool ahead = commit_.pending();
  if (!ahead) {
    if (std::optional<Instruction> instruction = InstructionFor(store, check_in)) return reply(*std::move(instruction));
  }
  const bool full = waiting_.size() >= policy_.pace.waiting_max && !check_in.round;
  if (full) {
    AISLE_COVER("coordinator.waiting_room_full");
    return reply(ComeBackLater());
  }
  const absl::Duration hold = std::min(check_in.wait_max, policy_.pace.hold_max);
  const CheckIn offer = check_in;
  // A store in a round is wanted again within a phase, however large the fleet is.
  waiting_.Seat(store, call, std::move(check_in), std::move(reply), hold,
                [this, in_round = offer.round.has_value()] { return in_round ? ComeBack{} : ComeBackLater(); });
  parts_.metrics.SetWaiting(waiting_.size());
  if (ahead) {
    commit_.Then([this, store](const Status& durable) {
      if (durable.ok()) AnswerIfDue(store);
    });
  } else if (offer.willing && !offer.round) {
    Offer(store, offer);
  }
}

void Coordinator::HangUp(Certificate caller, uint64_t call) {
  parts_.executor.Post([=, this, caller = std::move(caller)] {
    if (StatusOr<StoreId> store = StoreOf(caller.identity()); store.ok()) waiting_.Leave(*store, call);
    parts_.metrics.SetWaiting(waiting_.size());
  });
}

std::optional<Instruction> Coordinator::InstructionFor(const StoreId& store, const CheckIn& check_in) const {
  if (check_in.round) {
    const ActiveJob* job = FindRound(*check_in.round);
    return job == nullptr ? ClosedRound(store, *check_in.round) : InstructionInRound(store, *job, check_in.standing);
  }
  // A store that knows of no round may have been asked to train by an answer that got lost.
  for (const auto& [id, job] : jobs_) {
    if (job.round == nullptr) continue;
    const Duty duty = job.round->machine().DutyOf(store);
    if (const auto* train = std::get_if<DutyTrain>(&duty)) return TrainingTask(job, train->deadline);
  }
  return std::nullopt;
}

std::optional<Instruction> Coordinator::InstructionInRound(const StoreId& store, const ActiveJob& job,
                                                           StoreStanding standing) const {
  const RoundId& round = job.round->id();
  using Maybe = std::optional<Instruction>;
  return std::visit(Overloaded{[&](const DutyTrain& train) -> Maybe {
                                 if (standing == StoreStanding::kTraining)
                                   return std::nullopt;  // It knows; it waits for a change.
                                 return TrainingTask(job, train.deadline);
                               },
                               [&](const DutyUpload&) -> Maybe {
                                 return TaskIn(std::get<Collecting>(job.round->machine().phase()), round, store);
                               },
                               [&](const DutyStep&) -> Maybe { return StepFor(store, job); },
                               [](const DutyWait&) -> Maybe { return std::nullopt; },
                               [&](const DutyDone& done) -> Maybe {
                                 const auto* committed = std::get_if<Committed>(&job.round->machine().phase());
                                 return RoundClosed{
                                     .round = round,
                                     .outcome = done.outcome,
                                     .reason = done.reason,
                                     .model_version = committed == nullptr ? 0 : committed->model_version};
                               },
                               [&](const NoDuty&) -> Maybe {
                                 return RoundClosed{.round = round,
                                                    .outcome = RoundOutcome::kLeftOut,
                                                    .reason = "this store has no part in the round"};
                               }},
                    job.round->machine().DutyOf(store));
}

TrainInstruction Coordinator::TrainingTask(const ActiveJob& job, absl::Time deadline) const {
  return {.round = job.round->id(),
          .plan = job.record.plan,
          .weights = job.weights,
          .deadline = deadline,
          .rounds_total = job.record.rounds_total,
          .plan_signature = job.record.plan_signature,
          .clip_norm = job.clip_norm};
}

Instruction Coordinator::ClosedRound(const StoreId& store, const RoundId& round) const {
  RoundClosed closed{.round = round, .outcome = RoundOutcome::kAborted, .reason = "the round isn't known here"};
  const StatusOr<std::optional<RoundRecord>> record = parts_.state.FindRound(round);
  if (!record.ok() || !*record) return closed;
  const auto seat = std::ranges::find((*record)->stores, store, &StoreInRound::store);
  const bool gave = seat != (*record)->stores.end() && seat->outcome == StoreOutcome::kCollected;
  closed.reason = (*record)->abort_reason;
  if ((*record)->phase != RoundPhase::kCommitted) return closed;
  closed.outcome = gave ? RoundOutcome::kCommitted : RoundOutcome::kLeftOut;
  closed.reason = gave ? "" : "the round was committed without this store";
  closed.model_version = (*record)->model_version;
  return closed;
}

void Coordinator::AnswerIfDue(const StoreId& store) {
  const CheckIn* check_in = waiting_.Find(store);
  if (check_in == nullptr) return;
  if (std::optional<Instruction> instruction = InstructionFor(store, *check_in)) {
    waiting_.Answer(store, *std::move(instruction));
    parts_.metrics.SetWaiting(waiting_.size());
  } else if (check_in->willing && !check_in->round) {
    Offer(store, *check_in);  // Released by one round, it may serve another.
  }
}

bool Coordinator::IsBusy(const StoreId& store) const {
  return std::ranges::any_of(jobs_, [&](const auto& entry) {
    const auto& round = entry.second.round;
    if (round == nullptr) return false;
    const Duty duty = round->machine().DutyOf(store);
    return !std::holds_alternative<NoDuty>(duty) && !std::holds_alternative<DutyDone>(duty);
  });
}

Opening Coordinator::OpeningOf(const ActiveJob& job) {
  Opening opening{.job = job.record.id,
                  .priority = job.record.priority,
                  .stores_served = job.stores_served,
                  .plan = job.record.plan.digest,
                  .secure_sum = job.plan->plan.privacy.secure_sum};
  for (const TableNeed& table : job.plan->plan.tables) opening.tables.push_back(table.name);
  return opening;
}

void Coordinator::Offer(const StoreId& store, const CheckIn& check_in) {
  if (IsBusy(store)) return;
  const Candidate candidate{.rounds_joined = stores_.RoundsSelected(store)};
  std::vector<Opening> openings;
  for (const auto& [id, job] : jobs_) {
    if (job.round == nullptr || IsLeftOut(job, store)) continue;
    if (job.round->machine().Wants(candidate)) openings.push_back(OpeningOf(job));
  }
  const std::optional<size_t> chosen = Choose(openings, check_in);
  if (!chosen) return;
  jobs_.at(openings[*chosen].job)
      .round->Submit(StoreOffered{.store = store, .candidate = candidate}, [](const Status&) {});
}

void Coordinator::OfferWaiting(const RoundId& opened) {
  const ActiveJob* job = FindRound(opened);
  if (job == nullptr) return;
  const RoundMachine& round = job->round->machine();
  std::vector<std::pair<Rank, StoreId>> willing;
  for (const StoreId& store : waiting_.Stores()) {
    const CheckIn* check_in = waiting_.Find(store);
    if (!check_in->willing || check_in->round) continue;
    willing.emplace_back(round.RankFor(store, {.rounds_joined = stores_.RoundsSelected(store)}), store);
  }
  std::ranges::sort(willing);
  for (const auto& [rank, store] : willing) Offer(store, *waiting_.Find(store));
}

void Coordinator::Report(Certificate caller, OutcomeReport report, Done done) {
  parts_.executor.Post([=, this, caller = std::move(caller), report = std::move(report), done = std::move(done)] {
    const StatusOr<StoreId> store = AdmitCaller(caller);
    if (!store.ok()) return done(store.status());
    ActiveJob* job = FindRound(report.round);
    if (job == nullptr) return done(RoundGone(report.round));
    if (const auto* refused = std::get_if<Refused>(&report.outcome)) {
      stores_.NoteRefusal(*store, fmt::format("{}: {}: {}", report.round, NameOf(refused->reason), refused->detail));
    }
    parts_.metrics.OutcomeReported(report.outcome);
    job->round->Submit(OutcomeReported{.store = *store, .outcome = report.outcome}, done);
  });
}

}  // namespace aisle

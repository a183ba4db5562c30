// Rounds: when one opens, how its sum becomes the next model, and what follows when it closes.
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/cover.h"
#include "base/log.h"
#include "coordinator/driver/coordinator.h"
#include "coordinator/jobs/masked_sum.h"
#include "privacy/accounting/price.h"

namespace aisle {
namespace {

// A sum that failed for want of disk is tried again: nothing accepted is lost.
constexpr absl::Duration kApplyAgainAfter = absl::Seconds(5);
constexpr uint32_t kRoundsLeftOut = 100;    // Of a store that spoilt a sum.
constexpr uint64_t kLargeModel = 16 << 20;  // Bytes.

bool WorthTryingAgain(const Status& status) {
  return status.code() == StatusCode::kResourceExhausted || status.code() == StatusCode::kUnavailable;
}

std::optional<SumPolicy> SumPolicyOf(const ActiveJob& job) {
  const PrivacyContract& contract = job.plan->plan.privacy;
  if (!contract.secure_sum) return std::nullopt;
  return SumPolicy{.plan = job.record.plan.digest,
                   .corrupt_permille = contract.corrupt_permille,
                   .dropout_permille = contract.dropout_permille,
                   .summing_for = job.plan->plan.deadlines.summing};
}

// `joined`: the rounds joined before by each store that may come.
RoundPolicy PolicyOf(const ActiveJob& job, std::vector<uint64_t> joined, absl::Duration turn_wait) {
  const Plan& plan = job.plan->plan;
  const auto wanted = static_cast<size_t>(std::ceil(job.record.cohort_target * plan.over_selection));
  const size_t possible = std::clamp<size_t>(joined.size(), plan.privacy.cohort_min, std::max<size_t>(wanted, 1));
  return {.cohort_min = plan.privacy.cohort_min,
          .cohort_target = job.record.cohort_target,
          .selection_wanted = static_cast<uint32_t>(std::max<size_t>(possible, plan.privacy.cohort_min)),
          .turn = TurnOf(std::move(joined), possible),
          .turn_wait = turn_wait,
          .selecting_for = plan.deadlines.selecting,
          .training_for = plan.deadlines.training,
          .collecting_for = plan.deadlines.collecting,
          .update_size = job.plan->update_size(),
          .sum = SumPolicyOf(job)};
}

struct Epsilons {
  double floor = std::numeric_limits<double>::infinity();
  double aggregate = std::numeric_limits<double>::infinity();
};

// What the job has cost so far a store that took part in every committed round.
Epsilons EpsilonsOf(const ActiveJob& job) {
  const PrivacyContract& contract = job.plan->plan.privacy;
  if (contract.unit() == PrivacyUnit::kNone) return {};
  const uint32_t stores = contract.honest_stores_min();
  const StatusOr<Price> price = PriceOf(PriceQueryOf(contract, job.record.rounds_committed, stores));
  if (!price.ok()) return {};
  // Where headquarters sees each store's vector, nothing but the store's own noise protects it.
  return {.floor = price->ledger_epsilon, .aggregate = stores > 1 ? price->aggregate_epsilon : price->ledger_epsilon};
}

}  // namespace

std::string Coordinator::SpoolFolder(const RoundId& round) const {
  return fmt::format("{}/{}@{}", parts_.spool_folder, round.job, round.number);
}

Status Coordinator::OpenSpool(ActiveJob& job, const RoundId& round) {
  std::erase_if(spools_, [](const auto& entry) { return entry.second.expired(); });
  const std::string folder = SpoolFolder(round);
  job.spool = spools_[folder].lock();
  if (job.spool == nullptr) {
    AISLE_ASSIGN_OR_RETURN(job.spool, UploadSpool::Open(folder, job.plan->update_size()));
    spools_[folder] = job.spool;
  }
  job.folds = std::make_unique<FoldLine>(job.spool, parts_.workshop);
  return OkStatus();
}

void Coordinator::OpenRoundAfter(ActiveJob& job, absl::Duration pause) {
  parts_.executor.Cancel(job.reopen);
  job.reopen = parts_.executor.PostAt(parts_.executor.Now() + pause, [this, id = job.record.id] {
    const auto found = jobs_.find(id);
    if (found != jobs_.end() && found->second.round == nullptr && !stopping_) OpenRound(found->second);
  });
}

void Coordinator::OpenRound(ActiveJob& job) {
  if (job.record.state != JobState::kQueued && job.record.state != JobState::kRunning) return;
  if (job.record.rounds_committed >= job.record.rounds_total) return EndJob(job, JobState::kFinished, "");
  const RoundId id{.job = job.record.id, .number = job.record.next_round_number};
  if (Status opened = OpenSpool(job, id); !opened.ok()) {
    LogError("round {} can't open its spool: {}", id, MessageOf(opened));
    return OpenRoundAfter(job, kApplyAgainAfter);
  }
  job.record.state = JobState::kRunning;
  ++job.record.next_round_number;
  job.phase_began = parts_.executor.Now();
  const auto may_come = [opening = OpeningOf(job), &job](const StoreId& store, const CheckIn& check_in) {
    return (check_in.willing || check_in.round) && CouldServe(opening, check_in) && !IsLeftOut(job, store);
  };
  const RoundOpened opened{
      .policy = PolicyOf(job, stores_.RoundsOfPresent(policy_.presence_window, may_come), policy_.turn_wait),
      .seed = parts_.random.Draw64()};
  job.round = RoundDriver::Open(id, opened, parts_.executor, commit_, HouseOf(id.job));
  commit_.change().Put(job.record);
  commit_.Then([this, id](const Status& durable) {
    if (!durable.ok()) return;
    LogInfo("round {} is open", id);
    OfferWaiting(id);
    NotifyWatchers(id.job);
  });
}

RoundDriver::House Coordinator::HouseOf(const JobId& id) {
  const auto with_job = [this, id](auto act) {
    const auto found = jobs_.find(id);
    if (found != jobs_.end()) act(found->second);
  };
  return {
      .duty_changed = [this](const StoreId& store) { AnswerIfDue(store); },
      .fold =
          [=](const StoreId& store, const BlobName& update) {
            with_job([&](ActiveJob& job) {
              job.folds->Fold(store, update, [store](const Status& folded) {
                if (!folded.ok()) LogError("{}'s update can't be folded: {}", store, MessageOf(folded));
              });
            });
          },
      .apply_sum = [=, this](const aisle::ApplySum& apply) { with_job([&](ActiveJob& job) { ApplySum(job, apply); }); },
      .distrust = [=, this](const StoreId& store,
                            const std::string& why) { with_job([&](ActiveJob& job) { LeaveOut(job, store, why); }); },
      .changed = [=, this](PhaseName before,
                           PhaseName now) { with_job([&](ActiveJob& job) { OnRoundChanged(job, before, now); }); },
      .absent =
          [=, this](const std::set<StoreId>& offered) {
            const auto found = jobs_.find(id);
            return found == jobs_.end() ? std::vector<AbsentStores>() : AbsentFrom(found->second, offered);
          },
      .received =
          [=, this](const StoreId& store) {
            const auto found = jobs_.find(id);
            return found == jobs_.end() || !found->second.spool ? 0 : found->second.spool->Received(store);
          },
      .closed = [=, this] {  // Not from within the driver that is about to go.
        parts_.executor.Post([=, this] { with_job([&](ActiveJob& job) { OnRoundClosed(job); }); });
      }};
}

void Coordinator::OnRoundChanged(ActiveJob& job, PhaseName before, PhaseName now) {
  if (before != now) {
    const absl::Time at = parts_.executor.Now();
    parts_.metrics.PhaseEnded(before, at - job.phase_began);
    job.phase_began = at;
    if (now == PhaseName::kSharing) SignRoster(job);
    if (now == PhaseName::kTraining) {
      std::vector<StoreId> selected;
      for (const auto& [store, seat] : RosterOf(job.round->machine().phase())->seats()) selected.push_back(store);
      job.stores_served += selected.size();
      stores_.CountSelected(selected);
    }
  }
  NotifyWatchers(job.record.id);
}

bool Coordinator::IsLeftOut(const ActiveJob& job, const StoreId& store) {
  return std::ranges::any_of(job.record.left_out, [&](const LeftOutStore& left_out) {
    return left_out.store == store && job.record.next_round_number - 1 <= left_out.until_round;
  });
}

// The privacy that a spoilt round cost the others is spent: it isn't risked again at once with the same store.
void Coordinator::LeaveOut(ActiveJob& job, const StoreId& store, const std::string& why) {
  AISLE_COVER("coordinator.store_left_out");
  LogWarning("{} is left out of the next {} rounds of job {}: {}", store, kRoundsLeftOut, job.record.id, why);
  std::erase_if(job.record.left_out, [&](const LeftOutStore& known) {
    return known.store == store || known.until_round < job.record.next_round_number;
  });
  job.record.left_out.push_back({.store = store, .until_round = job.record.next_round_number - 1 + kRoundsLeftOut});
  stores_.NoteRefusal(store, fmt::format("{}: share_wrong: {}", job.round->id(), why));
  commit_.change().Put(job.record);
}

void Coordinator::ApplySum(ActiveJob& job, const aisle::ApplySum& apply) {
  const std::shared_ptr<const JobPlan> plan = job.plan;
  const ModelBefore before{.weights = job.weights,
                           .optimizer_state = job.record.optimizer_state,
                           .clip_norm = job.clip_norm,
                           .version = job.record.rounds_committed,  // Versions may have gaps; means have none.
                           .published = job.published};
  const RoundId round = job.round->id();
  job.folds->Take(apply.survivors, [=, this, survivors = apply.survivors](StatusOr<ModularSum> sum) {
    std::vector<StoreId> at_fault;
    if (sum.ok() && apply.transcript != nullptr) {
      if (Status bare = TakeMasksOff(*apply.transcript, *sum); !bare.ok()) {
        sum = bare;
        at_fault = secagg::WrongDealers(*apply.transcript);
      }
    }
    if (plan->update_size() >= kLargeModel) malloc_trim(0);  // What a hundred streams left behind: it needs the room.
    StatusOr<NextModel> next =
        sum.ok() ? MakeNextModel(*plan, before, *sum, static_cast<uint32_t>(survivors.size()), parts_.blobs)
                 : StatusOr<NextModel>(sum.status());
    sum = Unavailable("handed over");  // Gives the memory back before the next round asks for it.
    parts_.executor.Post([=, this, next = std::move(next), at_fault = std::move(at_fault)]() mutable {
      ActiveJob* found = FindRound(round);
      if (found == nullptr) return;
      if (next.ok()) return Publish(*found, round, survivors, *std::move(next));
      LogError("round {} has no model: {}", round, MessageOf(next.status()));
      if (!WorthTryingAgain(next.status())) {
        return found->round->Submit(
            CommitFailed{.explanation = std::string(MessageOf(next.status())), .at_fault = std::move(at_fault)},
            [](const Status&) {});
      }
      AISLE_COVER("coordinator.commit_retried");
      found->round->NoteCommitTrouble(std::string(MessageOf(next.status())));
      parts_.executor.PostAt(parts_.executor.Now() + kApplyAgainAfter, [=, this] {
        if (ActiveJob* again = FindRound(round); again != nullptr) again->round->Restart(policy_.restart_grace);
      });
    });
  });
}

void Coordinator::Publish(ActiveJob& job, const RoundId& round, const std::vector<StoreId>& survivors, NextModel next) {
  const std::optional<BlobName> state_before = job.record.optimizer_state;
  const auto stores = static_cast<uint32_t>(survivors.size());
  ++job.record.rounds_committed;
  job.record.model_version = std::max(job.record.model_version, job.record.version_floor) + 1;
  job.record.aborted_in_a_row = 0;
  job.record.optimizer_state = next.optimizer_state;
  job.weights = next.weights;
  job.published = next.published;
  job.clip_norm = next.clip_norm;
  const Epsilons epsilons = EpsilonsOf(job);
  const ModelRecord model{.job = job.record.id,
                          .version = job.record.model_version,
                          .weights = next.published,
                          .round = round,
                          .stores = stores,
                          .plan = job.record.plan.digest,
                          .epsilon_floor = epsilons.floor,
                          .epsilon_aggregate = epsilons.aggregate,
                          .delta = job.plan->plan.privacy.delta,
                          .privacy_unit = std::string(ToString(job.plan->plan.privacy.unit())),
                          .published_at = parts_.executor.Now(),
                          .metrics = next.metrics,
                          .clip_norm = next.clip_norm,
                          .reached = next.weights == next.published ? std::nullopt : std::optional(next.weights)};
  AISLE_COVER("commit.publication.before");
  commit_.change().Publish(model).Put(job.record);
  job.round->SetMetrics(std::move(next.metrics));
  stores_.CountCollected(survivors);
  job.round->Publish(model.version, [=, this, id = job.record.id](const Status& durable) {
    if (!durable.ok()) return;
    AISLE_COVER("commit.publication.after");
    LogInfo("round {} published version {} from {} stores", round, model.version, stores);
    // The state before is only needed to replay a commit that has now happened.
    if (state_before && state_before != model.optimizer_state) (void)parts_.blobs.Remove(state_before->digest);
  });
}

void Coordinator::OnRoundClosed(ActiveJob& job) {
  if (job.round == nullptr || !job.round->machine().closed()) return;
  const RoundId round = job.round->id();
  const Phase& phase = job.round->machine().phase();
  const auto* aborted = std::get_if<Aborted>(&phase);
  const absl::Duration took = parts_.executor.Now() - job.round->machine().opened_at();
  parts_.metrics.RoundClosed(phase, took);
  absl::Duration pause = absl::ZeroDuration();
  std::string failure;
  if (aborted == nullptr) {
    job.round_seconds.push_back(absl::ToDoubleSeconds(took));
    job.pauses_in_a_row = 0;
  } else {
    LogWarning("round {} aborted: {}", round, aborted->explanation);
    ++job.record.rounds_aborted;
    if (aborted->reason != AbortReason::kTooFewStores) ++job.record.aborted_in_a_row;
    if (job.record.aborted_in_a_row >= policy_.aborts_in_a_row_max) {
      failure = fmt::format("{} rounds in a row were aborted; the last: {}", job.record.aborted_in_a_row,
                            aborted->explanation);
    }
    pause = std::min(policy_.reopen_max, policy_.reopen_min * std::exp2(std::min(++job.pauses_in_a_row, 20U)));
    commit_.change().Put(job.record);
  }
  AISLE_COVER("commit.round_closed.after");
  const std::string folder = job.spool->folder();
  job.round.reset();
  job.folds.reset();
  job.spool.reset();
  job.roster.reset();
  spools_.erase(folder);
  parts_.workshop.Post([folder] { (void)UploadSpool::Remove(folder); });  // Gigabytes take a while to give back.
  if (!failure.empty()) return EndJob(job, JobState::kFailed, std::move(failure));
  if (job.record.state == JobState::kCancelled) return EndJob(job, JobState::kCancelled, job.record.state_reason);
  if (pause == absl::ZeroDuration()) return OpenRound(job);
  OpenRoundAfter(job, pause);
  NotifyWatchers(job.record.id);
}

void Coordinator::EndJob(ActiveJob& job, JobState state, std::string reason) {
  job.record.state = state;
  job.record.state_reason = std::move(reason);
  job.record.ended_at = parts_.executor.Now();
  commit_.change().Put(job.record);
  AISLE_COVER("commit.job_ended.before");
  commit_.Then([this, id = job.record.id, state](const Status& durable) {
    if (!durable.ok()) return;
    LogInfo("job {} is {}", id, NameOf(state));
    parts_.executor.Cancel(jobs_.contains(id) ? jobs_.at(id).reopen : 0);
    jobs_.erase(id);
    NotifyWatchers(id);
  });
}

}  // namespace aisle

#include "coordinator/services/read_models.h"

#include <algorithm>

#include "proto/convert/fleet.h"

namespace aisle {
namespace {

int64_t UnixMs(absl::Time time) { return absl::ToUnixMillis(time); }
int64_t UnixMs(const std::optional<absl::Time>& time) { return time ? absl::ToUnixMillis(*time) : 0; }
std::string Bytes(const Digest& digest) { return std::string(digest.view()); }

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace

v1::Job JobView(const JobRecord& record, const JobPlan* plan, const Coordinator& coordinator) {
  v1::Job view;
  view.set_id(record.id.str());
  view.set_state(static_cast<v1::JobState>(record.state));
  view.set_state_reason(record.state_reason);
  view.set_plan_name(record.plan_name);
  view.set_plan_sha256(Bytes(record.plan.digest));
  view.set_rounds_total(record.rounds_total);
  view.set_rounds_committed(record.rounds_committed);
  view.set_rounds_aborted(record.rounds_aborted);
  view.set_model_version(record.model_version);
  view.set_submitted_unix_ms(UnixMs(record.submitted_at));
  view.set_ended_unix_ms(UnixMs(record.ended_at));
  view.set_priority(record.priority);
  view.set_cohort_target(record.cohort_target);
  if (plan != nullptr) {
    const PrivacyContract& contract = plan->plan.privacy;
    view.set_privacy_unit(std::string(ToString(contract.unit())));
    view.set_delta(contract.delta);
    view.set_cohort_min(contract.cohort_min);
    view.set_parameters(plan->shape.parameter_count());
  }
  const StatusOr<std::optional<ModelRecord>> model = coordinator.state().FindModel(record.id, record.model_version);
  if (model.ok() && *model) {
    view.set_epsilon_floor((*model)->epsilon_floor);
    view.set_epsilon_aggregate((*model)->epsilon_aggregate);
  }
  return view;
}

v1::Job JobView(const JobRecord& record, const Coordinator& coordinator) {
  const auto active = coordinator.jobs().find(record.id);
  if (active != coordinator.jobs().end()) return JobView(record, active->second.plan.get(), coordinator);
  const StatusOr<JobPlan> plan = OpenJobPlan(coordinator.blobs(), record.plan.digest);
  return JobView(record, plan.ok() ? &*plan : nullptr, coordinator);
}

v1::Round RoundView(const RoundRecord& record, bool with_stores) {
  v1::Round view;
  ToProto(record.id, view.mutable_round());
  view.set_phase(static_cast<v1::RoundPhase>(record.phase));
  view.set_opened_unix_ms(UnixMs(record.opened_at));
  view.set_closed_unix_ms(UnixMs(record.closed_at));
  view.set_phase_closes_unix_ms(UnixMs(record.phase_closes_at));
  view.set_stores_selected(record.stores_selected);
  view.set_stores_trained(record.stores_trained);
  view.set_stores_collected(record.stores_collected);
  view.set_stores_refused(record.stores_refused);
  view.set_stores_failed(record.stores_failed);
  view.set_abort_reason(record.abort_reason);
  view.mutable_metrics()->insert(record.metrics.begin(), record.metrics.end());
  view.set_bytes_up(record.bytes_up);
  view.set_bytes_down(record.bytes_down);
  view.set_model_version(record.model_version);
  view.set_stores_stepped(record.stores_stepped);
  view.set_stores_asked(record.stores_asked);
  if (!with_stores) return view;
  for (const StoreInRound& store : record.stores) {
    v1::StoreInRound* seat = view.add_stores();
    seat->set_store(store.store.str());
    seat->set_state(std::string(NameOf(store.outcome)));
    seat->set_detail(store.detail);
  }
  return view;
}

v1::Store StoreView(const StoreRecord& record) {
  v1::Store view;
  view.set_id(record.id.str());
  view.set_state(std::string(NameOf(record.state)));
  view.set_last_seen_unix_ms(UnixMs(record.last_seen));
  view.set_agent_version(record.agent_version);
  view.set_certificate_expires_unix_ms(UnixMs(record.certificate_not_after));
  view.set_rounds_joined(record.rounds_selected);
  view.set_rounds_collected(record.rounds_collected);
  view.set_last_refusal(record.last_refusal);
  if (record.ledger) {
    view.set_ledger_entries(record.ledger->entries);
    view.set_ledger_sha256(Bytes(record.ledger->digest));
  }
  view.set_ledger_unix_ms(UnixMs(record.ledger_at));
  view.set_ledger_trouble(record.ledger_trouble);
  return view;
}

v1::Model ModelView(const ModelRecord& record) {
  v1::Model view;
  view.set_job(record.job.str());
  view.set_version(record.version);
  ToProto(record.weights, view.mutable_weights());
  ToProto(record.round, view.mutable_round());
  view.set_stores(record.stores);
  view.set_plan_sha256(Bytes(record.plan));
  view.set_epsilon_floor(record.epsilon_floor);
  view.set_epsilon_aggregate(record.epsilon_aggregate);
  view.set_delta(record.delta);
  view.set_privacy_unit(record.privacy_unit);
  view.set_published_unix_ms(UnixMs(record.published_at));
  view.mutable_metrics()->insert(record.metrics.begin(), record.metrics.end());
  return view;
}

StatusOr<JobRecord> FindJobRecord(const Coordinator& coordinator, const JobId& job) {
  const auto active = coordinator.jobs().find(job);
  if (active != coordinator.jobs().end()) return active->second.record;
  AISLE_ASSIGN_OR_RETURN(const std::optional<JobRecord> record, coordinator.state().FindJob(job));
  if (!record) return NotFound("there is no job {}; 'aisle job list' shows them all", job);
  return *record;
}

StatusOr<RoundRecord> FindRoundRecord(const Coordinator& coordinator, const RoundId& round) {
  const auto active = coordinator.jobs().find(round.job);
  if (active != coordinator.jobs().end() && active->second.round != nullptr && active->second.round->id() == round) {
    return active->second.round->Record();
  }
  AISLE_ASSIGN_OR_RETURN(const std::optional<RoundRecord> record, coordinator.state().FindRound(round));
  if (!record) return NotFound("there is no round {}", round);
  return *record;
}

StatusOr<v1::JobSnapshot> SnapshotOf(const Coordinator& coordinator, const JobId& job) {
  AISLE_ASSIGN_OR_RETURN(const JobRecord record, FindJobRecord(coordinator, job));
  v1::JobSnapshot snapshot;
  *snapshot.mutable_job() = JobView(record, coordinator);
  snapshot.set_at_unix_ms(UnixMs(coordinator.now()));
  snapshot.set_stores_waiting(coordinator.waiting());
  const auto active = coordinator.jobs().find(job);
  if (active != coordinator.jobs().end()) snapshot.set_seconds_per_round(Median(active->second.round_seconds));
  if (record.next_round_number > 1) {
    const StatusOr<RoundRecord> round =
        FindRoundRecord(coordinator, {.job = job, .number = record.next_round_number - 1});
    if (round.ok()) *snapshot.mutable_round() = RoundView(*round, false);
  }
  return snapshot;
}

}  // namespace aisle

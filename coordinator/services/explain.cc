#include "coordinator/services/explain.h"

#include <algorithm>

#include "coordinator/explain/explain_job.h"
#include "coordinator/explain/explain_round.h"
#include "coordinator/explain/explain_store.h"
#include "coordinator/services/read_models.h"
#include "proto/convert/fleet.h"

namespace aisle {
namespace {

constexpr size_t kRoundsLookedAt = 20;         // Of a job.
constexpr size_t kRoundsLookedAtOfStore = 10;  // Of all jobs together.

v1::Explanation ViewOf(const Explanation& explanation) {
  v1::Explanation view;
  view.set_headline(explanation.headline);
  for (const Finding& finding : explanation.findings) {
    v1::Finding* added = view.add_findings();
    added->set_cause(finding.cause);
    for (const StoreId& store : finding.stores) added->add_stores(store.str());
    added->set_sentence(finding.sentence);
    added->set_fix(finding.fix);
  }
  return view;
}

// The latest rounds as they stand this moment, oldest first.
StatusOr<std::vector<RoundRecord>> LatestRounds(const Coordinator& coordinator, const JobId& job) {
  AISLE_ASSIGN_OR_RETURN(std::vector<RoundRecord> rounds, coordinator.state().ListRounds(job, kRoundsLookedAt));
  for (RoundRecord& round : rounds) {
    if (round.closed_at) continue;
    AISLE_ASSIGN_OR_RETURN(round, FindRoundRecord(coordinator, round.id));
  }
  return rounds;
}

StatusOr<v1::Explanation> OfRound(const Coordinator& coordinator, const v1::RoundRef& named) {
  AISLE_ASSIGN_OR_RETURN(const JobId job, JobId::Parse(named.job()));
  AISLE_RETURN_IF_ERROR(FindJobRecord(coordinator, job).status());
  AISLE_ASSIGN_OR_RETURN(const std::vector<RoundRecord> rounds, LatestRounds(coordinator, job));
  if (named.number() == 0 && rounds.empty()) return NotFound("job {} has had no round yet", job);
  const RoundId id = named.number() == 0 ? rounds.back().id : RoundId{.job = job, .number = named.number()};
  AISLE_ASSIGN_OR_RETURN(const RoundRecord round, FindRoundRecord(coordinator, id));
  std::vector<RoundRecord> before;
  for (const RoundRecord& other : rounds) {
    if (other.id.number < id.number && other.phase == RoundPhase::kCommitted) before.push_back(other);
  }
  return ViewOf(ExplainRound(round, before, coordinator.now()));
}

// Closed rounds of all jobs with a seat of this store, newest first.
StatusOr<std::vector<RoundRecord>> RoundsOf(const Coordinator& coordinator, const StoreId& store) {
  std::vector<RoundRecord> rounds;
  AISLE_ASSIGN_OR_RETURN(const std::vector<JobRecord> jobs, coordinator.state().ListJobs());
  for (const JobRecord& job : jobs) {
    AISLE_ASSIGN_OR_RETURN(std::vector<RoundRecord> latest, coordinator.state().ListRounds(job.id, kRoundsLookedAt));
    for (RoundRecord& round : latest) {
      const bool seated = std::ranges::find(round.stores, store, &StoreInRound::store) != round.stores.end();
      if (round.closed_at && seated) rounds.push_back(std::move(round));
    }
  }
  std::ranges::sort(rounds, std::ranges::greater(), &RoundRecord::opened_at);
  if (rounds.size() > kRoundsLookedAtOfStore) rounds.erase(rounds.begin() + kRoundsLookedAtOfStore, rounds.end());
  return rounds;
}

StatusOr<v1::Explanation> OfStore(const Coordinator& coordinator, const std::string& name) {
  AISLE_ASSIGN_OR_RETURN(const StoreId id, StoreId::Parse(name));
  AISLE_ASSIGN_OR_RETURN(const StoreRecord record, coordinator.stores().Find(id));
  StoreFacts facts{.store = coordinator.AtHand(record),
                   .works_for = coordinator.WorksFor(id),
                   .openings = {},
                   .rounds = {},
                   .heard_within = coordinator.policy().presence_window};
  for (const auto& [job, active] : coordinator.jobs()) facts.openings.push_back(Coordinator::OpeningOf(active));
  AISLE_ASSIGN_OR_RETURN(facts.rounds, RoundsOf(coordinator, id));
  return ViewOf(ExplainStore(facts, coordinator.now()));
}

StatusOr<v1::Explanation> OfJob(const Coordinator& coordinator, const std::string& name) {
  AISLE_ASSIGN_OR_RETURN(const JobId id, JobId::Parse(name));
  JobFacts facts;
  AISLE_ASSIGN_OR_RETURN(facts.job, FindJobRecord(coordinator, id));
  AISLE_ASSIGN_OR_RETURN(facts.rounds, LatestRounds(coordinator, id));
  AISLE_ASSIGN_OR_RETURN(const std::vector<StoreRecord> stores, coordinator.stores().List());
  facts.stores_enrolled = static_cast<size_t>(std::ranges::count(stores, StoreState::kEnrolled, &StoreRecord::state));
  for (const auto& [other, active] : coordinator.jobs()) {
    if (other == id) facts.cohort_min = active.plan->plan.privacy.cohort_min;
    if (active.record.priority > facts.job.priority) facts.goes_first = other;
  }
  return ViewOf(ExplainJob(facts, coordinator.now()));
}

}  // namespace

StatusOr<v1::Explanation> Explain(const Coordinator& coordinator, const v1::ExplainRequest& request) {
  if (request.has_round()) return OfRound(coordinator, request.round());
  if (!request.store().empty()) return OfStore(coordinator, request.store());
  if (!request.job().empty()) return OfJob(coordinator, request.job());
  return InvalidArgument("name a round, a store or a job to explain");
}

}  // namespace aisle

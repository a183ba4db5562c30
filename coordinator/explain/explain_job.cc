#include "coordinator/explain/explain_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "coordinator/explain/advice.h"
#include "coordinator/explain/explain_round.h"

namespace aisle {
namespace {

// A cause over several rounds.
struct Recurring {
  Finding latest;
  size_t rounds = 0;
};

// What ended the aborted ones among the rounds, the most frequent cause first.
std::vector<Recurring> CausesOf(const std::vector<RoundRecord>& rounds, absl::Time now) {
  std::vector<Recurring> causes;
  for (const RoundRecord& round : rounds) {
    if (round.phase != RoundPhase::kAborted) continue;
    Finding cause = MainCause(round, now);
    if (cause.cause.empty()) continue;
    auto known =
        std::ranges::find_if(causes, [&](const Recurring& other) { return other.latest.cause == cause.cause; });
    if (known == causes.end()) known = causes.insert(causes.end(), Recurring{});
    known->latest = std::move(cause);
    ++known->rounds;
  }
  std::ranges::stable_sort(causes, [](const Recurring& a, const Recurring& b) { return a.rounds > b.rounds; });
  return causes;
}

std::string Headline(const JobFacts& facts) {
  const JobRecord& job = facts.job;
  return fmt::format("Job {} is {}: {} of {} rounds are committed, {} were aborted.", job.id, NameOf(job.state),
                     job.rounds_committed, job.rounds_total, job.rounds_aborted);
}

void AddState(const JobFacts& facts, std::vector<Finding>& findings) {
  const JobRecord& job = facts.job;
  if (job.state == JobState::kCancelled) {
    findings.push_back(MakeFinding(
        "cancelled", {},
        fmt::format("It was cancelled: {}.", job.state_reason.empty() ? "no reason was given" : job.state_reason)));
  }
  if (job.state == JobState::kFailed) {
    findings.push_back(MakeFinding("aborted_in_a_row", {}, fmt::format("It was given up: {}.", job.state_reason)));
  }
  if (job.state != JobState::kQueued && job.state != JobState::kRunning) return;
  if (facts.cohort_min > facts.stores_enrolled) {
    findings.push_back(MakeFinding("chain_too_small", {},
                                   fmt::format("Its plan needs {} stores in a round, and {} are enrolled.",
                                               facts.cohort_min, facts.stores_enrolled)));
  }
}

// The last round found its stores at work elsewhere.
bool IsStarved(const JobFacts& facts) {
  if (facts.rounds.empty()) return false;
  const std::vector<AbsentStores>& absent = facts.rounds.back().absent;
  return facts.goes_first && !absent.empty() && absent.front().why == Absence::kBusy;
}

}  // namespace

Explanation ExplainJob(const JobFacts& facts, absl::Time now) {
  Explanation explanation{.headline = Headline(facts)};
  AddState(facts, explanation.findings);
  if (IsStarved(facts)) {
    explanation.findings.push_back(MakeFinding(
        "waiting_for_turn", {}, fmt::format("Job {} has a higher priority and the stores.", *facts.goes_first)));
  }
  for (Recurring& cause : CausesOf(facts.rounds, now)) {
    Finding& finding = cause.latest;
    finding.sentence = fmt::format("{} of its last {} rounds were aborted for this; the latest: {}", cause.rounds,
                                   facts.rounds.size(), finding.sentence);
    explanation.findings.push_back(std::move(finding));
  }
  const bool open = !facts.rounds.empty() && !facts.rounds.back().closed_at;
  if (open || explanation.findings.empty()) {  // Nothing was aborted: is the latest round slow?
    if (facts.rounds.empty()) return explanation;
    const std::vector<RoundRecord> before(facts.rounds.begin(), facts.rounds.end() - 1);
    Explanation latest = ExplainRound(facts.rounds.back(), before, now);
    if (open) explanation.headline += " " + latest.headline;
    std::ranges::move(latest.findings, std::back_inserter(explanation.findings));
  }
  return explanation;
}

}  // namespace aisle

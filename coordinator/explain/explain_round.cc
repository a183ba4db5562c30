#include "coordinator/explain/explain_round.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/clock.h"
#include "coordinator/explain/advice.h"
#include "coordinator/round/phase.h"

namespace aisle {
namespace {

// Stores of one cause, gathered; the first one's words stand for all.
class Groups {
 public:
  void Add(std::string_view cause, const StoreId& store, std::string words) {
    const auto [group, is_new] = groups_.try_emplace(std::string(cause));
    if (is_new) group->second.words = std::move(words);
    group->second.stores.push_back(store);
  }
  // The largest first.
  void MoveTo(std::vector<Finding>& findings) {
    std::vector<Finding> sorted;
    for (auto& [cause, group] : groups_) {
      std::string sentence = fmt::format("{} {}.", Naming(group.stores), group.words);
      sorted.push_back(MakeFinding(cause, std::move(group.stores), std::move(sentence)));
    }
    std::ranges::stable_sort(sorted,
                             [](const Finding& a, const Finding& b) { return a.stores.size() > b.stores.size(); });
    std::ranges::move(sorted, std::back_inserter(findings));
  }

 private:
  struct Group {
    std::vector<StoreId> stores;
    std::string words;
  };
  std::map<std::string, Group> groups_;
};

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// "memory_cap" of "memory_cap: killed at 512 MiB"; what follows it in `rest`.
std::string_view FirstWord(std::string_view text, std::string_view& rest) {
  const size_t colon = text.find(": ");
  rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 2);
  return text.substr(0, colon);
}

bool IsAbortedFor(const RoundRecord& round, std::string_view reason) {
  std::string_view rest;
  return round.phase == RoundPhase::kAborted && FirstWord(round.abort_reason, rest) == reason;
}

const PhaseSpan* LatestOf(const RoundRecord& round, RoundPhase phase) {
  const PhaseSpan* latest = nullptr;
  for (const PhaseSpan& span : round.phases) {
    if (span.phase == phase) latest = &span;
  }
  return latest;
}

absl::Time EndOf(const RoundRecord& round, const PhaseSpan& span, absl::Time now) {
  const size_t next = static_cast<size_t>(&span - round.phases.data()) + 1;
  return next < round.phases.size() ? round.phases[next].began : round.closed_at.value_or(now);
}

absl::Duration LengthOf(const RoundRecord& round, RoundPhase phase, absl::Time now) {
  absl::Duration length;
  for (const PhaseSpan& span : round.phases) {
    if (span.phase == phase) length += EndOf(round, span, now) - span.began;
  }
  return length;
}

absl::Duration Took(const RoundRecord& round, absl::Time now) {
  return round.closed_at.value_or(now) - round.opened_at;
}

// ---- Who was left out ----------------------------------------------------------------------------------------------

// What the store owed when the phase's deadline passed.
std::optional<std::string_view> SilenceIn(const PhaseSpan& span, const StoreInRound& seat, const StoreTimes& times) {
  const bool stepped = times.stepped && *times.stepped >= span.began;
  if (!span.expired) return std::nullopt;
  switch (span.phase) {
    case RoundPhase::kTraining:
      return times.trained ? std::nullopt : std::optional<std::string_view>("training_silent");
    case RoundPhase::kAdvertising:
      return stepped || !times.trained ? std::nullopt : std::optional<std::string_view>("advert_silent");
    case RoundPhase::kSharing:
      return stepped || !times.trained ? std::nullopt : std::optional<std::string_view>("shares_silent");
    case RoundPhase::kConfirming:
      return stepped || !times.collected ? std::nullopt : std::optional<std::string_view>("confirm_silent");
    case RoundPhase::kUnmasking:
      return stepped || !times.collected ? std::nullopt : std::optional<std::string_view>("reveal_silent");
    case RoundPhase::kCollecting:
      if (times.collected || seat.outcome == StoreOutcome::kRefused || !times.trained) return std::nullopt;
      return times.bytes_up > 0 ? "upload_slow" : "upload_silent";
    default:
      return std::nullopt;
  }
}

std::string WordsFor(std::string_view cause, const RoundRecord& round, const StoreTimes& times, absl::Duration waited) {
  const std::string within = Lasting(waited);
  if (cause == "training_silent") return fmt::format("took the task and reported nothing within {}", within);
  if (cause == "upload_silent")
    return fmt::format("had trained, and not one byte of its update came within {}", within);
  if (cause == "upload_slow") {
    return fmt::format("had sent {} of its {} when the deadline passed after {}", FormatByteCount(times.bytes_up),
                       FormatByteCount(round.update_size), within);
  }
  if (cause == "advert_silent") return fmt::format("didn't show its keys for the secure sum within {}", within);
  if (cause == "shares_silent") return fmt::format("dealt no shares for the secure sum within {}", within);
  if (cause == "confirm_silent") return fmt::format("didn't sign who survived within {}", within);
  return fmt::format("revealed no shares within {}", within);
}

// Whoever refused, failed, or left the secure sum later on: the store's own words.
void AddOutcome(const StoreInRound& seat, Groups& groups) {
  if (seat.detail.empty() || seat.outcome == StoreOutcome::kSilent) return;
  std::string_view detail;
  const std::string_view cause = FirstWord(seat.detail, detail);
  const bool known = std::ranges::any_of(AllAdvice(), [&](const Advice& advice) { return advice.cause == cause; });
  if (!known) return;
  const bool failed = seat.outcome == StoreOutcome::kFailed;
  groups.Add(cause, seat.store,
             fmt::format("{} ({}{}{})",
                         seat.outcome == StoreOutcome::kCollected ? "left the secure sum after its update was in"
                         : failed                                 ? "failed at the task"
                                                                  : "refused",
                         cause, detail.empty() ? "" : ": ", detail));
}

void AddSilent(const RoundRecord& round, size_t at, absl::Time now, Groups& groups) {
  const StoreInRound& seat = round.stores[at];
  const StoreTimes times = at < round.times.size() ? round.times[at] : StoreTimes{};
  for (const PhaseSpan& span : round.phases) {
    const auto cause = SilenceIn(span, seat, times);
    if (!cause) continue;
    return groups.Add(*cause, seat.store, WordsFor(*cause, round, times, EndOf(round, span, now) - span.began));
  }
  if (seat.outcome == StoreOutcome::kSilent && seat.detail.empty() && !times.trained) {
    groups.Add("not_needed", seat.store, "was still training when enough others had finished");
  }
}

void AddLeftOut(const RoundRecord& round, absl::Time now, std::vector<Finding>& findings) {
  Groups groups;
  for (size_t i = 0; i < round.stores.size(); ++i) {
    const StoreOutcome outcome = round.stores[i].outcome;
    AddOutcome(round.stores[i], groups);
    if (outcome != StoreOutcome::kRefused && outcome != StoreOutcome::kFailed) AddSilent(round, i, now, groups);
  }
  groups.MoveTo(findings);
}

// ---- Who never came ------------------------------------------------------------------------------------------------

std::string WordsFor(const AbsentStores& absent) {
  switch (absent.why) {
    case Absence::kInvited:
      return "never joined the chain: the code wasn't used";
    case Absence::kRevoked:
      return "is revoked";
    case Absence::kCallRefused:
      return "called with a key that isn't accepted any more";
    case Absence::kCertificateOut:
      return "was silent, and its certificate has ended";
    case Absence::kSilent:
      return "was not heard of";
    case Absence::kLedgerTrouble:
      return "has trouble with its privacy ledger and gets no task";
    case Absence::kTableMissing:
      return "doesn't keep a table that the plan reads";
    case Absence::kPlanDeclined:
      return "has refused this plan before";
    case Absence::kUnwilling:
      return "couldn't take the task: its site policy didn't let it, or its agent is too old for the secure sum";
    case Absence::kBusy:
      return "was at work for another job";
    case Absence::kPassedOver:
      return "was willing and able";
    case Absence::kSpoilt:
      return "spoilt a sum of this job before and isn't asked for some rounds";
  }
  return "";
}

std::string NamingAll(const AbsentStores& absent) {
  std::string text = Naming(absent.examples);
  if (absent.count <= absent.examples.size()) return text;
  return fmt::format("{}, {} and {} others", absent.examples[0], absent.examples[1], absent.count - 2);
}

void AddAbsent(const RoundRecord& round, std::vector<Finding>& findings) {
  const bool aborted = IsAbortedFor(round, NameOf(AbortReason::kTooFewStores));
  const PhaseSpan* selecting = LatestOf(round, RoundPhase::kSelecting);
  const bool awaited = aborted || (selecting != nullptr && selecting->expired);
  for (const AbsentStores& absent : round.absent) {
    const bool passed = absent.why == Absence::kPassedOver;
    const std::string_view cause = passed && awaited ? "came_too_late" : NameOf(absent.why);
    findings.push_back(MakeFinding(cause, absent.examples,
                                   fmt::format("{} {}{}.", NamingAll(absent), WordsFor(absent),
                                               !passed   ? ""
                                               : awaited ? ", and didn't call while the round selected"
                                                         : "; others were enough")));
  }
  if (aborted && round.absent.empty()) {
    findings.push_back(MakeFinding(
        "chain_too_small", {},
        fmt::format("The chain has fewer stores than the {} that the plan's cohort needs.", round.cohort_min)));
  }
}

// ---- What ended it -------------------------------------------------------------------------------------------------

// Stores of the round that its abort names.
std::vector<StoreId> NamedIn(const RoundRecord& round) {
  std::vector<StoreId> named;
  for (const StoreInRound& seat : round.stores) {
    const size_t at = round.abort_reason.find(seat.store.str());
    if (at == std::string::npos) continue;
    const size_t end = at + seat.store.str().size();
    constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    const bool whole = (at == 0 || !Contains(kOfNames, round.abort_reason.substr(at - 1, 1))) &&
                       (end == round.abort_reason.size() || !Contains(kOfNames, round.abort_reason.substr(end, 1)));
    if (whole) named.push_back(seat.store);
  }
  return named;
}

void AddEnd(const RoundRecord& round, std::vector<Finding>& findings) {
  std::string_view explanation;
  const std::string_view reason = FirstWord(round.abort_reason, explanation);
  if (round.phase != RoundPhase::kAborted) return;
  if (reason == "cancelled" || reason == "restored") {
    findings.push_back(MakeFinding(reason, {}, fmt::format("It was ended on purpose: {}.", explanation)));
  }
  if (reason != NameOf(AbortReason::kCommitFailed)) return;
  const std::vector<StoreId> named = NamedIn(round);
  const bool dealt = Contains(explanation, "dealt") && !named.empty();
  findings.push_back(MakeFinding(dealt ? "wrong_shares" : "commit_failed", named,
                                 fmt::format("The sum gave no model: {}.", explanation)));
}

// ---- What made it slow ---------------------------------------------------------------------------------------------

absl::Duration Median(std::vector<absl::Duration> values) {
  if (values.empty()) return absl::ZeroDuration();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// The last store of a phase, if it kept the others waiting: half of the phase or more went by for it alone.
void AddStraggler(const RoundRecord& round, RoundPhase phase, std::optional<absl::Time> StoreTimes::*when,
                  std::string_view cause, std::string_view verb, absl::Time now, std::vector<Finding>& findings) {
  const PhaseSpan* span = LatestOf(round, phase);
  if (span == nullptr || round.times.size() != round.stores.size() || span->expired) return;
  std::vector<absl::Duration> others;
  size_t last = 0;
  absl::Duration longest;
  for (size_t i = 0; i < round.times.size(); ++i) {
    const std::optional<absl::Time>& at = round.times[i].*when;
    if (!at) continue;
    others.push_back(*at - span->began);
    if (others.back() > longest) std::tie(last, longest) = std::pair(i, others.back());
  }
  if (others.size() < 2) return;
  const absl::Duration usual = Median(others);
  if (longest - usual < kSlowFrom || longest < 2 * usual || longest - usual < 0.2 * Took(round, now)) return;
  const StoreId& store = round.stores[last].store;
  findings.push_back(MakeFinding(cause, {store},
                                 fmt::format("{} {} after {}; half of the stores needed {} or less.", store, verb,
                                             Lasting(longest), Lasting(usual))));
}

void AddWaiting(const RoundRecord& round, const std::vector<RoundRecord>& before, absl::Time now,
                std::vector<Finding>& findings) {
  std::vector<absl::Duration> usual;
  for (const RoundRecord& other : before) usual.push_back(LengthOf(other, RoundPhase::kSelecting, now));
  const absl::Duration waited = LengthOf(round, RoundPhase::kSelecting, now);
  const PhaseSpan* span = LatestOf(round, RoundPhase::kSelecting);
  const bool unusual = usual.size() >= 3 && waited > 2 * Median(usual);
  if (waited < kSlowFrom || (!unusual && (span == nullptr || !span->expired))) return;
  findings.push_back(MakeFinding("waited_for_stores", {},
                                 fmt::format("It waited {} for stores to offer themselves.", Lasting(waited))));
}

void AddTroubles(const RoundRecord& round, std::vector<Finding>& findings) {
  if (round.restarts > 0) {
    findings.push_back(
        MakeFinding("coordinator_restarted", {},
                    fmt::format("The coordinator was restarted {} while the round was open; it went on where it was.",
                                round.restarts == 1 ? "once" : fmt::format("{} times", round.restarts))));
  }
  if (!round.commit_trouble.empty()) {
    findings.push_back(MakeFinding("commit_retried", {},
                                   fmt::format("Making the model had to be tried again: {}.", round.commit_trouble)));
  }
  const auto cohorts = std::ranges::count(round.phases, RoundPhase::kAdvertising, &PhaseSpan::phase);
  if (cohorts > 1) {
    findings.push_back(MakeFinding("cohort_reformed", {},
                                   fmt::format("The secure sum formed {} cohorts, one after another.", cohorts)));
  }
}

void AddSlow(const RoundRecord& round, const std::vector<RoundRecord>& before, absl::Time now,
             std::vector<Finding>& findings) {
  AddTroubles(round, findings);
  if (round.phase != RoundPhase::kAborted) AddWaiting(round, before, now, findings);
  AddStraggler(round, RoundPhase::kTraining, &StoreTimes::trained, "straggler_training", "had trained only", now,
               findings);
  AddStraggler(round, RoundPhase::kCollecting, &StoreTimes::collected, "straggler_upload", "had sent its update only",
               now, findings);
}

// ---- In one sentence -----------------------------------------------------------------------------------------------

std::string Headline(const RoundRecord& round, const std::vector<RoundRecord>& before, absl::Time now) {
  const std::string took = Lasting(Took(round, now));
  if (round.phase == RoundPhase::kAborted) {
    std::string_view explanation;
    const std::string_view reason = FirstWord(round.abort_reason, explanation);
    return fmt::format("Round {} was aborted after {} ({}): {}.", round.id, took, reason, explanation);
  }
  if (round.phase != RoundPhase::kCommitted) {
    return fmt::format("Round {} is {} and has been open for {}; {} of {} stores have trained, {} updates are here.",
                       round.id, NameOf(round.phase), took, round.stores_trained, round.stores_selected,
                       round.stores_collected);
  }
  std::vector<absl::Duration> usual;
  for (const RoundRecord& other : before) usual.push_back(Took(other, now));
  const absl::Duration median = Median(usual);
  const bool slow = usual.size() >= 3 && Took(round, now) > 1.5 * median + kSlowFrom;
  return fmt::format("Round {} was committed after {}{} with the updates of {} of {} stores.", round.id, took,
                     slow ? fmt::format(", where {} is usual,", Lasting(median)) : "", round.stores_collected,
                     round.stores_selected);
}

}  // namespace

Explanation ExplainRound(const RoundRecord& round, const std::vector<RoundRecord>& before, absl::Time now) {
  Explanation explanation{.headline = Headline(round, before, now)};
  AddEnd(round, explanation.findings);
  if (round.phase == RoundPhase::kAborted && round.stores.empty()) AddAbsent(round, explanation.findings);
  AddLeftOut(round, now, explanation.findings);
  AddSlow(round, before, now, explanation.findings);
  if (!round.stores.empty()) AddAbsent(round, explanation.findings);
  return explanation;
}

Finding MainCause(const RoundRecord& round, absl::Time now) {
  const Explanation explanation = ExplainRound(round, {}, now);
  return explanation.findings.empty() ? Finding{} : explanation.findings.front();
}

}  // namespace aisle

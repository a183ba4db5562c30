#include "coordinator/explain/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace aisle {
namespace {

constexpr std::string_view kLinks =
    "Look at the store's link and its bytes a day, or give the plan a longer deadline for this phase.";
constexpr std::string_view kCaughtLying =
    "{} caught headquarters, or somebody between, at a lie: compare the coordinator's certificate with the chain's, "
    "and read that agent's log before the next round.";
constexpr std::string_view kGivesLess =
    "Give plans more of it in {}'s site policy, or ask for less in the plan's [limits].";

constexpr Advice kAdvice[] = {
    // Stores that weren't candidates.
    {"not_joined",
     "Bring {}'s enrolment file to its box and start aisle-agent; a lost or ended code is replaced by "
     "`aisle store add {}`."},
    {"code_ended", "Make a new code, `aisle store add {}`, and bring it to the box before it ends."},
    {"revoked", "If it is to take part again: `aisle store reinstate {}`, then `aisle store add {}`."},
    {"key_refused",
     "Find out whether a copy of {}'s disk is running beside it; switch one off, or give its box a new "
     "code: `aisle store add {}`."},
    {"certificate_ended",
     "Start {}'s agent: it asks for a new certificate by itself; if that is refused, give it a "
     "new code: `aisle store add {}`."},
    {"silent", "Power, network, firewall or the agent itself: look at {}'s box, and at the last lines of its log."},
    {"never_seen",
     "It has a certificate and never called: see that aisle-agent runs on {}'s box and reaches "
     "headquarters' port."},
    {"ledger_trouble", "Put {}'s true ledger back, as docs/operations.md tells under AisleLedgerHalted."},
    {"table_missing", "Name the table in {}'s tables.toml and feed it, or train a plan that does without."},
    {"plan_declined",
     "`aisle store show {}` tells what it refused; change its site policy or the plan, and restart "
     "its agent: it asks again then."},
    {"unwilling",
     "`aisle explain store {}` tells which. Its site policy lets it work at other hours, or its day's bytes are spent: "
     "wait, or widen hours and budget in {}'s site-policy.toml. An old agent: upgrade it."},
    {"agent_too_old", "Upgrade {}'s agent: this one can't take part in the secure sum."},
    {"busy", "It works for another job: wait, give this job a higher --priority, or run jobs one after another."},
    {"passed_over", "Nothing: other stores were enough, and turns go round. A larger --cohort takes more of them."},
    {"spoilt_a_sum",
     "{}'s agent dealt wrong shares: it is broken or hostile. Look at its box, or `aisle store revoke "
     "{}`; it is asked again after some rounds."},
    {"came_too_late", "It would have worked but called too late: widen the plan's `selecting` deadline."},
    {"chain_too_small", "Enrol more stores, or build the plan with a smaller [cohort] min."},
    {"nobody_came", "Widen the plan's `selecting` deadline or the stores' hours."},
    // What stores refused: the site's own rules.
    {"plan_not_allowed", "Name the plan in {}'s site-policy.toml, if it is to run there."},
    {"plan_signature", "Sign the plan with a key that {} trusts: enrolment and renewal bring plan keys to stores."},
    {"plan_invalid",
     "The plan doesn't parse, compile or keep to its operators there: `aisle plan check` it, and "
     "compare {}'s agent version with yours."},
    {"column_not_allowed", "Allow the column in {}'s site-policy.toml, or train without it."},
    {"outside_hours", "Open the hours in {}'s site-policy.toml, or run the job when they are open."},
    {"privacy_budget",
     "Wait until spent epsilon leaves the year, plan fewer rounds or more noise (`aisle plan "
     "price`), or have the privacy officer raise {}'s cap."},
    {"privacy_unit", "{}'s site-policy.toml doesn't allow this privacy unit: change the plan's mode, or the policy."},
    {"resource_cap",
     "The plan asks for more memory or time than {} gives: lower the plan's [limits], or raise the "
     "site policy's."},
    {"byte_budget",
     "{}'s bytes of the day are spent: wait for tomorrow, or raise bytes_per_day in its site-policy.toml."},
    {"not_enough_data", "{} has no rows for the plan: look at its drop folder and its quarantine."},
    {"secure_sum_required", "Turn the secure sum on in the plan, or make it optional in {}'s site-policy.toml."},
    {"ledger_halted", "Put {}'s true ledger back, as docs/operations.md tells under AisleLedgerHalted."},
    // What stores refused in the secure sum.
    {"cohort_replayed", kCaughtLying},
    {"roster_forged", kCaughtLying},
    {"not_in_roster", kCaughtLying},
    {"cohort_too_small",
     "{} takes part in larger cohorts only: raise the plan's [cohort] min, or lower its policy's "
     "cohort_min."},
    {"neighbours_forged", kCaughtLying},
    {"neighbour_unproven",
     "{} can't prove a neighbour: compare the clocks and certificates of the stores in the "
     "round."},
    {"duplicate_keys", kCaughtLying},
    {"terms_differ", kCaughtLying},
    {"share_wrong", "A neighbour dealt {} a wrong share: its agent is broken or hostile. Read {}'s log for the name."},
    {"survivors_forged", kCaughtLying},
    {"survivors_too_few",
     "Too few stores were left for {}'s noise to be enough: mend the links, or lower the plan's "
     "dropout share."},
    {"second_survivors", kCaughtLying},
    {"unconfirmed", "Too few of {}'s neighbours signed who survived: mend the links, or widen `summing`."},
    {"other_share_kind", kCaughtLying},
    {"vector_spent", "{} was asked for one vector in two cohorts; the next round costs it a new debit and works."},
    {"other",
     "{}'s agent is newer than this coordinator, which doesn't know its reason: read that agent's log, and "
     "upgrade the coordinator."},
    // What failed in stores.
    {"download", kLinks},
    {"plan_error", "Try the plan on such tables: `aisle plan evaluate` at {}; then mend the plan."},
    {"memory_cap", kGivesLess},
    {"time_cap", kGivesLess},
    {"sandbox", "The plan did what the worker's walls forbid: see {}'s log for the call, and mend the plan."},
    {"worker_crash",
     "Look at {}'s log and its kernel's (out-of-memory killer); the same plan on another box tells "
     "which of them is to blame."},
    {"storage", "Free space on {}'s disk, or replace it: its agent's log names the folder."},
    // Silence within a round.
    {"training_silent",
     "{} took the task and was not heard of again: look at its box. If it only needs longer, widen "
     "the plan's `training` deadline."},
    {"upload_silent", kLinks},
    {"upload_slow",
     "{}'s link is too slow for this update: widen the plan's `collecting` deadline, or train fewer "
     "parameters there."},
    {"advert_silent", kLinks},
    {"shares_silent", kLinks},
    {"confirm_silent", kLinks},
    {"reveal_silent", kLinks},
    {"not_needed", "Nothing: enough other stores had finished. A smaller over_selection asks fewer."},
    // What headquarters did.
    {"wrong_shares", "{}'s agent is broken or hostile: `aisle store revoke {}`, then look at its box."},
    {"commit_failed", "The sum gave no model: the message says why; a plan that does so every round needs mending."},
    {"commit_retried",
     "Free space at headquarters (docs/operations.md, A full disk); the round waited and lost "
     "nothing."},
    {"cancelled", "Nothing, if it was meant."},
    {"restored", "Nothing: rounds that were open in the backup can't go on; the job opens a new one."},
    {"coordinator_restarted",
     "Look at the coordinator's log before the restart: stores needed until their next call to "
     "find it again."},
    // Slow, though nothing failed.
    {"straggler_training",
     "{} trains much slower than the others: is its box busy or throttled? A larger "
     "over_selection lets rounds go on without the last."},
    {"straggler_upload",
     "{}'s link is much slower than the others': look at it, or let rounds go on without the last "
     "by a larger over_selection."},
    {"waited_for_stores",
     "Stores came late: their hours or their pace. A longer presence_window doesn't help; a "
     "smaller cohort does."},
    {"cohort_reformed", "Stores fell silent in the middle of the secure sum and it began anew: look at their links."},
    // Jobs.
    {"aborted_in_a_row", "Mend the cause below, then submit the job again from its latest model."},
    {"waiting_for_turn", "Another job goes first: wait for it, or give this one a higher --priority."},
    {"no_job", "Nothing: submit a job, and it will be asked."},
    // Stores on their own.
    {"clock_skew", "Set {}'s clock (NTP): certificates and deadlines need clocks within minutes of each other."},
    {"working", "Nothing: it is at work."},
};

}  // namespace

std::span<const Advice> AllAdvice() { return kAdvice; }

std::string FixFor(std::string_view cause, const std::vector<StoreId>& stores) {
  const auto found = std::ranges::find(kAdvice, cause, &Advice::cause);
  AISLE_CHECK(found != std::end(kAdvice), "no advice for {}", cause);
  std::string fix(found->fix);
  const std::string name = stores.empty() ? "the store" : stores.front().str();
  for (size_t at = fix.find("{}"); at != std::string::npos; at = fix.find("{}", at)) fix.replace(at, 2, name);
  if (!fix.empty()) fix[0] = stores.empty() && found->fix.starts_with("{}") ? 'T' : fix[0];
  return fix;
}

Finding MakeFinding(std::string_view cause, std::vector<StoreId> stores, std::string sentence) {
  std::string fix = FixFor(cause, stores);
  return {
      .cause = std::string(cause), .stores = std::move(stores), .sentence = std::move(sentence), .fix = std::move(fix)};
}

std::string Naming(const std::vector<StoreId>& stores) {
  constexpr size_t kNamed = 3;
  if (stores.empty()) return "nobody";
  std::string text = stores.front().str();
  const size_t named = stores.size() <= kNamed ? stores.size() : kNamed - 1;
  for (size_t i = 1; i < named; ++i) {
    const bool last = i + 1 == stores.size();
    text += (last ? " and " : ", ") + stores[i].str();
  }
  if (named < stores.size()) text += fmt::format(" and {} others", stores.size() - named);
  return text;
}

std::string Lasting(absl::Duration span) {
  const double seconds = absl::ToDoubleSeconds(span);
  if (seconds < 1) return fmt::format("{:.0f}ms", seconds * 1000);
  if (seconds < 60) return fmt::format("{:.1f}s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  return fmt::format("{}h{:02}m", whole / 3600, whole % 3600 / 60);
}

}  // namespace aisle

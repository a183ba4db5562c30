#include "privacy/ledger_filter.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/cover.h"

namespace aisle {
namespace {

// One cap, put to one debit.
struct Question {
  Tier tier;
  double cap = 0;
  absl::Time since;  // The window's open end; InfinitePast: for ever.
};

Status CheckCap(std::string_view name, double epsilon) {
  if (epsilon >= 0) return OkStatus();
  return InvalidArgument("the site's cap {} is {}; it must be at least 0", name, epsilon);
}

// The index of the one order the filter watches: where the cap pays for most repeats of the first debit. Nothing that
// was drawn goes into this choice.
size_t FilterOrder(double cap, double delta, const RdpCurve& first) {
  const std::span<const double> orders = RdpOrders();
  size_t best = 0;
  double repeats_max = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < orders.size(); ++i) {
    const double repeats = RdpBudgetAt(orders[i], cap, delta) / first.values()[i];
    if (repeats > repeats_max) {
      repeats_max = repeats;
      best = i;
    }
  }
  return best;
}

bool WithinCap(double cap, double delta, const RdpCurve& first, const RdpCurve& total) {
  if (std::isinf(cap)) return true;
  const size_t order = FilterOrder(cap, delta, first);
  return total.values()[order] <= RdpBudgetAt(RdpOrders()[order], cap, delta);
}

Status Refusal(const LedgerAccount& account, const Debit& debit, const Question& question, double after, double delta) {
  AISLE_COVER("ledger.refused_over_cap");
  const bool for_ever = question.since == absl::InfinitePast();
  const double spent = EpsilonOf(account.SpentSince(question.tier, question.since), delta).epsilon;
  const std::optional<absl::Time> oldest = account.OldestSince(question.since);
  std::string window = for_ever ? "since the ledger was opened" : "within 365 days";
  if (!for_ever && oldest)
    window += fmt::format(" (the oldest of it leaves them {})", FormatUtc(*oldest + kSpendingYear));
  return ResourceExhausted(
      "population {} has spent {} epsilon {:.3f} {}; this would make it {:.3f}, over the site's cap of {} at delta {}",
      debit.population, ToString(question.tier), account.releases() == 0 ? 0 : spent, window, after, question.cap,
      delta);
}

}  // namespace

Status Validate(const SpendingCaps& caps) {
  AISLE_RETURN_IF_ERROR(CheckCap("floor_epsilon_per_year", caps.floor_per_year));
  AISLE_RETURN_IF_ERROR(CheckCap("aggregate_epsilon_per_year", caps.aggregate_per_year));
  AISLE_RETURN_IF_ERROR(CheckCap("epsilon_max", caps.floor_ever));
  if (caps.delta > 0 && caps.delta < 1) return OkStatus();
  return InvalidArgument("the site's delta is {}; it must be over 0 and under 1", caps.delta);
}

StatusOr<Outlook> PassFilter(const LedgerAccount& account, const Debit& debit, const SpendingCaps& caps,
                             absl::Time at) {
  Outlook outlook;
  const absl::Time year = at - kSpendingYear;
  const std::pair<Question, double*> questions[] = {
      {{Tier::kFloor, caps.floor_per_year, year}, &outlook.floor_year},
      {{Tier::kAggregate, caps.aggregate_per_year, year}, &outlook.aggregate_year},
      {{Tier::kFloor, caps.floor_ever, absl::InfinitePast()}, &outlook.floor_ever}};
  const RdpCurve costs[kTierCount] = {CurveOf(ChargeOf(debit, Tier::kFloor)),
                                      CurveOf(ChargeOf(debit, Tier::kAggregate))};
  for (const auto& [question, after] : questions) {
    const RdpCurve& cost = costs[static_cast<size_t>(question.tier)];
    RdpCurve total = account.SpentSince(question.tier, question.since);
    total += cost;
    *after = EpsilonOf(total, caps.delta).epsilon;
    const RdpCurve* first = account.first(question.tier);
    if (!WithinCap(question.cap, caps.delta, first == nullptr ? cost : *first, total)) {
      return Refusal(account, debit, question, *after, caps.delta);
    }
  }
  return outlook;
}

}  // namespace aisle

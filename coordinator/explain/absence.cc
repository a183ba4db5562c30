#include "coordinator/explain/absence.h"

#include <algorithm>

namespace aisle {
namespace {

bool KeepsTables(const Opening& opening, const CheckIn& latest) {
  return std::ranges::all_of(opening.tables, [&](const std::string& table) {
    return std::ranges::any_of(latest.tables, [&](const TableName& kept) { return kept.str() == table; });
  });
}

bool Declines(const Opening& opening, const CheckIn& latest) {
  return std::ranges::find(latest.declined_plans, opening.plan) != latest.declined_plans.end();
}

// Of a store that is enrolled but wasn't heard of lately.
Absence WhySilent(const StoreRecord& record, absl::Time now) {
  const bool ended = record.certificate_not_after && *record.certificate_not_after < now;
  return ended ? Absence::kCertificateOut : Absence::kSilent;
}

}  // namespace

Absence WhyAbsent(const StoreAtHand& store, const Opening& opening, absl::Duration heard_within, absl::Time now) {
  const StoreRecord& record = store.record;
  if (record.state == StoreState::kRevoked) return Absence::kRevoked;
  if (record.state == StoreState::kInvited) return Absence::kInvited;
  const bool refused_lately =
      record.call_refused_at && now - *record.call_refused_at < heard_within + absl::Minutes(10);
  const bool heard = store.latest != nullptr && now - store.last_seen <= heard_within;
  if (!heard) return refused_lately ? Absence::kCallRefused : WhySilent(record, now);
  if (!record.ledger_trouble.empty()) return Absence::kLedgerTrouble;
  if (!KeepsTables(opening, *store.latest)) return Absence::kTableMissing;
  if (Declines(opening, *store.latest)) return Absence::kPlanDeclined;
  if (store.busy) return Absence::kBusy;
  const bool able =
      CouldServe(opening, *store.latest);  // An agent of the first release can't take part in secure sums.
  return able && store.latest->willing ? Absence::kPassedOver : Absence::kUnwilling;
}

void AbsenceCount::Add(Absence why, const StoreId& store) {
  auto found = std::ranges::find(counted_, why, &AbsentStores::why);
  if (found == counted_.end()) found = counted_.insert(counted_.end(), AbsentStores{.why = why});
  ++found->count;
  if (found->examples.size() < kAbsentExamplesMax) found->examples.push_back(store);
}

std::vector<AbsentStores> AbsenceCount::Take() {
  std::ranges::stable_sort(counted_, [](const AbsentStores& a, const AbsentStores& b) { return a.count > b.count; });
  return std::move(counted_);
}

}  // namespace aisle

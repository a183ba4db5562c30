#include "privacy/ledger_account.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace aisle {

std::string_view ToString(Tier tier) { return tier == Tier::kFloor ? "floor" : "aggregate"; }

Charge ChargeOf(const Debit& debit, Tier tier) {
  Charge charge{.sampling_rate = debit.sampling_rate,
                .noise_multiplier = debit.noise_multiplier,
                .times = static_cast<double>(debit.releases) * debit.stores_max};
  if (tier == Tier::kAggregate) {
    const double sums_per_part = static_cast<double>(debit.sum_stores) / debit.stores_max;
    charge.noise_multiplier *= std::sqrt(std::max(1.0, sums_per_part));
  }
  return charge;
}

RdpCurve CurveOf(const Charge& charge) {
  const auto curve = RdpCurve::SampledGaussian(charge.sampling_rate, charge.noise_multiplier);
  AISLE_CHECK(curve.ok(), "a validated debit has no curve: {}", MessageOf(curve.status()));
  return *curve * charge.times;
}

void LedgerAccount::Book(const Debit& debit, absl::Time at) {
  if (debit.unit == PrivacyUnit::kNone) {
    unbounded_releases_ += debit.releases;
    return;
  }
  releases_ += debit.releases;
  for (const Tier tier : {Tier::kFloor, Tier::kAggregate}) {
    Side& side = sides_[static_cast<size_t>(tier)];
    const Charge charge = ChargeOf(debit, tier);
    const auto [known, is_new] =
        side.known.emplace(Mechanism(charge.sampling_rate, charge.noise_multiplier), side.curves.size());
    if (is_new) {
      side.curves.push_back(
          CurveOf({.sampling_rate = charge.sampling_rate, .noise_multiplier = charge.noise_multiplier, .times = 1}));
    }
    if (!side.first) side.first = side.curves[known->second] * charge.times;
    side.booked.push_back({.at = at, .curve = known->second, .times = charge.times});
  }
}

const RdpCurve* LedgerAccount::first(Tier tier) const {
  const std::optional<RdpCurve>& first = sides_[static_cast<size_t>(tier)].first;
  return first ? &*first : nullptr;
}

size_t LedgerAccount::FirstAfter(absl::Time since) const {
  const std::vector<Booked>& booked = sides_[0].booked;
  const auto after = std::ranges::upper_bound(booked, since, {}, &Booked::at);
  return static_cast<size_t>(after - booked.begin());
}

// Equal mechanisms are counted first and multiplied once: a window's total doesn't depend on what lies before it.
RdpCurve LedgerAccount::SpentSince(Tier tier, absl::Time since) const {
  const Side& side = sides_[static_cast<size_t>(tier)];
  std::vector<double> times(side.curves.size());
  for (size_t i = FirstAfter(since); i < side.booked.size(); ++i) times[side.booked[i].curve] += side.booked[i].times;
  RdpCurve total;
  for (size_t curve = 0; curve < times.size(); ++curve) {
    if (times[curve] > 0) total += side.curves[curve] * times[curve];
  }
  return total;
}

std::optional<absl::Time> LedgerAccount::OldestSince(absl::Time since) const {
  const size_t oldest = FirstAfter(since);
  if (oldest == sides_[0].booked.size()) return std::nullopt;
  return sides_[0].booked[oldest].at;
}

}  // namespace aisle

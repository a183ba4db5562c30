#include "tests/falsifier/falsifier.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/check.h"
#include "tests/falsifier/binomial.h"

namespace aisle {
namespace {

constexpr size_t kThresholdsMax = 400;
constexpr double kEpsilonMax = 12;
constexpr double kNothing = -std::numeric_limits<double>::infinity();

// How bad it is if an event has probability at least `low` on one input and at most `high` on the other.
using Badness = std::function<double(double low, double high)>;

struct Event {
  bool common_with = true;  // Common with the unit and rare without; else the other way round.
  bool above = true;
  double threshold = 0;
};

struct Halves {
  std::span<const double> with;
  std::span<const double> without;
};

size_t Count(std::span<const double> values, const Event& event) {
  return static_cast<size_t>(std::ranges::count_if(
      values, [&](double value) { return event.above ? value >= event.threshold : value <= event.threshold; }));
}

// The same from sorted values.
size_t CountSorted(std::span<const double> sorted, const Event& event) {
  if (event.above) return static_cast<size_t>(sorted.end() - std::ranges::lower_bound(sorted, event.threshold));
  return static_cast<size_t>(std::ranges::upper_bound(sorted, event.threshold) - sorted.begin());
}

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  return sorted;
}

// Quantiles of both inputs' values: where an event may begin.
std::vector<double> Thresholds(std::span<const double> sorted_with, std::span<const double> sorted_without) {
  std::vector<double> thresholds;
  for (const std::span<const double> sorted : {sorted_with, sorted_without}) {
    const size_t step = std::max<size_t>(1, sorted.size() / (kThresholdsMax / 2));
    for (size_t i = 0; i < sorted.size(); i += step) thresholds.push_back(sorted[i]);
    thresholds.push_back(sorted.back());
  }
  std::ranges::sort(thresholds);
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  return thresholds;
}

// Rough bounds, to pick an event that exact ones will be kind to.
double Rough(size_t hits, size_t trials, double sign) {
  const auto n = static_cast<double>(trials);
  const double p = (static_cast<double>(hits) + 0.5) / (n + 1);
  return std::clamp(p + sign * 4.5 * std::sqrt(p * (1 - p) / n) + sign * 6 / n, 0.0, 1.0);
}

Event Pick(const Halves& half, const Badness& badness) {
  const std::vector<double> with = Sorted(half.with);
  const std::vector<double> without = Sorted(half.without);
  Event best;
  double worst = kNothing;
  for (const double threshold : Thresholds(with, without)) {
    for (const bool common_with : {true, false}) {
      for (const bool above : {true, false}) {
        const Event event{common_with, above, threshold};
        const double low = Rough(CountSorted(common_with ? with : without, event), with.size(), -1);
        const double high = Rough(CountSorted(common_with ? without : with, event), with.size(), 1);
        const double bad = badness(low, high);
        if (bad <= worst) continue;
        worst = bad;
        best = event;
      }
    }
  }
  return best;
}

// NaN is a value like any other to an attacker: it must not fall out of every event.
std::vector<double> Comparable(std::vector<double> values) {
  for (double& value : values) value = std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  return values;
}

double Shown(const Runs& runs, double false_alarms, const Badness& badness) {
  AISLE_CHECK(runs.with.size() == runs.without.size() && runs.with.size() >= 4);
  const std::vector<double> with = Comparable(runs.with);
  const std::vector<double> without = Comparable(runs.without);
  const size_t half = with.size() / 2;
  const Event event = Pick({std::span(with).first(half), std::span(without).first(half)}, badness);
  const std::span<const double> common = std::span(event.common_with ? with : without).subspan(half);
  const std::span<const double> rare = std::span(event.common_with ? without : with).subspan(half);
  return badness(ProbabilityLow(Count(common, event), common.size(), false_alarms / 2),
                 ProbabilityHigh(Count(rare, event), rare.size(), false_alarms / 2));
}

}  // namespace

Runs RunBoth(size_t count, const std::function<double(bool with)>& run) {
  Runs runs;
  for (size_t i = 0; i < count; ++i) {
    runs.with.push_back(run(true));
    runs.without.push_back(run(false));
  }
  return runs;
}

Claim::Claim(const std::function<double(double epsilon)>& delta_of) {
  for (double epsilon = 0; epsilon <= kEpsilonMax; epsilon += epsilon < 2 ? 0.125 : 0.5) {
    points_.push_back({epsilon, delta_of(epsilon)});
  }
}

double Claim::Excess(double low, double high) const {
  double excess = kNothing;
  for (const Point& point : points_) {
    excess = std::max(excess, low - std::exp(point.epsilon) * high - point.delta);
  }
  return excess;
}

double ExcessShown(const Runs& runs, const Claim& claim, double false_alarms) {
  return Shown(runs, false_alarms, [&](double low, double high) { return claim.Excess(low, high); });
}

double EpsilonShown(const Runs& runs, double delta, double false_alarms) {
  const double shown = Shown(runs, false_alarms, [&](double low, double high) {
    return low > delta && high > 0 ? std::log((low - delta) / high) : kNothing;
  });
  return std::max(0.0, shown);
}

double MuShown(const Runs& runs, double false_alarms) {
  const double shown = Shown(runs, false_alarms, [&](double low, double high) {
    return low > 0 && high < 1 ? NormalQuantile(low) - NormalQuantile(high) : kNothing;
  });
  return std::max(0.0, shown);
}

double AreaUnderCurve(const Runs& runs) {
  const std::vector<double> without = Sorted(Comparable(runs.without));
  double wins = 0;
  for (const double value : Comparable(runs.with)) {
    const auto lower = std::ranges::lower_bound(without, value) - without.begin();
    const auto not_higher = std::ranges::upper_bound(without, value) - without.begin();
    wins += 0.5 * static_cast<double>(lower + not_higher);
  }
  return wins / static_cast<double>(runs.with.size() * runs.without.size());
}

}  // namespace aisle

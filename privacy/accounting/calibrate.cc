#include "privacy/accounting/calibrate.h"

#include <cmath>

#include "base/check.h"
#include "privacy/accounting/gaussian.h"
#include "privacy/accounting/pld.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

constexpr double kNoiseMin = 1e-3;
constexpr double kNoiseMax = 1e6;
constexpr double kPrecision = 1e-4;
constexpr double kEpsilonMin = 1e-6;
constexpr double kEpsilonMax = 1e6;

Status Check(const Releases& releases, double delta, Accountant accountant) {
  AISLE_RETURN_IF_ERROR(Validate(SampledGaussian{releases.sampling_rate, releases.noise_multiplier}));
  if (releases.steps == 0 || releases.steps > PldAccountant::kReleasesMax) {
    return InvalidArgument("{} steps; there must be from 1 to {}", releases.steps, PldAccountant::kReleasesMax);
  }
  if (!(delta >= PldAccountant::kDeltaMin && delta < 1)) {
    return InvalidArgument("a delta of {}; it must be from {} to under 1", delta, PldAccountant::kDeltaMin);
  }
  if (accountant == Accountant::kExact && releases.sampling_rate != 1) {
    return InvalidArgument("a sampling rate of {}; the exact accountant knows only 1, use pld or rdp",
                           releases.sampling_rate);
  }
  return OkStatus();
}

}  // namespace

std::string_view ToString(Accountant accountant) {
  switch (accountant) {
    case Accountant::kRdp:
      return "rdp";
    case Accountant::kPld:
      return "pld";
    case Accountant::kExact:
      return "exact";
  }
  AISLE_CHECK(false, "no accountant {}", static_cast<int>(accountant));
  return {};
}

StatusOr<Accountant> ParseAccountant(std::string_view text) {
  for (const Accountant accountant : {Accountant::kRdp, Accountant::kPld, Accountant::kExact}) {
    if (text == ToString(accountant)) return accountant;
  }
  return InvalidArgument("no accountant is called \"{}\"; use rdp, pld or exact", text.substr(0, 64));
}

StatusOr<double> EpsilonOf(const Releases& releases, double delta, Accountant accountant) {
  AISLE_RETURN_IF_ERROR(Check(releases, delta, accountant));
  const auto steps = static_cast<double>(releases.steps);
  if (accountant == Accountant::kExact) return GaussianEpsilon(releases.noise_multiplier / std::sqrt(steps), delta);
  if (accountant == Accountant::kRdp) {
    AISLE_ASSIGN_OR_RETURN(const RdpCurve curve,
                           RdpCurve::SampledGaussian(releases.sampling_rate, releases.noise_multiplier));
    return EpsilonOf(curve * steps, delta).epsilon;
  }
  PldAccountant pld;
  AISLE_RETURN_IF_ERROR(pld.Add(SampledGaussian{releases.sampling_rate, releases.noise_multiplier}, releases.steps));
  return pld.Epsilon(delta);
}

StatusOr<double> CalibrateNoise(const NoiseTarget& target, Accountant accountant) {
  if (!(target.epsilon >= kEpsilonMin && target.epsilon <= kEpsilonMax)) {
    return InvalidArgument("an epsilon of {}; it must be from {} to {}", target.epsilon, kEpsilonMin, kEpsilonMax);
  }
  const auto epsilon_at = [&](double z) {
    const Releases releases{.noise_multiplier = z, .sampling_rate = target.sampling_rate, .steps = target.steps};
    return EpsilonOf(releases, target.delta, accountant);
  };
  double low = 0;  // Too little.
  double high = 1;
  for (;;) {
    AISLE_ASSIGN_OR_RETURN(const double epsilon, epsilon_at(high));
    if (epsilon <= target.epsilon) break;
    if (high >= kNoiseMax) {
      return InvalidArgument("an epsilon of {} needs a noise multiplier over {}", target.epsilon, kNoiseMax);
    }
    low = high;
    high = std::min(kNoiseMax, 4 * high);
  }
  while (low == 0 && high > kNoiseMin) {
    const double lower = std::max(kNoiseMin, high / 2);
    AISLE_ASSIGN_OR_RETURN(const double epsilon, epsilon_at(lower));
    (epsilon <= target.epsilon ? high : low) = lower;
  }
  while (low > 0 && high > low * (1 + kPrecision)) {
    const double middle = std::sqrt(low * high);
    AISLE_ASSIGN_OR_RETURN(const double epsilon, epsilon_at(middle));
    (epsilon <= target.epsilon ? high : low) = middle;
  }
  return high;
}

}  // namespace aisle

#include "privacy/unit_sampler.h"

#include <cmath>

namespace aisle {

StatusOr<UnitSampler> UnitSampler::Make(double sampling_rate) {
  if (!(sampling_rate > 0 && sampling_rate <= 1)) {
    return InvalidArgument("a sampling rate of {}; it must be over 0 and at most 1", sampling_rate);
  }
  if (sampling_rate == 1) return UnitSampler(0);
  const auto bound = static_cast<uint64_t>(std::ldexp(sampling_rate, 64));  // Exact but for the cut below 2^-64.
  if (bound == 0)
    return InvalidArgument("a sampling rate of {} is below 2^-64: nobody would ever be drawn", sampling_rate);
  return UnitSampler(bound);
}

std::vector<size_t> UnitSampler::Draw(size_t units, RandomSource& random) const {
  std::vector<size_t> drawn;
  for (size_t unit = 0; unit < units; ++unit) {
    const uint64_t word = random.Draw64();  // Drawn for q = 1 too, so that streams stay in step whatever the rate.
    if (bound_ == 0 || word < bound_) drawn.push_back(unit);
  }
  return drawn;
}

}  // namespace aisle

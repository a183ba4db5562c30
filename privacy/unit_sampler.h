// Who takes part in a release: every unit independently, with the same probability, by a secret coin. That, and nothing
// else, is what Poisson-sampled accounting (accounting/rdp.h, accounting/pld.h) prices. Shuffled batches, a fixed batch
// size or a cap on the draw are other mechanisms with other prices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "base/status.h"

namespace aisle {

class UnitSampler {
 public:
  // InvalidArgument unless `sampling_rate` is in (0, 1].
  static StatusOr<UnitSampler> Make(double sampling_rate);

  // The indices below `units` that were drawn, ascending. One 64-bit word of `random` a unit, a cryptographic stream
  // that nobody else knows: who could guess the coins would get none of the sampling's protection. The chance is
  // sampling_rate rounded down to a multiple of 2^-64, so never above what was priced.
  std::vector<size_t> Draw(size_t units, RandomSource& random) const;

 private:
  explicit UnitSampler(uint64_t bound) : bound_(bound) {}
  uint64_t bound_ = 0;  // A unit is drawn if its word is below; 0 stands for 2^64: always.
};

}  // namespace aisle

// One question for any accountant: the epsilon of so many releases, and the noise that keeps them within one.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace aisle {

enum class Accountant : uint8_t {
  kRdp = 1,    // Renyi: what the ledger's filter works with. Holds for the discrete noise that is drawn.
  kPld = 2,    // Privacy loss distributions: tight.
  kExact = 3,  // The Gaussian in closed form; only without sampling.
};
std::string_view ToString(Accountant accountant);  // "rdp", "pld", "exact"
StatusOr<Accountant> ParseAccountant(std::string_view text);

// `steps` releases of the (sampled) Gaussian mechanism.
struct Releases {
  double noise_multiplier = 0;  // z, from 1e-3 to 1e6.
  double sampling_rate = 1;     // q, from 1e-9 to 1.
  uint64_t steps = 1;           // From 1 to 1'000'000'000.
};
// Their epsilon at `delta` in [1e-30, 1), never under the truth. InvalidArgument naming the number and its range, or
// that the exact accountant has nothing to say of sampling.
StatusOr<double> EpsilonOf(const Releases& releases, double delta, Accountant accountant);

struct NoiseTarget {
  double epsilon = 0;  // From 1e-6 to 1e6.
  double delta = 1e-6;
  double sampling_rate = 1;
  uint64_t steps = 1;
};
// The least noise multiplier, to a part in ten thousand and rounded up, with which EpsilonOf is at most the target's
// epsilon; at least 1e-3. InvalidArgument also if even 1e6 isn't enough.
StatusOr<double> CalibrateNoise(const NoiseTarget& target, Accountant accountant);

}  // namespace aisle

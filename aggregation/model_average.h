// The mean over a job's latest models. Each round's noise stays in the last model whole; in a mean over rounds much of
// it cancels (Polyak and Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"; for private training
// De et al. 2022, "Unlocking High-Accuracy Differentially Private Image Classification through Scale", section 3).
// Models are made of noised sums, so a mean of them is post-processing and costs no privacy.
//
// With x_t the model after round t, and N the rounds to average over:
//
//   a_1 = x_1,    a_t = a_(t-1) + (x_t - a_(t-1)) / min(t, N)
//
// which is the plain arithmetic mean while t <= N. After that every model weighs 1 - 1/N of the one after it: a mean
// that leans on the last N or so, needs no older model kept, and is as good after any round as after the last.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"

namespace aisle {

inline constexpr uint32_t kAverageRoundsMax = 10'000;

// Makes a_t of a_(t-1), in place. `round` is t, from 1: a_0 is of no consequence. Double arithmetic per coordinate,
// without fused operations, rounded to float32: the same inputs give the same bits on every machine and after a replay.
//   InvalidArgument, and nothing changed: lengths that differ, a round of 0, or a span outside 1 to kAverageRoundsMax
Status MoveAverage(std::span<float> average, std::span<const float> model, uint64_t round, uint32_t rounds);

}  // namespace aisle

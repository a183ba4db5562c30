// Exact integer noise on an integer vector: what Release (in the agent) and the steps of mode local-sgd (in the worker)
// both do, once a debit is durable.
#pragma once

#include <cstdint>
#include <span>

#include "aggregation/quantizer.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

// The noise's integer standard deviation: ceil(z * Delta), so never less than the promise.
// InvalidArgument if it is under 1 or over DiscreteGaussian::kSigmaMax.
StatusOr<int64_t> NoiseSigma(double noise_multiplier, const Quantizer& quantizer);

// `clean` plus independent discrete Gaussian noise of that sigma on every coordinate. `random` is a cryptographic
// stream used for nothing else, of a fresh key: noise drawn twice from one seed cancels out.
StatusOr<SecretVector<int64_t>> WithNoise(std::span<const int32_t> clean, double noise_multiplier,
                                          const Quantizer& quantizer, RandomSource& random);

}  // namespace aisle

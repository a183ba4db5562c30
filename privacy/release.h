// The one way a number leaves a store: proof of a durable debit in, a noised vector out. Runs in the agent, which
// trusts neither the worker nor the plan: the norm is checked again here.
#pragma once

#include <cstdint>

#include "aggregation/quantizer.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "privacy/debit_receipt.h"

namespace aisle {

// The noise's integer standard deviation: ceil(z * Delta), so never less than the promise.
// InvalidArgument if it is over DiscreteGaussian::kSigmaMax.
StatusOr<int64_t> NoiseSigma(double noise_multiplier, const Quantizer& quantizer);

// `clean`, quantised and within the norm, plus discrete Gaussian noise for the receipt's noise multiplier (none for the
// unit none), each coordinate clamped to +-quantizer.coordinate_max(), as Z_2^32. Both arguments are used up, whatever
// the outcome; a refused vector costs its debit.
//
// `random` is a cryptographic stream used for nothing else: AesCtrStream of a fresh SecureRandom key. Never derive it
// from anything HQ knows, and never draw twice from one seed.
//
// InvalidArgument if the vector fails quantizer.CheckNorm. FailedPrecondition if the receipt is already spent.
StatusOr<SecretVector<uint32_t>> Release(DebitReceipt receipt, SecretVector<int32_t> clean, const Quantizer& quantizer,
                                         RandomSource& random);

}  // namespace aisle

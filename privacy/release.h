// The one way a number leaves a store: proof of a durable debit in, a noised vector out. Runs in the agent, which
// trusts neither the worker nor the plan: where the unit is the whole store, the norm is checked again here. Of a sum
// over customers nothing can be checked from outside; there the worker's UnitSum holds the bound.
#pragma once

#include <cstdint>
#include <span>

#include "aggregation/quantizer.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "privacy/debit_receipt.h"
#include "privacy/noise.h"

namespace aisle {

// `clean`, quantised and within the norm, plus discrete Gaussian noise for the receipt's noise multiplier (none for the
// unit none), each coordinate clamped to +-quantizer.coordinate_max(), as Z_2^32. Both arguments are used up, whatever
// the outcome; a refused vector costs its debit.
//
// `random` is a cryptographic stream used for nothing else: AesCtrStream of a fresh SecureRandom key. Never derive it
// from anything HQ knows, and never draw twice from one seed.
//
// InvalidArgument if the vector has another length, or, as the vector of one unit, fails quantizer.CheckNorm.
// FailedPrecondition if the receipt is already spent.
StatusOr<SecretVector<uint32_t>> Release(DebitReceipt receipt, SecretVector<int32_t> clean, const Quantizer& quantizer,
                                         RandomSource& random);

// What Release asks of a clean vector, to be asked before a debit is spent on it.
Status CheckSensitivity(PrivacyUnit unit, std::span<const int32_t> clean, const Quantizer& quantizer);

// Mode local-sgd, where the worker adds the noise step by step: the fresh key of that noise, in return for a debit that
// pays for all the steps. FailedPrecondition if the receipt is already spent.
StatusOr<SecretBytes> NoiseKeyFor(DebitReceipt receipt, RandomSource& random);

// And what it made of it, as Z_2^32. InvalidArgument as quantizer.CheckNorm.
StatusOr<SecretVector<uint32_t>> WireOf(SecretVector<int32_t> noised, const Quantizer& quantizer);

}  // namespace aisle

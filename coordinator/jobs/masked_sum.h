// The last step of the secure sum at headquarters: the masks come off the sum, never off a store's vector.
#pragma once

#include "aggregation/modular_sum.h"
#include "base/status.h"
#include "privacy/secagg/unmask.h"

namespace aisle {

// Rebuilds the secrets that the transcript's shares tell and takes their masks out of the survivors' masked sum, in
// place, on all processors. The same transcript and sum give the same bits. Errors as secagg::Reconstruct, naming the
// store that dealt wrong shares; the sum is as it was then. Thread-safe for different sums.
Status TakeMasksOff(const secagg::Transcript& transcript, ModularSum& sum);

}  // namespace aisle

// Whom a store believes in the secure sum: parties of its own chain, whose certificates its roots issued and whose time
// hasn't run out. Headquarters passes on the others' certificates, so nothing about them is taken on its word.
#pragma once

#include <absl/time/time.h>

#include "base/identity/trusted_roots.h"
#include "privacy/secagg/trust.h"

namespace aisle {

// As of `now`, by the roots of `known` and the chain's name. What they have proven once is kept in `known`, which must
// outlive the result and has the same owner. Unauthenticated: forged, expired or of another chain; PermissionDenied:
// somebody else than it should be; InvalidArgument: no certificate.
secagg::Trust ChainTrust(TrustedCertificates& known, const ChainName& chain, absl::Time now);

}  // namespace aisle

// Whom a store believes in the secure sum: parties of its own chain, whose certificates its roots issued and whose time
// hasn't run out. Headquarters passes on the others' certificates, so nothing about them is taken on its word.
#pragma once

#include <absl/time/time.h>

#include "base/identity/tls_identity.h"
#include "privacy/secagg/trust.h"

namespace aisle {

// As of `now`, by the roots and the chain of `own`. Unauthenticated: forged, expired or of another chain;
// PermissionDenied: somebody else than it should be; InvalidArgument: no certificate.
secagg::Trust ChainTrust(const TlsIdentity& own, absl::Time now);

}  // namespace aisle

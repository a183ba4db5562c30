// Whom a certificate is about, as far as one needs to know to believe what they signed.
#pragma once

#include <absl/time/time.h>

#include "base/digest.h"
#include "base/identity/identity.h"
#include "base/identity/p256_key.h"

namespace aisle {

// Immutable. Who hands one out says whether it is to be trusted, and when.
struct Party {
  Identity identity;
  Digest key_digest;  // Certificate::key_digest.
  P256Key key;
};

}  // namespace aisle

// Which keys may speak for a store. Pure values; the caller keeps them durably.
//
// A renewal can be lost on its way back, so until the new key is first seen in use the old one must keep working; from
// then on it must not. That also settles two boxes with one identity (a copied disk): whichever renews first and uses
// its new key leaves the other with a key that is refused, as kDuplicateIdentity, where headquarters sees it.
#pragma once

#include <optional>

#include "base/codec.h"
#include "base/digest.h"
#include "base/status.h"

namespace aisle {

struct AcceptedKeys {
  Digest current;              // Certified and, unless the store has just enrolled, seen in use.
  std::optional<Digest> next;  // Certified by the latest renewal, not yet seen in use.

  bool operator==(const AcceptedKeys&) const = default;
};

// What to keep after a call that presented `key`: unchanged if it is the current one; if it is the next one, that
// becomes current and the old one is refused from here on. If the result differs from `keys`, make it durable before
// answering. Unauthenticated with Reason::kDuplicateIdentity for any other key.
StatusOr<AcceptedKeys> Admit(const AcceptedKeys& keys, const Digest& key);

// What to keep after certifying `requested` for a store that called with `presented`. A renewal repeated with another
// request (the answer was lost, the box restarted) replaces a `next` that was never seen. Refuses as Admit does.
// InvalidArgument if the store asks for its present key again: each renewal brings a new key.
StatusOr<AcceptedKeys> Renewed(const AcceptedKeys& keys, const Digest& presented, const Digest& requested);

void Encode(const AcceptedKeys& keys, ByteWriter& bytes);
AcceptedKeys DecodeAcceptedKeys(ByteReader& bytes);  // Ask the reader whether it went well.

}  // namespace aisle

// The rules of joining: what a one-time code is worth, once, and to whom. Pure; the caller keeps records durably.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/status.h"
#include "coordinator/enrolment/accepted_keys.h"
#include "coordinator/enrolment/one_time_code.h"

namespace aisle {

struct EnrolmentPolicy {
  absl::Duration code_lifetime = absl::Hours(72);
  absl::Duration certificate_lifetime = absl::Hours(72);
  // A store that was cut off while its certificate ended may still trade it for a new one, for this long.
  absl::Duration late_renewal = absl::Hours(24 * 30);
  // A store whose answer was lost may redeem its code again, with the very same key, for this long.
  absl::Duration repeat_window = absl::Hours(1);
};

// One issued code, kept under its hash. Holds no secret.
struct EnrolmentRecord {
  struct Redemption {
    Digest key;     // Of the store's first key.
    absl::Time at;  // When the code was first redeemed.
    bool operator==(const Redemption&) const = default;
  };
  Digest code_hash;
  StoreId store;
  absl::Time expires_at;
  std::optional<Redemption> redeemed;

  bool operator==(const EnrolmentRecord&) const = default;
};

struct IssuedCode {
  OneTimeCode code;        // Show it once, then forget it.
  EnrolmentRecord record;  // Keep it.
};

// A code for a store, new or known; for a known one it means a new box (its old keys end when the code is redeemed).
IssuedCode IssueCode(const StoreId& store, const EnrolmentPolicy& policy, absl::Time now, RandomSource& random);

struct Redeemed {
  EnrolmentRecord record;
  AcceptedKeys keys;      // The store's, from now on.
  bool repeated = false;  // Nothing changed: the same box asked again.
};

// `record` is what is kept under the code's hash, `keys` what is kept of the store, `key` the digest of the key in a
// request that has been checked (KeyOfCsr). Make the result durable, record and keys in one write, before the
// certificate is given out: then a code is never worth two certificates for two keys, whatever crashes when.
//
// The answer may be lost after that write. So the same code with the very same key, within the repeat window and as
// long as the store's key is still that one, gets a certificate again; it can only reach the one who holds the key.
// Errors:
//   NotFound + kCodeInvalid: no such code.   FailedPrecondition + kCodeExpired: too late, ask for a new one.
//   FailedPrecondition + kCodeUsed: redeemed before with another key, or too long ago. If the store's own operators
//   didn't do that, somebody else has: revoke the store.
StatusOr<Redeemed> Redeem(const std::optional<EnrolmentRecord>& record, const std::optional<AcceptedKeys>& keys,
                          const Digest& key, const EnrolmentPolicy& policy, absl::Time now);

// The record's canonical bytes, for the state store.
std::string EncodeRecord(const EnrolmentRecord& record);
StatusOr<EnrolmentRecord> DecodeRecord(std::string_view bytes);  // DataLoss if malformed.

}  // namespace aisle

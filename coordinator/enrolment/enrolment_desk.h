// The counter where certificates are handed out: rules (enrolment.h), authority and durable records put together.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/identity/authority.h"
#include "base/identity/certificate.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/status.h"
#include "coordinator/enrolment/enrolment.h"

namespace aisle {

// What the desk needs to know and keep of stores; the coordinator's state store implements it.
class EnrolmentRecords {
 public:
  struct KnownStore {
    AcceptedKeys keys;
    bool revoked = false;
  };
  virtual ~EnrolmentRecords() = default;
  virtual StatusOr<std::optional<EnrolmentRecord>> FindCode(const Digest& code_hash) = 0;
  virtual StatusOr<std::optional<KnownStore>> FindStore(const StoreId& store) = 0;
  // Each is one durable write: when it returns OK, a power cut doesn't undo it.
  virtual Status PutCode(const EnrolmentRecord& record) = 0;
  // A store that was revoked stays so: an administrator lifts that, not a code.
  virtual Status PutRedemption(const EnrolmentRecord& record, const AcceptedKeys& keys,
                               absl::Time certificate_expires) = 0;
  virtual Status PutKeys(const StoreId& store, const AcceptedKeys& keys,
                         std::optional<absl::Time> certificate_expires) = 0;
};

// Not thread-safe: one owner, such as the coordinator's executor. A call costs about 0.2 ms of signing besides the
// write.
class EnrolmentDesk {
 public:
  EnrolmentDesk(const CertificateAuthority& authority, EnrolmentPolicy policy, EnrolmentRecords& records,
                const Clock& clock, RandomSource& random);

  // FailedPrecondition with kRevoked for a revoked store.
  StatusOr<IssuedCode> Invite(const StoreId& store);

  struct Enrolled {
    StoreId store;
    Certificate certificate;
  };
  // A code for a certificate. Errors as Redeem; InvalidArgument for a malformed request; PermissionDenied + kRevoked.
  StatusOr<Enrolled> Enrol(std::string_view code, std::string_view csr_pem);
  // A certificate for a fresh one. `presented` is the peer's (net/peer.h).
  StatusOr<Certificate> Renew(const Certificate& presented, std::string_view csr_pem);
  // The door of every other call of a store: known, not revoked, and with an accepted key. Writes only when a renewed
  // key is first seen. Unauthenticated + kUnknownStore, PermissionDenied + kRevoked, Unauthenticated +
  // kDuplicateIdentity.
  StatusOr<StoreId> Admit(const Certificate& presented);

 private:
  StatusOr<AcceptedKeys> KeysOf(const StoreId& store);
  StatusOr<Certificate> Issue(const StoreId& store, std::string_view csr_pem);

  const CertificateAuthority& authority_;
  EnrolmentPolicy policy_;
  EnrolmentRecords& records_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace aisle

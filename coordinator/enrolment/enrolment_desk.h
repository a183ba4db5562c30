// The counter where certificates are handed out: rules (enrolment.h), authority and durable records put together.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
    std::optional<absl::Time> certificate_expires = {};  // Of the latest certificate.
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
  // A store that need not be known yet, and is enrolled from now on.
  virtual Status PutAdopted(const StoreId& store, const AcceptedKeys& keys, absl::Time certificate_expires) = 0;
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
    bool repeated = false;  // The same box asked again.
  };
  // A code for a certificate. Errors as Redeem; InvalidArgument for a malformed request; PermissionDenied + kRevoked.
  StatusOr<Enrolled> Enrol(std::string_view code, std::string_view csr_pem);
  // A certificate for a fresh one. `presented` is the peer's (net/peer.h).
  StatusOr<Certificate> Renew(const Certificate& presented, std::string_view csr_pem);
  // The same for a certificate that has ended, so that no handshake vouches for it: one of the roots must have issued
  // it, and `proof` be its key's over the request (kLateRenewalDomain, base/identity/statement.h). Unauthenticated: it
  // is nobody's of ours; FailedPrecondition: it ended longer ago than late_renewal; otherwise as Renew. What is
  // expensive is only done for keys that are accepted, so strangers cost next to nothing.
  StatusOr<Certificate> RenewLate(std::string_view ended_pem, std::string_view csr_pem, std::string_view proof,
                                  std::string_view roots_pem);
  // The door of every other call of a store: known, not revoked, and with an accepted key. Writes only when a renewed
  // key is first seen. Unauthenticated + kUnknownStore, PermissionDenied + kRevoked, Unauthenticated +
  // kDuplicateIdentity.
  StatusOr<StoreId> Admit(const Certificate& presented);
  // For the end of a call that was let in at its beginning: the store is known and not revoked. That its key was
  // renewed meanwhile must not cost it the call.
  StatusOr<StoreId> Recognise(const Certificate& presented);

  // Certificates are issued by `authority` from now on; it must outlive the desk, or the next change.
  void ChangeAuthority(const CertificateAuthority& authority) { authority_ = &authority; }
  // These records were restored from a backup of `from`, at `until`. A certificate of the chain that was issued in
  // between came from the coordinator that was lost: its key is taken for the store's, be the store known or not, if it
  // ends later than any that is known. Revoked stores stay so.
  void TrustIssuedBetween(absl::Time from, absl::Time until) { issued_elsewhere_ = {from, until}; }

 private:
  bool WasIssuedElsewhere(const Certificate& presented) const;
  // As KeysOf, for a certificate that a handshake or CheckIssuedBy has vouched for.
  StatusOr<AcceptedKeys> KeysFor(const StoreId& store, const Certificate& presented);
  StatusOr<AcceptedKeys> KeysOf(const StoreId& store);
  StatusOr<Certificate> Issue(const StoreId& store, const RequestedKey& key);

  const CertificateAuthority* authority_;
  EnrolmentPolicy policy_;
  EnrolmentRecords& records_;
  const Clock& clock_;
  RandomSource& random_;
  std::pair<absl::Time, absl::Time> issued_elsewhere_ = {absl::InfiniteFuture(), absl::InfinitePast()};
};

}  // namespace aisle

#include "coordinator/enrolment/enrolment_desk.h"

#include "base/clock.h"
#include "base/cover.h"
#include "base/identity/key_pair.h"
#include "base/identity/statement.h"
#include "base/reason.h"

namespace aisle {
namespace {

// Certificates tell their time in whole seconds, and clocks are set. Of one that is taken for the other coordinator's
// by this slack, the key is known, or a later certificate is.
constexpr absl::Duration kIssueSlack = absl::Minutes(1);

Status RefuseRevoked(const StoreId& store) {
  return WithReason(PermissionDenied("store '{}' is revoked", store), Reason::kRevoked);
}

}  // namespace

EnrolmentDesk::EnrolmentDesk(const CertificateAuthority& authority, EnrolmentPolicy policy, EnrolmentRecords& records,
                             const Clock& clock, RandomSource& random)
    : authority_(&authority), policy_(policy), records_(records), clock_(clock), random_(random) {}

StatusOr<IssuedCode> EnrolmentDesk::Invite(const StoreId& store) {
  AISLE_ASSIGN_OR_RETURN(const auto known, records_.FindStore(store));
  if (known.has_value() && known->revoked) {
    return WithReason(
        FailedPrecondition("store '{}' is revoked; lift that first: aisle store reinstate {}", store, store),
        Reason::kRevoked);
  }
  IssuedCode issued = IssueCode(store, policy_, clock_.Now(), random_);
  AISLE_RETURN_IF_ERROR(records_.PutCode(issued.record));
  return issued;
}

StatusOr<EnrolmentDesk::Enrolled> EnrolmentDesk::Enrol(std::string_view code, std::string_view csr_pem) {
  AISLE_ASSIGN_OR_RETURN(const OneTimeCode parsed, OneTimeCode::Parse(code));
  AISLE_ASSIGN_OR_RETURN(const auto record, records_.FindCode(parsed.hash()));
  // Strangers without a code get no further than this: checking a request costs more.
  if (!record.has_value()) return Redeem(record, std::nullopt, Digest{}, policy_, clock_.Now()).status();
  AISLE_ASSIGN_OR_RETURN(const RequestedKey key, ReadCsr(csr_pem));
  AISLE_ASSIGN_OR_RETURN(const auto known, records_.FindStore(record->store));
  if (known.has_value() && known->revoked) return RefuseRevoked(record->store);
  const auto keys = known.has_value() ? std::optional(known->keys) : std::nullopt;
  AISLE_ASSIGN_OR_RETURN(const Redeemed redeemed, Redeem(record, keys, key.digest, policy_, clock_.Now()));
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Issue(record->store, key));
  AISLE_RETURN_IF_ERROR(records_.PutRedemption(redeemed.record, redeemed.keys, certificate.not_after()));
  return Enrolled{record->store, std::move(certificate), redeemed.repeated};
}

StatusOr<Certificate> EnrolmentDesk::Renew(const Certificate& presented, std::string_view csr_pem) {
  AISLE_ASSIGN_OR_RETURN(const StoreId store, StoreOf(presented.identity()));
  AISLE_ASSIGN_OR_RETURN(const AcceptedKeys keys, KeysFor(store, presented));
  AISLE_ASSIGN_OR_RETURN(const RequestedKey key, ReadCsr(csr_pem));
  AISLE_ASSIGN_OR_RETURN(const AcceptedKeys renewed, Renewed(keys, presented.key_digest(), key.digest));
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Issue(store, key));
  AISLE_RETURN_IF_ERROR(records_.PutKeys(store, renewed, certificate.not_after()));
  return certificate;
}

StatusOr<Certificate> EnrolmentDesk::RenewLate(std::string_view ended_pem, std::string_view csr_pem,
                                               std::string_view proof, std::string_view roots_pem) {
  AISLE_ASSIGN_OR_RETURN(const Certificate ended, Certificate::FromPem(ended_pem));
  AISLE_ASSIGN_OR_RETURN(const StoreId store, StoreOf(ended.identity()));
  if (ended.identity().chain != authority_->chain()) {
    return Unauthenticated("the certificate is of chain '{}'; this is chain '{}'", ended.identity().chain,
                           authority_->chain());
  }
  if (!WasIssuedElsewhere(ended)) {  // Else Renew knows the key, once the certificate is proven.
    AISLE_ASSIGN_OR_RETURN(const AcceptedKeys keys, KeysOf(store));
    AISLE_RETURN_IF_ERROR(aisle::Admit(keys, ended.key_digest()).status());
  }
  if (const absl::Time latest = ended.not_after() + policy_.late_renewal; clock_.Now() > latest) {
    return FailedPrecondition(
        "the certificate of store '{}' ended at {} and could be renewed until {}; give it a new code: aisle store add "
        "{}",
        store, FormatUtc(ended.not_after()), FormatUtc(latest), store);
  }
  AISLE_RETURN_IF_ERROR(ended.CheckIssuedBy(roots_pem, ended.not_after() - absl::Seconds(1)));  // Its last moment.
  AISLE_RETURN_IF_ERROR(VerifyStatement(ended, kLateRenewalDomain, csr_pem, proof));
  AISLE_COVER("enrolment.late_renewal");
  return Renew(ended, csr_pem);
}

StatusOr<StoreId> EnrolmentDesk::Recognise(const Certificate& presented) {
  AISLE_ASSIGN_OR_RETURN(StoreId store, StoreOf(presented.identity()));
  AISLE_RETURN_IF_ERROR(KeysOf(store).status());
  return store;
}

StatusOr<StoreId> EnrolmentDesk::Admit(const Certificate& presented) {
  AISLE_ASSIGN_OR_RETURN(StoreId store, StoreOf(presented.identity()));
  AISLE_ASSIGN_OR_RETURN(const AcceptedKeys keys, KeysFor(store, presented));
  AISLE_ASSIGN_OR_RETURN(const AcceptedKeys admitted, aisle::Admit(keys, presented.key_digest()));
  if (admitted != keys) AISLE_RETURN_IF_ERROR(records_.PutKeys(store, admitted, std::nullopt));
  return store;
}

bool EnrolmentDesk::WasIssuedElsewhere(const Certificate& presented) const {
  const absl::Time issued = presented.not_before() + kBackdating;
  return issued >= issued_elsewhere_.first - kIssueSlack && issued <= issued_elsewhere_.second + kIssueSlack;
}

StatusOr<AcceptedKeys> EnrolmentDesk::KeysFor(const StoreId& store, const Certificate& presented) {
  StatusOr<AcceptedKeys> keys = KeysOf(store);
  if (keys.ok() && aisle::Admit(*keys, presented.key_digest()).ok()) return keys;
  if (!WasIssuedElsewhere(presented)) return keys;
  AISLE_ASSIGN_OR_RETURN(const auto known, records_.FindStore(store));
  if (known.has_value() && known->revoked) return keys;
  if (known.has_value() && known->certificate_expires >= presented.not_after()) return keys;
  AISLE_COVER("enrolment.adopted_after_restoration");
  const AcceptedKeys adopted{.current = presented.key_digest(), .next = std::nullopt};
  AISLE_RETURN_IF_ERROR(records_.PutAdopted(store, adopted, presented.not_after()));
  return adopted;
}

StatusOr<AcceptedKeys> EnrolmentDesk::KeysOf(const StoreId& store) {
  AISLE_ASSIGN_OR_RETURN(const auto known, records_.FindStore(store));
  if (!known.has_value()) {
    return WithReason(Unauthenticated("store '{}' is not known here; enrol it", store), Reason::kUnknownStore);
  }
  if (known->revoked) return RefuseRevoked(store);
  return known->keys;
}

StatusOr<Certificate> EnrolmentDesk::Issue(const StoreId& store, const RequestedKey& key) {
  AISLE_ASSIGN_OR_RETURN(Identity identity, Identity::Make(authority_->chain(), Role::kStore, store.str()));
  return authority_->Issue(key, {std::move(identity), policy_.certificate_lifetime, {}}, clock_.Now(), random_);
}

}  // namespace aisle

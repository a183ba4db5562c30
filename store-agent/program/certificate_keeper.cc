#include "store-agent/program/certificate_keeper.h"

#include <algorithm>

#include "base/identity/authority.h"
#include "base/log.h"

namespace aisle {
namespace {

// Two thirds of the way from the issue to the end: certificates begin before they are issued (authority.h), and a short
// one would otherwise be due at once.
absl::Time RenewAt(const Certificate& certificate) {
  const absl::Time ends = certificate.not_after();
  const absl::Time issued = std::min(certificate.not_before() + kBackdating, ends);
  return issued + (ends - issued) * 2 / 3;
}

}  // namespace

CertificateKeeper::CertificateKeeper(std::string folder, Membership membership, GrpcFleetLink& link,
                                     AgentMetrics& metrics, const Clock& clock, RandomSource& random)
    : folder_(std::move(folder)),
      link_(link),
      metrics_(metrics),
      clock_(clock),
      random_(random),
      membership_(std::move(membership)) {
  metrics_.CertificateEnds(membership_.identity.certificate.not_after());
}

void CertificateKeeper::Tend() {
  const absl::Time now = clock_.Now();
  if (now < RenewAt(membership_.identity.certificate) || now < not_before_) return;
  StatusOr<Membership> renewed = RenewMembership(folder_, membership_, link_, now);
  Status done = renewed.status();
  if (renewed.ok()) done = link_.ChangeIdentity(renewed->identity);
  if (!done.ok()) {
    not_before_ = now + agent::kBackoffCap + backoff_.Next(random_);
    LogWarning("the certificate, valid until {}, could not be renewed: {}",
               FormatUtc(membership_.identity.certificate.not_after()), MessageOf(done));
    return;
  }
  backoff_.Reset();
  metrics_.CertificateEnds(renewed->identity.certificate.not_after());
  const std::lock_guard lock(mutex_);
  membership_ = *std::move(renewed);
}

TlsIdentity CertificateKeeper::identity() const {
  const std::lock_guard lock(mutex_);
  const TlsIdentity& present = membership_.identity;
  return {.ca_pem = present.ca_pem, .certificate = present.certificate, .key = present.key.Clone()};
}

std::vector<VerifyKey> CertificateKeeper::plan_keys() const {
  const std::lock_guard lock(mutex_);
  return membership_.plan_keys;
}

}  // namespace aisle

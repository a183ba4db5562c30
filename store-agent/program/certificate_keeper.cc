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

CertificateKeeper::CertificateKeeper(std::string folder, Membership membership, FleetLink& link, Show show,
                                     AgentMetrics& metrics, const Clock& clock, RandomSource& random)
    : folder_(std::move(folder)),
      link_(link),
      show_(std::move(show)),
      metrics_(metrics),
      clock_(clock),
      random_(random),
      membership_(std::move(membership)) {
  metrics_.CertificateEnds(membership_.identity.certificate.not_after());
}

void CertificateKeeper::Tend() {
  const std::unique_lock alone(tending_, std::try_to_lock);
  if (!alone.owns_lock()) return;
  const absl::Time now = clock_.Now();
  LookAtClock(membership_.identity.certificate, now);
  const bool rests = now >= tried_ && now < tried_ + pause_;  // A clock set back must not make it rest for long.
  if (now < RenewAt(membership_.identity.certificate) || rests) return;
  StatusOr<Membership> renewed = RenewMembership(folder_, membership_, link_, now);
  Status done = renewed.status();
  if (renewed.ok()) done = show_(renewed->identity);
  if (!done.ok()) {
    tried_ = now;
    pause_ = agent::kBackoffCap + backoff_.Next(random_);
    LogWarning("the certificate, valid until {}, could not be renewed: {}",
               FormatUtc(membership_.identity.certificate.not_after()), MessageOf(done));
    return;
  }
  backoff_.Reset();
  pause_ = absl::ZeroDuration();
  metrics_.CertificateEnds(renewed->identity.certificate.not_after());
  const std::lock_guard lock(mutex_);
  membership_ = *std::move(renewed);
}

// Headquarters told the time when it issued the certificate, so a clock that is before that is wrong: by it,
// headquarters' own certificate may not be valid yet, and then no call gets through that could tell the difference.
void CertificateKeeper::LookAtClock(const Certificate& certificate, absl::Time now) {
  const bool is_wrong = now < certificate.not_before();
  if (is_wrong && !warned_of_clock_) {
    LogWarning(
        "this store's clock says {}, but its certificate was issued after {}: the clock is wrong. Set it right; until "
        "then headquarters may be out of reach",
        FormatUtc(now), FormatUtc(certificate.not_before()));
  }
  warned_of_clock_ = is_wrong;
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

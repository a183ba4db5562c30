// The secure sum's steps on a real site: the cohort's file, the spool, the store's certificate and its policy put
// together. What may be said is decided by privacy/secagg/member.h; here it is made durable first and said after.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/identity/tls_identity.h"
#include "base/identity/trusted_roots.h"
#include "base/random.h"
#include "privacy/secagg/trust.h"
#include "store-agent/driver/sum_steps.h"
#include "store-agent/policy/site_policy.h"
#include "store-agent/sum/cohort_files.h"
#include "store-agent/transfer/spool.h"

namespace aisle {

struct SumParts {
  const CohortFiles& cohorts;
  const Spool& spool;
  const SitePolicy& policy;
  const Clock& clock;
  RandomSource& random;                   // Draws the cohorts' secrets.
  std::function<TlsIdentity()> identity;  // The store's, as of now: a renewal may come between two steps.
};

// A refusal changes nothing on the disk. Failed storage: the disk, or what is on it, doesn't let the store keep its
// promises, so it says nothing. One thread at a time: the agent's working thread.
class SiteSumSteps final : public SumSteps {
 public:
  explicit SiteSumSteps(SumParts parts) : parts_(std::move(parts)) {}

  std::variant<SumMessage, TaskEnd> Say(const agent::TakeSumStep& step) override;
  std::variant<BlobName, TaskEnd> Mask(const agent::TakeSumStep& step) override;
  Status Forget(const RoundId& round) override;
  Status ForgetAllBut(const std::optional<RoundId>& round) override;

 private:
  std::variant<SumMessage, TaskEnd> Advertise(const agent::TakeSumStep& step);
  // The cohort that the vector is in; refused if it is in none. It is the caller's from then on, until Keep.
  std::variant<KeptCohort, TaskEnd> CohortOf(const agent::TakeSumStep& step);
  StatusOr<std::optional<KeptCohort>> Load(const RoundId& round);
  // Durable when it returns OK. Also in memory: reading a private key takes OpenSSL as long as a whole step.
  Status Keep(KeptCohort cohort);
  StatusOr<secagg::Trust> TrustNow();

  SumParts parts_;
  std::optional<KeptCohort> kept_;            // As its file has it; nullopt: look there.
  std::optional<TrustedCertificates> known_;  // Of the chain; made when first needed.
};

}  // namespace aisle

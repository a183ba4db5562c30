// Keeps headquarters' identity fresh for years: the coordinator's own certificate, the administrator's, and the roots.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/identity/root_set.h"
#include "base/random.h"
#include "base/status.h"
#include "coordinator/enrolment/house_identity.h"

namespace aisle {

// Not thread-safe: one owner.
class IdentityKeeper {
 public:
  // Takes up the chain's folder and does what is due. Errors name the file.
  static StatusOr<std::unique_ptr<IdentityKeeper>> Open(ChainPaths paths, const Clock& clock, RandomSource& random);

  const std::shared_ptr<const HouseIdentity>& present() const { return present_; }

  // Does what is due by now; asked every few minutes, it is never late:
  //   a root past two thirds of its life gets a successor (root_set.h), as if by `aisle ca rotate`;
  //   the coordinator's certificate is renewed over a new key at two thirds of its life, or when another root issues;
  //   the administrator's likewise, over its own key, if that key is in the folder;
  //   roots.pem says what is to be trusted.
  // True if present() changed. After an error it is as before; asking again tries again.
  StatusOr<bool> Tend();

 private:
  IdentityKeeper(ChainPaths paths, const Clock& clock, RandomSource& random)
      : paths_(std::move(paths)), clock_(clock), random_(random) {}
  StatusOr<RootSet> TendRoots(absl::Time now);
  StatusOr<TlsIdentity> TendOwn(const CertificateAuthority& issuer, absl::Time now);
  Status TendAdmin(const CertificateAuthority& issuer, absl::Time now);

  const ChainPaths paths_;
  const Clock& clock_;
  RandomSource& random_;
  std::shared_ptr<const HouseIdentity> present_;
};

}  // namespace aisle

// The folder that `aisle init` makes: everything that says who is who in a chain.
//
//   ca.key ca.pem                    the root                        (coordinator)
//   coordinator.key coordinator.pem  the coordinator's server side   (coordinator)
//   admin.key admin.pem              the first administrator         (command line)
//   plan-signing.key .pub            Ed25519, signs plans            (command line; stores get the public half)
// Keys have mode 0600. Each program loads only what it needs.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "base/identity/authority.h"
#include "base/identity/signing.h"
#include "base/identity/tls_identity.h"
#include "base/random.h"
#include "base/status.h"

namespace aisle {

inline constexpr absl::Duration kCoordinatorLifetime = absl::Hours(24 * 365);
inline constexpr absl::Duration kAdminLifetime = absl::Hours(24 * 365);

struct ChainPaths {
  std::string folder;

  std::string ca_key() const { return folder + "/ca.key"; }
  std::string ca() const { return folder + "/ca.pem"; }
  TlsPaths coordinator() const { return {ca(), folder + "/coordinator.pem", folder + "/coordinator.key"}; }
  TlsPaths admin() const { return {ca(), folder + "/admin.pem", folder + "/admin.key"}; }
  std::string plan_signing_key() const { return folder + "/plan-signing.key"; }
  std::string plan_verify_key() const { return folder + "/plan-signing.pub"; }
};

struct NewChain {
  std::string folder;  // Made if absent.
  ChainName name;
  std::vector<std::string>
      server_names;  // DNS names and IP addresses that stores call the coordinator by; at least one.
};

// AlreadyExists, naming the file, if any of the files is there: nothing is ever overwritten. If anything fails, what
// was written is removed again.
Status InitChain(const NewChain& chain, absl::Time now, RandomSource& random);

StatusOr<CertificateAuthority> LoadAuthority(const ChainPaths& paths);

// The coordinator's identity, with a fresh certificate of the same names over the same key if less than a third of its
// life is left: a coordinator that is restarted once in eight months never shows an expired one.
StatusOr<TlsIdentity> LoadCoordinator(const ChainPaths& paths, const CertificateAuthority& authority, absl::Time now,
                                      RandomSource& random);

}  // namespace aisle

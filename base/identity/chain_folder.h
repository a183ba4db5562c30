// The folder that `aisle init` makes: everything that says who is who in a chain.
//
//   ca.key ca.pem                    the first root                  (coordinator)
//   ca-2.key ca-2.pem …              roots that followed (root_set.h)
//   roots.pem                        the roots to trust, once there were several
//   coordinator.key coordinator.pem  the coordinator's server side   (coordinator)
//   admin.key admin.pem              the first administrator         (command line)
//   plan-signing.key .pub            Ed25519, signs plans            (command line; stores get the public half)
// Keys have mode 0600. Each program loads only what it needs.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/identity/authority.h"
#include "base/identity/signing.h"
#include "base/identity/tls_identity.h"
#include "base/random.h"
#include "base/status.h"

namespace aisle {

inline constexpr absl::Duration kCoordinatorLifetime = absl::Hours(24 * 90);
inline constexpr absl::Duration kAdminLifetime = absl::Hours(24 * 365);

struct ChainPaths {
  std::string folder;

  // Of the chain's first root, or of a later one.
  std::string ca_key(uint32_t generation = 1) const;
  std::string ca(uint32_t generation = 1) const;
  std::string roots() const { return folder + "/roots.pem"; }
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

// The first root, with its key.
StatusOr<CertificateAuthority> LoadAuthority(const ChainPaths& paths);

// The administrator's identity; it trusts roots.pem, or ca.pem where a chain never had another root.
StatusOr<TlsIdentity> LoadAdmin(const ChainPaths& paths);

}  // namespace aisle

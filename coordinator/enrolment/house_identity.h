// Who headquarters is at one moment: what it issues certificates with, what it shows, whom it believes.
#pragma once

#include <memory>
#include <string>

#include "base/identity/authority.h"
#include "base/identity/tls_identity.h"
#include "privacy/secagg/trust.h"

namespace aisle {

// Immutable and shared; a change makes another one (identity_keeper.h).
struct HouseIdentity {
  std::shared_ptr<const CertificateAuthority> issuer;  // Of stores' and administrators' certificates.
  TlsIdentity own;                                     // The coordinator's; it trusts every root that counts now.

  // What stores are told to trust: several roots while one follows another.
  const std::string& roots_pem() const { return own.ca_pem; }
};

// What signs the rosters of the secure sum.
secagg::Credentials CredentialsOf(const HouseIdentity& identity);

}  // namespace aisle

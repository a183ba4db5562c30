// What one end of a TLS connection shows and trusts.
#pragma once

#include <string>

#include "base/identity/certificate.h"
#include "base/identity/key_pair.h"
#include "base/status.h"

namespace aisle {

struct TlsIdentity {
  std::string ca_pem;       // The roots to trust; nothing else is.
  Certificate certificate;  // Our own.
  KeyPair key;              // The certificate's.
};

struct TlsPaths {
  std::string ca;           // "ca.pem"
  std::string certificate;  // "admin.pem"
  std::string key;          // "admin.key"
};

// From three files. Errors name the file. InvalidArgument if the certificate isn't the key's; whether it is valid now
// and signed by the roots is for the caller to ask (Certificate::CheckIssuedBy).
StatusOr<TlsIdentity> LoadTlsIdentity(const TlsPaths& paths);

// All three in one file of mode 0600: key, certificate, roots. This is how a store keeps its identity, so that a
// renewal is one atomic, durable write: after a power cut the old identity is there or the new one, never a mixture.
Status SaveTlsBundle(const std::string& path, const TlsIdentity& identity);
StatusOr<TlsIdentity> LoadTlsBundle(const std::string& path);

}  // namespace aisle

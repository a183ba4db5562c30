// An X.509 certificate of the chain, parsed strictly.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/identity/identity.h"
#include "base/identity/key_pair.h"
#include "base/status.h"

struct x509_st;

namespace aisle {

inline constexpr size_t kCertificateSizeMax = 16 << 10;
inline constexpr size_t kRootsSizeMax = 64 << 10;

// An end-entity certificate. Parsing checks form, not trust: exactly one PEM block, no CA flag, a P-256 key, and a
// subject alternative name with exactly one URI, which is an identity. DNS and IP names are for coordinators only; any
// other form of name is refused. Immutable, cheap to copy, thread-safe.
class Certificate {
 public:
  static StatusOr<Certificate> FromPem(std::string_view pem);

  const Identity& identity() const { return identity_; }
  const std::string& serial() const { return serial_; }  // Hexadecimal.
  absl::Time not_before() const { return not_before_; }
  absl::Time not_after() const { return not_after_; }
  const Digest& key_digest() const { return key_digest_; }  // As KeyPair::digest.
  const std::string& pem() const { return pem_; }
  // DNS names and IP addresses, as text.
  StatusOr<std::vector<std::string>> ServerNames() const;

  // Unauthenticated, with both times, if `now` is outside of the certificate's life.
  Status CheckValidAt(absl::Time now) const;
  // When to ask for the next one: two thirds through its life.
  absl::Time RenewAt() const { return not_before_ + (not_after_ - not_before_) * 2 / 3; }
  // InvalidArgument unless `key` is the one that this certificate is about.
  Status CheckMatches(const KeyPair& key) const;
  // As TrustedRoots::Check (trusted_roots.h), under roots in PEM. Who checks many parses the roots once.
  Status CheckIssuedBy(std::string_view roots_pem, absl::Time now) const;
  x509_st* handle() const { return handle_.get(); }  // For base/identity only.

 private:
  friend class CertificateAuthority;
  static StatusOr<Certificate> FromHandle(std::shared_ptr<x509_st> handle);
  Certificate() = default;
  std::shared_ptr<x509_st> handle_;
  Identity identity_;
  std::string serial_;
  absl::Time not_before_;
  absl::Time not_after_;
  Digest key_digest_;
  std::string pem_;
};

}  // namespace aisle

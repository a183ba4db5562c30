// The chain's private certificate authority: one P-256 root that signs every certificate itself.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/identity/certificate.h"
#include "base/identity/identity.h"
#include "base/identity/key_pair.h"
#include "base/random.h"
#include "base/status.h"

namespace aisle {

inline constexpr absl::Duration kRootLifetime = absl::Hours(24 * 365 * 10);
// Certificates begin this long before they are issued, so that a store whose clock is behind can use them at once.
inline constexpr absl::Duration kBackdating = absl::Hours(1);

// What a certificate is to say. The request's own subject and extensions are ignored.
struct CertificateTerms {
  Identity identity;                           // Of the authority's chain.
  absl::Duration lifetime;                     // From now on; cut at the root's own end.
  std::vector<std::string> server_names = {};  // DNS names and IP addresses; for coordinators only, at most 32.
};

// Thread-safe once made.
class CertificateAuthority {
 public:
  // A new self-signed root for `chain` over `key`.
  static StatusOr<CertificateAuthority> Create(const ChainName& chain, KeyPair key, absl::Time now,
                                               RandomSource& random);
  // InvalidArgument unless `root_pem` is a root made by Create and `key` is its key.
  static StatusOr<CertificateAuthority> FromPem(std::string_view root_pem, KeyPair key);

  const ChainName& chain() const { return chain_; }
  const std::string& root_pem() const { return root_pem_; }
  absl::Time not_after() const { return not_after_; }

  // Signs a certificate for a request that ReadCsr accepts. Stores and admins get client certificates, coordinators
  // server certificates: neither passes for the other. The serial is 127 random bits.
  StatusOr<Certificate> IssueFromCsr(std::string_view csr_pem, const CertificateTerms& terms, absl::Time now,
                                     RandomSource& random) const;
  // The same for a request that was read, or a key at hand.
  StatusOr<Certificate> Issue(const RequestedKey& key, const CertificateTerms& terms, absl::Time now,
                              RandomSource& random) const;
  StatusOr<Certificate> Issue(const KeyPair& key, const CertificateTerms& terms, absl::Time now,
                              RandomSource& random) const;

 private:
  CertificateAuthority(ChainName chain, KeyPair key) : chain_(std::move(chain)), key_(std::move(key)) {}
  StatusOr<Certificate> IssueFor(evp_pkey_st* public_key, const CertificateTerms& terms, absl::Time now,
                                 RandomSource& random) const;
  ChainName chain_;
  KeyPair key_;
  std::shared_ptr<x509_st> root_;
  std::string root_pem_;
  absl::Time not_after_;
};

}  // namespace aisle

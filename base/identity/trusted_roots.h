// The roots of a chain, parsed once, and the parties whose certificates were found to be theirs.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/identity/certificate.h"
#include "base/identity/issuer.h"
#include "base/identity/party.h"
#include "base/status.h"

struct x509_store_st;

namespace aisle {

// Immutable, cheap to copy, thread-safe.
class TrustedRoots {
 public:
  // One root or several in PEM; no system roots. InvalidArgument: none, a malformed one, or over kRootsSizeMax bytes.
  static StatusOr<TrustedRoots> FromPem(std::string_view pem);

  const std::string& pem() const { return pem_; }

  // While a certificate and the root above it are both valid.
  struct Span {
    absl::Time from;
    absl::Time until;
  };
  // Unauthenticated unless one of the roots signed the certificate, both are valid at `now` and the certificate is, as
  // OpenSSL's "sslclient" or "sslserver" purpose has it, fit for its role.
  StatusOr<Span> Check(const Certificate& certificate, absl::Time now) const;

  struct Proven {
    std::shared_ptr<const Party> party;
    Span valid;
  };
  // As Certificate::FromPem and Check. What is written byte for byte as our authority writes it is read and checked
  // without OpenSSL's reader of X.509, in a third of the time; it decides about everything else, and says what is
  // wrong.
  StatusOr<Proven> Prove(std::string_view certificate_pem, absl::Time now) const;

 private:
  TrustedRoots(std::string pem, std::shared_ptr<x509_store_st> store, std::vector<Issuer> issuers)
      : pem_(std::move(pem)), store_(std::move(store)), issuers_(std::move(issuers)) {}
  std::string pem_;
  std::shared_ptr<x509_store_st> store_;
  std::vector<Issuer> issuers_;  // Of those roots that Issuer knows.
};

// Remembers, by their PEM, certificates that the roots have signed: that stays true, and finding it out takes a
// signature on P-256. Whether they are valid is asked each time. Revocations are the caller's business. Has one owner;
// not thread-safe.
class TrustedCertificates {
 public:
  // Keeps at most `size` certificates, of some 4 KiB each; full, it forgets them all.
  TrustedCertificates(TrustedRoots roots, size_t size) : roots_(std::move(roots)), size_(size) {}

  const TrustedRoots& roots() const { return roots_; }
  // As TrustedRoots::Prove. What fails isn't kept.
  StatusOr<std::shared_ptr<const Party>> Find(const std::string& pem, absl::Time now);
  // Certificate::key_digest; errors as of Certificate::FromPem. No word on whether it is to be trusted.
  StatusOr<Digest> KeyDigestOf(const std::string& pem) const;

 private:
  TrustedRoots roots_;
  size_t size_;
  std::unordered_map<std::string, TrustedRoots::Proven> known_;
};

}  // namespace aisle

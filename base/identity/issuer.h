// A root in the form that CertificateAuthority gives it, made ready once for checking many certificates.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>

#include "base/identity/issued_form.h"
#include "base/identity/p256_key.h"

struct x509_st;

namespace aisle {

// Immutable, cheap to copy, thread-safe.
class Issuer {
 public:
  // Nothing unless the root is byte for byte as the authority writes it: an authority over parties' certificates and
  // nothing else, with no more to heed. About other roots OpenSSL alone decides.
  static std::optional<Issuer> FromRoot(x509_st* root);

  absl::Time not_before() const { return not_before_; }
  absl::Time not_after() const { return not_after_; }
  // Names this root as its issuer, and is signed by it.
  bool Issued(const IssuedForm& form) const;

 private:
  Issuer(std::string name, std::string key_id, P256Key key)
      : name_(std::move(name)), key_id_(std::move(key_id)), key_(std::move(key)) {}
  std::string name_;  // DER.
  std::string key_id_;
  P256Key key_;
  absl::Time not_before_;
  absl::Time not_after_;
};

}  // namespace aisle

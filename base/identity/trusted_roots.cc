#include "base/identity/trusted_roots.h"

#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/identity/openssl.h"

namespace aisle {
namespace {

using openssl::Failed;

TrustedRoots::Span SpanOf(X509_STORE_CTX* verified) {
  TrustedRoots::Span span{.from = absl::InfinitePast(), .until = absl::InfiniteFuture()};
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(verified);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* one = sk_X509_value(chain, i);
    span.from = std::max(span.from, openssl::FromAsn1(X509_get0_notBefore(one)));
    span.until = std::min(span.until, openssl::FromAsn1(X509_get0_notAfter(one)));
  }
  return span;
}

}  // namespace

// A store of exactly the given roots: OpenSSL adds none of the system's unless asked to.
StatusOr<TrustedRoots> TrustedRoots::FromPem(std::string_view pem) {
  if (pem.size() > kRootsSizeMax) {
    return InvalidArgument("the roots have {} bytes; at most {} are read", pem.size(), kRootsSizeMax);
  }
  AISLE_ASSIGN_OR_RETURN(const auto roots, openssl::ParseCertificates(pem));
  openssl::StorePtr store(X509_STORE_new());
  if (store == nullptr) return Failed("make a certificate store");
  for (const openssl::CertificatePtr& root : roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) return Failed("keep a root");
  }
  return TrustedRoots(std::string(pem), std::shared_ptr<X509_STORE>(std::move(store)));
}

StatusOr<TrustedRoots::Span> TrustedRoots::Check(const Certificate& certificate, absl::Time now) const {
  const openssl::StoreContextPtr context(X509_STORE_CTX_new());
  if (context == nullptr || X509_STORE_CTX_init(context.get(), store_.get(), certificate.handle(), nullptr) != 1) {
    return Failed("prepare a verification");
  }
  const Identity& identity = certificate.identity();
  X509_VERIFY_PARAM* const terms = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(terms, absl::ToTimeT(now));
  const int purpose = identity.role == Role::kCoordinator ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
  if (X509_VERIFY_PARAM_set_purpose(terms, purpose) != 1 ||
      X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_X509_STRICT) != 1) {
    return Failed("prepare a verification");
  }
  if (X509_verify_cert(context.get()) == 1) return SpanOf(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return Unauthenticated("the certificate of {} '{}' is not to be trusted at {}: {}", RoleName(identity.role),
                         identity.name, FormatUtc(now), X509_verify_cert_error_string(error));
}

StatusOr<Certificate> TrustedCertificates::Find(const std::string& pem, absl::Time now) {
  if (const auto known = known_.find(pem); known != known_.end()) {
    const auto& [certificate, valid] = known->second;
    if (now >= valid.from && now <= valid.until) return certificate;
    known_.erase(known);  // What is wrong with it now is told below.
  }
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(pem));
  AISLE_ASSIGN_OR_RETURN(const TrustedRoots::Span valid, roots_.Check(certificate, now));
  if (known_.size() >= size_) known_.clear();
  known_.emplace(pem, Known{.certificate = certificate, .valid = valid});
  return certificate;
}

StatusOr<Certificate> TrustedCertificates::Parse(const std::string& pem) const {
  if (const auto known = known_.find(pem); known != known_.end()) return known->second.certificate;
  return Certificate::FromPem(pem);
}

}  // namespace aisle

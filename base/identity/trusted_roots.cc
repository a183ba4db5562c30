#include "base/identity/trusted_roots.h"

#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/identity/der.h"
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

// Whom the form is about, whoever signed it; nobody if its key is none.
std::shared_ptr<const Party> PartyIn(IssuedForm form) {
  StatusOr<P256Key> key = P256Key::FromInfo(form.key_info);
  if (!key.ok()) return nullptr;
  return std::make_shared<Party>(
      Party{.identity = std::move(form.identity), .key_digest = Sha256::Of(form.key_info), .key = *std::move(key)});
}

StatusOr<std::shared_ptr<const Party>> PartyIn(const Certificate& certificate) {
  AISLE_ASSIGN_OR_RETURN(P256Key key, P256Key::Of(X509_get0_pubkey(certificate.handle())));
  return std::make_shared<const Party>(
      Party{.identity = certificate.identity(), .key_digest = certificate.key_digest(), .key = std::move(key)});
}

bool IsValid(const TrustedRoots::Span& span, absl::Time now) { return now >= span.from && now <= span.until; }

// Nothing unless the certificate is as our authority writes it, is `issuers`' and valid now.
std::optional<TrustedRoots::Proven> ProveByForm(std::span<const Issuer> issuers, std::string_view pem, absl::Time now) {
  const std::optional<std::string> der = der::FromCertificatePem(pem);
  std::optional<IssuedForm> form = der ? ReadIssuedForm(*der) : std::nullopt;
  if (!form) return std::nullopt;
  for (const Issuer& issuer : issuers) {
    const TrustedRoots::Span valid{.from = std::max(form->not_before, issuer.not_before()),
                                   .until = std::min(form->not_after, issuer.not_after())};
    if (!IsValid(valid, now) || now == valid.until || !issuer.Issued(*form)) continue;  // OpenSSL's lives end before.
    std::shared_ptr<const Party> party = PartyIn(*std::move(form));
    if (party == nullptr) return std::nullopt;
    return TrustedRoots::Proven{.party = std::move(party), .valid = valid};
  }
  return std::nullopt;
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
  std::vector<Issuer> issuers;
  for (const openssl::CertificatePtr& root : roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) return Failed("keep a root");
    if (std::optional<Issuer> issuer = Issuer::FromRoot(root.get())) issuers.push_back(*std::move(issuer));
  }
  return TrustedRoots(std::string(pem), std::shared_ptr<X509_STORE>(std::move(store)), std::move(issuers));
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

StatusOr<TrustedRoots::Proven> TrustedRoots::Prove(std::string_view certificate_pem, absl::Time now) const {
  if (std::optional<Proven> proven = ProveByForm(issuers_, certificate_pem, now)) return *std::move(proven);
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(certificate_pem));
  AISLE_ASSIGN_OR_RETURN(const Span valid, Check(certificate, now));
  AISLE_ASSIGN_OR_RETURN(std::shared_ptr<const Party> party, PartyIn(certificate));
  return Proven{.party = std::move(party), .valid = valid};
}

StatusOr<std::shared_ptr<const Party>> TrustedCertificates::Find(const std::string& pem, absl::Time now) {
  if (const auto known = known_.find(pem); known != known_.end()) {
    if (IsValid(known->second.valid, now)) return known->second.party;
    known_.erase(known);  // What is wrong with it now is told below.
  }
  AISLE_ASSIGN_OR_RETURN(TrustedRoots::Proven proven, roots_.Prove(pem, now));
  if (known_.size() >= size_) known_.clear();
  return known_.emplace(pem, std::move(proven)).first->second.party;
}

StatusOr<Digest> TrustedCertificates::KeyDigestOf(const std::string& pem) const {
  if (const auto known = known_.find(pem); known != known_.end()) return known->second.party->key_digest;
  const std::optional<std::string> der = der::FromCertificatePem(pem);
  if (std::optional<IssuedForm> form = der ? ReadIssuedForm(*der) : std::nullopt) {
    if (const auto party = PartyIn(*std::move(form))) return party->key_digest;
  }
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
  return certificate.key_digest();
}

}  // namespace aisle

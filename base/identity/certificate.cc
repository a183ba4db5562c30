#include "base/identity/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include <optional>

#include "base/clock.h"
#include "base/identity/openssl.h"
#include "base/identity/trusted_roots.h"

namespace aisle {
namespace {

using openssl::Failed;
using openssl::Malformed;

std::string_view TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

bool IsIp(std::string_view bytes) { return bytes.size() == 4 || bytes.size() == 16; }

std::string IpText(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

// The one URI among the subject alternative names, read as an identity. Every other form is looked at too: what isn't
// understood might mean something to somebody else.
StatusOr<Identity> IdentityIn(const X509* certificate) {
  int found = 0;
  const openssl::NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, nullptr)));
  if (found == -2) return InvalidArgument("the certificate has several lists of names");
  if (names == nullptr) return InvalidArgument("the certificate has no subject alternative name, so it names nobody");
  std::optional<Identity> identity;
  bool has_server_names = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_IPADD && !IsIp(TextOf(name->d.iPAddress))) {
      return InvalidArgument("the certificate has an IP address of {} bytes", ASN1_STRING_length(name->d.iPAddress));
    }
    if (name->type == GEN_DNS || name->type == GEN_IPADD) {
      has_server_names = true;
    } else if (name->type != GEN_URI) {
      return InvalidArgument("the certificate has a name of form {}, which is neither URI, DNS name nor IP address",
                             name->type);
    } else if (identity.has_value()) {
      return InvalidArgument("the certificate has several URIs; it needs exactly one");
    } else {
      AISLE_ASSIGN_OR_RETURN(identity, Identity::ParseUri(TextOf(name->d.uniformResourceIdentifier)));
    }
  }
  if (!identity.has_value()) return InvalidArgument("the certificate has no URI, so it names nobody");
  if (has_server_names && identity->role != Role::kCoordinator) {
    return InvalidArgument("the certificate of {} '{}' names servers, which only a coordinator's may",
                           RoleName(identity->role), identity->name);
  }
  return *std::move(identity);
}

StatusOr<std::string> SerialOf(const X509* certificate) {
  const openssl::BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* hex = number == nullptr ? nullptr : BN_bn2hex(number.get());
  if (hex == nullptr) return Malformed("the certificate's serial number cannot be read");
  std::string serial(hex);
  OPENSSL_free(hex);
  return serial;
}

}  // namespace

StatusOr<Certificate> Certificate::FromPem(std::string_view pem) {
  if (pem.size() > kCertificateSizeMax) {
    return InvalidArgument("the certificate has {} bytes; at most {} are read", pem.size(), kCertificateSizeMax);
  }
  AISLE_ASSIGN_OR_RETURN(auto certificates, openssl::ParseCertificates(pem));
  if (certificates.size() != 1) return InvalidArgument("{} certificates, not one", certificates.size());
  return FromHandle(std::move(certificates.front()));
}

StatusOr<Certificate> Certificate::FromHandle(std::shared_ptr<x509_st> handle) {
  ERR_clear_error();
  X509* const x509 = handle.get();
  if ((X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0)
    return Malformed("the certificate has invalid extensions");
  if (X509_check_ca(x509) != 0) return InvalidArgument("the certificate is an authority's, not a party's");
  EVP_PKEY* const key = X509_get0_pubkey(x509);
  AISLE_RETURN_IF_ERROR(Annotate(openssl::CheckP256(key), "certificate"));
  Certificate certificate;
  AISLE_ASSIGN_OR_RETURN(certificate.identity_, IdentityIn(x509));
  AISLE_ASSIGN_OR_RETURN(certificate.serial_, SerialOf(x509));
  AISLE_ASSIGN_OR_RETURN(certificate.key_digest_, openssl::DigestOfCertifiedKey(x509));
  AISLE_ASSIGN_OR_RETURN(certificate.pem_, openssl::WriteCertificate(x509));
  certificate.not_before_ = openssl::FromAsn1(X509_get0_notBefore(x509));
  certificate.not_after_ = openssl::FromAsn1(X509_get0_notAfter(x509));
  certificate.handle_ = std::move(handle);
  return certificate;
}

StatusOr<std::vector<std::string>> Certificate::ServerNames() const {
  const openssl::NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(handle_.get(), NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return Failed("read a certificate's names again");
  std::vector<std::string> texts;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) texts.emplace_back(TextOf(name->d.dNSName));
    if (name->type == GEN_IPADD) texts.push_back(IpText(TextOf(name->d.iPAddress)));
  }
  return texts;
}

Status Certificate::CheckValidAt(absl::Time now) const {
  if (now >= not_before_ && now <= not_after_) return OkStatus();
  return Unauthenticated("the certificate of {} '{}' is valid from {} to {}; it is now {}", RoleName(identity_.role),
                         identity_.name, FormatUtc(not_before_), FormatUtc(not_after_), FormatUtc(now));
}

Status Certificate::CheckMatches(const KeyPair& key) const {
  if (key.digest() == key_digest_) return OkStatus();
  return InvalidArgument("the certificate of {} '{}' is for another key than the one at hand", RoleName(identity_.role),
                         identity_.name);
}

Status Certificate::CheckIssuedBy(std::string_view roots_pem, absl::Time now) const {
  AISLE_ASSIGN_OR_RETURN(const TrustedRoots roots, TrustedRoots::FromPem(roots_pem));
  return roots.Check(*this, now).status();
}

}  // namespace aisle

#include "base/identity/tls_identity.h"

#include <cstring>

#include "base/identity/secret_file.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----";

StatusOr<TlsIdentity> Together(std::string ca_pem, std::string_view certificate_pem, KeyPair key) {
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(certificate_pem));
  AISLE_RETURN_IF_ERROR(certificate.CheckMatches(key));
  return TlsIdentity{std::move(ca_pem), std::move(certificate), std::move(key)};
}

// A bundle is: private key, certificate, roots.
StatusOr<TlsIdentity> ParseBundle(const SecretBytes& content) {
  const std::string_view text = content.Reveal();
  const size_t certificate_at = text.find(kCertificateBegin);
  const size_t roots_at =
      certificate_at == std::string_view::npos ? certificate_at : text.find(kCertificateBegin, certificate_at + 1);
  if (roots_at == std::string_view::npos) return InvalidArgument("no key, certificate and roots, one after the other");
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::FromPem(SecretBytes::CopyOf(text.substr(0, certificate_at))));
  return Together(std::string(text.substr(roots_at)), text.substr(certificate_at, roots_at - certificate_at),
                  std::move(key));
}

}  // namespace

StatusOr<TlsIdentity> LoadTlsIdentity(const TlsPaths& paths) {
  AISLE_ASSIGN_OR_RETURN(std::string ca_pem, ReadFile(paths.ca, kRootsSizeMax));
  AISLE_ASSIGN_OR_RETURN(const std::string certificate_pem, ReadFile(paths.certificate, kCertificateSizeMax));
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Load(paths.key));
  StatusOr<TlsIdentity> identity = Together(std::move(ca_pem), certificate_pem, std::move(key));
  if (!identity.ok()) return Annotate(identity.status(), paths.certificate);
  return identity;
}

Status SaveTlsBundle(const std::string& path, const TlsIdentity& identity) {
  AISLE_RETURN_IF_ERROR(identity.certificate.CheckMatches(identity.key));
  AISLE_ASSIGN_OR_RETURN(const SecretBytes key_pem, identity.key.ToPem());
  const std::string public_part = identity.certificate.pem() + identity.ca_pem;
  SecretBytes content(key_pem.size() + public_part.size());
  std::memcpy(content.Mutable().data(), key_pem.Reveal().data(), key_pem.size());
  std::memcpy(content.Mutable().data() + key_pem.size(), public_part.data(), public_part.size());
  return WriteSecretFile(path, content);
}

StatusOr<TlsIdentity> LoadTlsBundle(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const SecretBytes content, ReadSecretFile(path));
  StatusOr<TlsIdentity> identity = ParseBundle(content);
  if (!identity.ok()) return Annotate(identity.status(), path);
  return identity;
}

}  // namespace aisle

#include "tests/secagg/mac_chain.h"

#include "base/digest.h"

namespace aisle::secagg {
namespace {

Status Verify(std::string_view certificate, std::string_view expected, std::string_view domain,
              std::string_view message, std::string_view signature) {
  if (certificate != expected) return Unauthenticated("the certificate is of '{}', not of '{}'", certificate, expected);
  if (SignAs(certificate, domain, message) == signature) return OkStatus();
  return Unauthenticated("the signature for {} isn't by '{}'", domain, certificate);
}

}  // namespace

std::string CertificateOf(const StoreId& store) { return "store " + store.str(); }

std::string SignAs(std::string_view certificate, std::string_view domain, std::string_view message) {
  const SecretBytes key = SecretBytes::CopyOf(Sha256::Of("key of " + std::string(certificate)).view());
  std::string bytes(domain);
  bytes += '\0';
  return std::string(HmacSha256(key, bytes.append(message)).view());
}

Credentials CredentialsOf(const StoreId& store) {
  const std::string certificate = CertificateOf(store);
  return {.certificate_pem = certificate, .sign = [certificate](std::string_view domain, std::string_view message) {
            return SignAs(certificate, domain, message);
          }};
}

Trust TrustInAll() {
  return {.verify_store =
              [](const std::string& certificate, const StoreId& store, std::string_view domain,
                 std::string_view message, std::string_view signature) {
                return Verify(certificate, CertificateOf(store), domain, message, signature);
              },
          .verify_headquarters =
              [](const std::string& certificate, std::string_view domain, std::string_view message,
                 std::string_view signature) {
                return Verify(certificate, kHeadquartersCertificate, domain, message, signature);
              },
          .key_of = [](const std::string& certificate) -> StatusOr<Digest> { return Sha256::Of(certificate); }};
}

}  // namespace aisle::secagg

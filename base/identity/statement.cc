#include "base/identity/statement.h"

#include "base/identity/openssl.h"

namespace aisle {
namespace {

constexpr size_t kSignatureSizeMax = 80;  // DER of two numbers of 32 bytes takes up to 72.

std::string Stated(std::string_view domain, std::string_view message) {
  std::string bytes(domain);
  bytes += '\0';
  return bytes.append(message);
}

Status Verify(const P256Key& key, const Identity& identity, std::string_view domain, std::string_view message,
              std::string_view signature) {
  Sha256 hash;
  hash.Update(domain);
  hash.Update(std::string_view("\0", 1));
  hash.Update(message);
  if (key.HasSigned(hash.Finish(), signature)) return OkStatus();
  return Unauthenticated("the signature for {} is not by the key of {} '{}', or what it signs was changed", domain,
                         RoleName(identity.role), identity.name);
}

}  // namespace

StatusOr<std::string> SignStatement(const KeyPair& key, std::string_view domain, std::string_view message) {
  const std::string bytes = Stated(domain, message);
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  size_t size = kSignatureSizeMax;
  std::string signature(size, '\0');
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.handle()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, openssl::Bytes(bytes),
                     bytes.size()) != 1) {
    return openssl::Failed("sign a statement");
  }
  signature.resize(size);
  return signature;
}

Status VerifyStatement(const Certificate& certificate, std::string_view domain, std::string_view message,
                       std::string_view signature) {
  AISLE_ASSIGN_OR_RETURN(const P256Key key, P256Key::Of(X509_get0_pubkey(certificate.handle())));
  return Verify(key, certificate.identity(), domain, message, signature);
}

Status VerifyStatement(const Party& party, std::string_view domain, std::string_view message,
                       std::string_view signature) {
  return Verify(party.key, party.identity, domain, message, signature);
}

}  // namespace aisle

#include "base/identity/statement.h"

#include <openssl/err.h>

#include "base/identity/openssl.h"

namespace aisle {
namespace {

constexpr size_t kSignatureSizeMax = 80;  // DER of two numbers of 32 bytes takes up to 72.

std::string Separated(std::string_view domain, std::string_view message) {
  std::string bytes(domain);
  bytes += '\0';
  return bytes.append(message);
}

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

StatusOr<std::string> SignStatement(const KeyPair& key, std::string_view domain, std::string_view message) {
  const std::string bytes = Separated(domain, message);
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  size_t size = kSignatureSizeMax;
  std::string signature(size, '\0');
  if (context == nullptr || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.handle()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, Bytes(bytes),
                     bytes.size()) != 1) {
    return openssl::Failed("sign a statement");
  }
  signature.resize(size);
  return signature;
}

Status VerifyStatement(const Certificate& certificate, std::string_view domain, std::string_view message,
                       std::string_view signature) {
  const std::string bytes = Separated(domain, message);
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                                 X509_get0_pubkey(certificate.handle())) != 1) {
    return openssl::Failed("begin to verify a statement");
  }
  const int verdict = EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(bytes), bytes.size());
  ERR_clear_error();
  if (verdict == 1) return OkStatus();
  return Unauthenticated("the signature for {} is not by the key of {} '{}', or what it signs was changed", domain,
                         RoleName(certificate.identity().role), certificate.identity().name);
}

}  // namespace aisle

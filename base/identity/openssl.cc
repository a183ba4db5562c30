#include "base/identity/openssl.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <optional>
#include <string>

#include "base/identity/p256_key.h"

namespace aisle::openssl {
namespace {

// PEM readers call this for an encrypted key. Without it OpenSSL would ask on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

// As i2d_PUBKEY writes a key on P-256 whose point it writes uncompressed: all of ours. Nothing for any other.
std::optional<std::string> P256InfoOf(EVP_PKEY* key) {
  std::array<char, 16> form{};
  std::array<unsigned char, 65> point{};
  size_t size = 0;
  if (!CheckP256(key).ok() ||
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form.data(), form.size(),
                                     nullptr) != 1 ||
      std::string_view(form.data()) != OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED ||
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(), point.size(), &size) !=
          1 ||
      size != point.size()) {
    ERR_clear_error();
    return std::nullopt;
  }
  std::string info(kP256InfoPrefix);
  info.pop_back();  // The point begins with it, too.
  return info.append(reinterpret_cast<const char*>(point.data()), point.size());
}

}  // namespace

std::string TakeErrors() {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!text.empty()) text += ", ";
    text += reason != nullptr ? std::string(reason) : fmt::format("error {:08X}", error);
  }
  return text.empty() ? "no reason given" : text;
}

Status Malformed(std::string_view what) { return InvalidArgument("{}: {}", what, TakeErrors()); }
Status Failed(std::string_view what) { return Internal("OpenSSL cannot {}: {}", what, TakeErrors()); }

BioPtr ReaderOf(std::string_view bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string_view Written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string_view(data, static_cast<size_t>(size)) : std::string_view{};
}

BioPtr NewSecretWriter() { return BioPtr(BIO_new(BIO_s_secmem())); }

StatusOr<Digest> DigestOfPublicKey(EVP_PKEY* key) {
  // OpenSSL takes 50 times as long to write it.
  if (const std::optional<std::string> info = P256InfoOf(key)) return Sha256::Of(*info);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return Failed("encode a public key");
  const Digest digest = Sha256::Of({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return digest;
}

StatusOr<Digest> DigestOfCertifiedKey(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return Failed("encode a public key");
  const std::string encoded(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  // As OpenSSL writes it, which takes it 50 times as long; other ways to write the same key don't make it another.
  const bool as_written = encoded.size() == kP256InfoSize && encoded.starts_with(kP256InfoPrefix);
  return as_written ? Sha256::Of(encoded) : DigestOfPublicKey(X509_get0_pubkey(certificate));
}

Status CheckP256(EVP_PKEY* key) {
  if (key == nullptr) return Malformed("the public key cannot be read");
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) {
    const char* type = EVP_PKEY_get0_type_name(key);
    return InvalidArgument("the key is {} of {} bits; it needs to be an elliptic curve key on P-256",
                           type != nullptr ? type : "of an unknown type", EVP_PKEY_get_bits(key));
  }
  std::array<char, 64> group{};
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) {
    ERR_clear_error();
    return InvalidArgument("the elliptic curve key names no curve; it needs to be on P-256");
  }
  if (std::string_view(group.data(), size) != "prime256v1") {
    return InvalidArgument("the elliptic curve key is on {}; it needs to be on P-256", group.data());
  }
  int explicit_parameters = 0;
  EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters);
  if (explicit_parameters != 0) return InvalidArgument("the key spells out its curve; it needs to name P-256");
  return OkStatus();
}

absl::Time FromAsn1(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();  // Such a certificate is valid at no time.
  return absl::FromTM(parts, absl::UTCTimeZone());
}

StatusOr<std::vector<CertificatePtr>> ParseCertificates(std::string_view pem) {
  ERR_clear_error();
  const BioPtr reader = ReaderOf(pem);
  if (reader == nullptr) return Failed("read from memory");
  std::vector<CertificatePtr> certificates;
  while (X509* certificate = PEM_read_bio_X509(reader.get(), nullptr, NoPassphrase, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool at_the_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() || !at_the_end) return Malformed("no certificate in PEM");
  ERR_clear_error();
  return certificates;
}

StatusOr<std::string> WriteCertificate(X509* certificate) {
  const BioPtr writer(BIO_new(BIO_s_mem()));
  if (writer == nullptr || PEM_write_bio_X509(writer.get(), certificate) != 1) return Failed("write a certificate");
  return std::string(Written(writer.get()));
}

StatusOr<KeyPtr> ParsePrivateKey(const SecretBytes& pem) {
  ERR_clear_error();
  const BioPtr reader = ReaderOf(pem.Reveal());
  if (reader == nullptr) return Failed("read from memory");
  KeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return Malformed("no unencrypted private key in PEM");
  return key;
}

StatusOr<SecretBytes> WritePrivateKey(EVP_PKEY* key) {
  const BioPtr writer = NewSecretWriter();
  if (writer == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(writer.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Failed("write a private key");
  }
  return SecretBytes::CopyOf(Written(writer.get()));
}

}  // namespace aisle::openssl

#include "base/identity/key_pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <mutex>

#include "base/identity/openssl.h"
#include "base/identity/secret_file.h"

namespace aisle {

using openssl::Failed;
using openssl::Malformed;

// The private half in PEM, once somebody has asked for it.
struct KeyPair::Written {
  std::mutex mutex;
  SecretBytes pem;
};

KeyPair::KeyPair(std::shared_ptr<evp_pkey_st> key, const Digest& digest)
    : key_(std::move(key)), digest_(digest), written_(std::make_shared<Written>()) {}

StatusOr<KeyPair> KeyPair::Generate() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  if (key == nullptr) return Failed("make a P-256 key");
  AISLE_ASSIGN_OR_RETURN(const Digest digest, openssl::DigestOfPublicKey(key.get()));
  return KeyPair(std::move(key), digest);
}

StatusOr<KeyPair> KeyPair::FromPem(const SecretBytes& pem) {
  AISLE_ASSIGN_OR_RETURN(openssl::KeyPtr parsed, openssl::ParsePrivateKey(pem));
  std::shared_ptr<EVP_PKEY> key = std::move(parsed);
  AISLE_RETURN_IF_ERROR(openssl::CheckP256(key.get()));
  // Refuses a file whose public half isn't the private one's.
  const openssl::KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (context == nullptr || EVP_PKEY_pairwise_check(context.get()) != 1)
    return Malformed("the key pair is inconsistent");
  AISLE_ASSIGN_OR_RETURN(const Digest digest, openssl::DigestOfPublicKey(key.get()));
  return KeyPair(std::move(key), digest);
}

StatusOr<KeyPair> KeyPair::Load(const std::string& path) {
  AISLE_ASSIGN_OR_RETURN(const SecretBytes pem, ReadSecretFile(path));
  StatusOr<KeyPair> key = FromPem(pem);
  if (!key.ok()) return Annotate(key.status(), path);
  return key;
}

StatusOr<SecretBytes> KeyPair::ToPem() const {
  const std::lock_guard lock(written_->mutex);
  if (written_->pem.empty()) {
    AISLE_ASSIGN_OR_RETURN(written_->pem, openssl::WritePrivateKey(key_.get()));
  }
  return written_->pem.Clone();
}

Status KeyPair::SaveTo(const std::string& path) const {
  AISLE_ASSIGN_OR_RETURN(const SecretBytes pem, ToPem());
  return WriteSecretFile(path, pem);
}

StatusOr<std::string> MakeCsr(const KeyPair& key) {
  const openssl::RequestPtr request(X509_REQ_new());
  if (request == nullptr || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.handle()) != 1 ||
      X509_REQ_sign(request.get(), key.handle(), EVP_sha256()) <= 0) {
    return Failed("make a certificate request");
  }
  const openssl::BioPtr writer(BIO_new(BIO_s_mem()));
  if (writer == nullptr || PEM_write_bio_X509_REQ(writer.get(), request.get()) != 1) {
    return Failed("write a certificate request");
  }
  return std::string(openssl::Written(writer.get()));
}

StatusOr<RequestedKey> ReadCsr(std::string_view csr_pem) {
  if (csr_pem.size() > kRequestSizeMax) {
    return InvalidArgument("the certificate request has {} bytes; at most {} are read", csr_pem.size(),
                           kRequestSizeMax);
  }
  ERR_clear_error();
  const openssl::BioPtr reader = openssl::ReaderOf(csr_pem);
  if (reader == nullptr) return Failed("read from memory");
  const openssl::RequestPtr request(PEM_read_bio_X509_REQ(reader.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) return Malformed("no certificate request in PEM");
  std::shared_ptr<EVP_PKEY> key(X509_REQ_get_pubkey(request.get()), EVP_PKEY_free);
  // The kind first: verifying a signature of a stranger's choice of algorithm and size is work given away.
  AISLE_RETURN_IF_ERROR(Annotate(openssl::CheckP256(key.get()), "certificate request"));
  if (X509_REQ_verify(request.get(), key.get()) != 1) return Malformed("the certificate request's signature is wrong");
  AISLE_ASSIGN_OR_RETURN(const Digest digest, openssl::DigestOfPublicKey(key.get()));
  return RequestedKey{.key = std::move(key), .digest = digest};
}

StatusOr<Digest> KeyOfCsr(std::string_view csr_pem) {
  AISLE_ASSIGN_OR_RETURN(const RequestedKey requested, ReadCsr(csr_pem));
  return requested.digest;
}

}  // namespace aisle

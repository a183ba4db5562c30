// OpenSSL's objects with owners, its errors with words. For the .cc files of this folder only.
#pragma once

#include <absl/time/time.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle::openssl {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContextPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, Deleter<ASN1_INTEGER_free>>;

// OpenSSL's reasons of this thread, oldest first, and forgets them. "no reason given" if it has none.
std::string TakeErrors();

// InvalidArgument: what the bytes of others made fail. Internal: what has no business failing.
Status Malformed(std::string_view what);
Status Failed(std::string_view what);

// As OpenSSL wants them.
inline const unsigned char* Bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// A BIO that reads `bytes`, which must outlive it.
BioPtr ReaderOf(std::string_view bytes);
// Everything written to a memory BIO.
std::string_view Written(BIO* bio);
BioPtr NewSecretWriter();  // Its memory is wiped when freed.

// SHA-256 over the DER SubjectPublicKeyInfo.
StatusOr<Digest> DigestOfPublicKey(EVP_PKEY* key);
// The same of a certificate's key, which is on P-256.
StatusOr<Digest> DigestOfCertifiedKey(X509* certificate);

// OK if `key` is an EC key on P-256 by name; InvalidArgument says what it is instead.
Status CheckP256(EVP_PKEY* key);

absl::Time FromAsn1(const ASN1_TIME* time);
// All certificates in `pem`; InvalidArgument if there is none or a malformed one.
StatusOr<std::vector<CertificatePtr>> ParseCertificates(std::string_view pem);
StatusOr<std::string> WriteCertificate(X509* certificate);

// One unencrypted private key in PEM; never asks for a passphrase.
StatusOr<KeyPtr> ParsePrivateKey(const SecretBytes& pem);
StatusOr<SecretBytes> WritePrivateKey(EVP_PKEY* key);  // PKCS#8.

}  // namespace aisle::openssl

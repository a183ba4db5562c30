#include "tests/identity/forge.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include <array>
#include <filesystem>

#include "base/check.h"
#include "base/identity/openssl.h"

namespace aisle::testing {
namespace {

using openssl::BioPtr;
using openssl::KeyPtr;

std::string PemOf(X509_REQ* request) {
  const BioPtr writer(BIO_new(BIO_s_mem()));
  AISLE_CHECK(PEM_write_bio_X509_REQ(writer.get(), request) == 1);
  return std::string(openssl::Written(writer.get()));
}

std::string Csr(EVP_PKEY* key, EVP_PKEY* signer) {
  const openssl::RequestPtr request(X509_REQ_new());
  AISLE_CHECK(X509_REQ_set_pubkey(request.get(), key) == 1);
  AISLE_CHECK(X509_REQ_sign(request.get(), signer, EVP_sha256()) > 0);
  return PemOf(request.get());
}

void AddForged(GENERAL_NAMES* names, const ForgedName& forged) {
  constexpr std::array kTypes = {GEN_URI, GEN_DNS, GEN_EMAIL, GEN_IPADD};
  const int type = kTypes[static_cast<size_t>(forged.form)];
  ASN1_STRING* const text = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  AISLE_CHECK(ASN1_STRING_set(text, forged.text.data(), static_cast<int>(forged.text.size())) == 1);
  GENERAL_NAME* const name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, type, text);
  AISLE_CHECK(sk_GENERAL_NAME_push(names, name) > 0);
}

std::string Forge(EVP_PKEY* key, const std::vector<ForgedName>& names, bool is_authority) {
  const openssl::CertificatePtr certificate(X509_new());
  X509* const x509 = certificate.get();
  AISLE_CHECK(X509_set_version(x509, X509_VERSION_3) == 1 && X509_set_pubkey(x509, key) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
  ASN1_TIME_set(X509_getm_notBefore(x509), absl::ToTimeT(kNow));
  ASN1_TIME_set(X509_getm_notAfter(x509), absl::ToTimeT(kNow + absl::Hours(1)));
  if (is_authority) {
    const openssl::ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "CA:TRUE"));
    AISLE_CHECK(X509_add_ext(x509, extension.get(), -1) == 1);
  }
  if (!names.empty()) {
    const openssl::NamesPtr list(sk_GENERAL_NAME_new_null());
    for (const ForgedName& name : names) AddForged(list.get(), name);
    AISLE_CHECK(X509_add1_ext_i2d(x509, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1);
  }
  AISLE_CHECK(X509_sign(x509, key, EVP_sha256()) > 0);
  return openssl::WriteCertificate(x509).value();
}

}  // namespace

ChainName Chain(std::string_view name) { return ChainName::Parse(name).value(); }

Identity StoreIdentity(std::string_view chain, std::string_view name) {
  return Identity::Make(Chain(chain), Role::kStore, name).value();
}

CertificateAuthority NewAuthority(std::string_view chain, absl::Time now) {
  SecureRandom random;
  return CertificateAuthority::Create(Chain(chain), KeyPair::Generate().value(), now, random).value();
}

std::string ForgeCertificate(const std::vector<ForgedName>& names, bool is_authority) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  return Forge(key.get(), names, is_authority);
}

std::string ForgeRsaCertificate(const std::string& uri) {
  const KeyPtr key(EVP_RSA_gen(2048));
  return Forge(key.get(), {{ForgedName::Form::kUri, uri}}, false);
}

std::string ForgeRsaCsr(unsigned bits) {
  const KeyPtr key(EVP_RSA_gen(bits));
  return Csr(key.get(), key.get());
}

std::string ForgeCurveCsr(const char* curve) {
  const KeyPtr key(EVP_EC_gen(curve));
  return Csr(key.get(), key.get());
}

std::string ForgeUnprovenCsr() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const KeyPtr signer(EVP_EC_gen("P-256"));
  return Csr(key.get(), signer.get());
}

TemporaryFolder::TemporaryFolder() {
  const char* const parent = ::getenv("TMPDIR");
  path_ = std::string(parent != nullptr ? parent : "/tmp") + "/aisle-XXXXXX";
  AISLE_CHECK(::mkdtemp(path_.data()) != nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace aisle::testing

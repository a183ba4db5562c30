#include "tests/identity/forge.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include <array>
#include <filesystem>

#include "base/check.h"
#include "base/identity/der.h"
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

std::string SignAsCertificate(std::string_view signed_part, const KeyPair& issuer) {
  const openssl::DigestContextPtr context(EVP_MD_CTX_new());
  std::string signature(80, '\0');
  size_t size = signature.size();
  AISLE_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, issuer.handle()) == 1 &&
              EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                             reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size()) == 1);
  signature.resize(size);
  std::string content(signed_part);
  content.append("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", 12);
  content += der::Element(der::kBitString, std::string(1, '\0') + signature);
  std::string certificate = "\x30\x82";
  certificate += static_cast<char>(content.size() >> 8);
  certificate += static_cast<char>(content.size() & 0xff);
  return PemOfDer(certificate + content);
}

std::string PemOfDer(std::string_view certificate) {
  const BioPtr writer(BIO_new(BIO_s_mem()));
  AISLE_CHECK(PEM_write_bio(writer.get(), PEM_STRING_X509, "",
                            reinterpret_cast<const unsigned char*>(certificate.data()),
                            static_cast<long>(certificate.size())) > 0);
  return std::string(openssl::Written(writer.get()));
}

std::string ForgeRoot(const KeyPair& key, const std::vector<ForgedExtension>& changed) {
  SecureRandom random;
  const CertificateAuthority model =
      CertificateAuthority::Create(Chain("northwind"), key.Clone(), kNow, random).value();
  const auto parsed = openssl::ParseCertificates(model.root_pem()).value();
  X509* const root = parsed.front().get();
  for (const ForgedExtension& extension : changed) {
    const int there = X509_get_ext_by_NID(root, extension.nid, -1);
    if (there >= 0) X509_EXTENSION_free(X509_delete_ext(root, there));
    if (extension.value.empty()) continue;
    X509V3_CTX context{};
    X509V3_set_ctx(&context, root, root, nullptr, nullptr, 0);
    const openssl::ExtensionPtr made(X509V3_EXT_conf_nid(nullptr, &context, extension.nid, extension.value.c_str()));
    AISLE_CHECK(made != nullptr && X509_add_ext(root, made.get(), -1) == 1);
  }
  AISLE_CHECK(X509_sign(root, key.handle(), EVP_sha256()) > 0);
  return openssl::WriteCertificate(root).value();
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

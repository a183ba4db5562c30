#include "base/identity/authority.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/clock.h"
#include "base/identity/issued_form.h"
#include "base/identity/openssl.h"

namespace aisle {
namespace {

using openssl::Failed;
using openssl::Malformed;

constexpr size_t kServerNamesMax = 32;
constexpr size_t kDnsNameLengthMax = 253;

// RFC 5280, section 4.1.2.2: positive, at most 20 bytes. 127 random bits never meet twice.
Status SetSerial(X509* certificate, RandomSource& random) {
  std::array<uint8_t, 16> bytes;
  random.Fill(bytes);
  bytes[0] = static_cast<uint8_t>((bytes[0] & 0x7f) | 0x40);  // Never zero, always of one length.
  const openssl::BignumPtr number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  if (number == nullptr || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return Failed("set a serial number");
  }
  return OkStatus();
}

Status SetLife(X509* certificate, absl::Time begin, absl::Time end) {
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), absl::ToTimeT(begin)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), absl::ToTimeT(end)) == nullptr) {
    return Failed("set a certificate's life");
  }
  return OkStatus();
}

Status SetSubject(X509* certificate, const ChainName& chain, const std::string& name) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const auto add = [subject](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  if (!add("O", chain.str()) || !add("CN", name)) return Failed("set a certificate's subject");
  return OkStatus();
}

// `value` is in OpenSSL's configuration language, so it is only ever text of ours.
Status AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const openssl::ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return Failed(fmt::format("add the extension {}", OBJ_nid2sn(nid)));
  }
  return OkStatus();
}

struct Extension {
  int nid;
  const char* value;
};

template <size_t N>
Status AddExtensions(X509* certificate, X509* issuer, const std::array<Extension, N>& extensions) {
  for (const Extension& extension : extensions) {
    AISLE_RETURN_IF_ERROR(AddExtension(certificate, issuer, extension.nid, extension.value));
  }
  return OkStatus();
}

Status AddName(GENERAL_NAMES* names, int type, int asn1_type, std::string_view bytes) {
  GENERAL_NAME* const name = GENERAL_NAME_new();
  ASN1_STRING* const text = ASN1_STRING_type_new(asn1_type);
  if (name == nullptr || text == nullptr || ASN1_STRING_set(text, bytes.data(), static_cast<int>(bytes.size())) != 1) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(text);
    return Failed("make a subject alternative name");
  }
  GENERAL_NAME_set0_value(name, type, text);
  if (sk_GENERAL_NAME_push(names, name) <= 0) {
    GENERAL_NAME_free(name);
    return Failed("keep a subject alternative name");
  }
  return OkStatus();
}

// The 4 or 16 bytes of an IP address in text, if it is one.
std::optional<std::string> IpBytes(const std::string& text) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 16);
  return std::nullopt;
}

Status CheckDnsName(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  if (name.empty() || name.size() > kDnsNameLengthMax || !std::ranges::all_of(name, fits) || name.front() == '.' ||
      name.front() == '-' || name.find("..") != std::string_view::npos) {
    return InvalidArgument("'{}' is neither a DNS name nor an IP address (wildcards are not issued)",
                           name.substr(0, kDnsNameLengthMax));
  }
  return OkStatus();
}

Status AddServerName(GENERAL_NAMES* names, const std::string& name) {
  if (const std::optional<std::string> ip = IpBytes(name)) return AddName(names, GEN_IPADD, V_ASN1_OCTET_STRING, *ip);
  AISLE_RETURN_IF_ERROR(CheckDnsName(name));
  return AddName(names, GEN_DNS, V_ASN1_IA5STRING, name);
}

Status AddNames(X509* certificate, const CertificateTerms& terms) {
  const openssl::NamesPtr names(sk_GENERAL_NAME_new_null());
  if (names == nullptr) return Failed("make a list of names");
  AISLE_RETURN_IF_ERROR(AddName(names.get(), GEN_URI, V_ASN1_IA5STRING, terms.identity.Uri()));
  for (const std::string& name : terms.server_names) AISLE_RETURN_IF_ERROR(AddServerName(names.get(), name));
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return Failed("add the subject alternative names");
  }
  return OkStatus();
}

Status CheckTerms(const CertificateTerms& terms, const ChainName& chain) {
  if (terms.identity.chain != chain) {
    return InvalidArgument("the authority of chain '{}' certifies nobody of chain '{}'", chain, terms.identity.chain);
  }
  if (terms.lifetime <= absl::ZeroDuration()) {
    return InvalidArgument("a certificate's lifetime of {} is not positive", absl::FormatDuration(terms.lifetime));
  }
  if (terms.server_names.size() > kServerNamesMax) {
    return InvalidArgument("{} server names are over {}", terms.server_names.size(), kServerNamesMax);
  }
  if (!terms.server_names.empty() && terms.identity.role != Role::kCoordinator) {
    return InvalidArgument("a {} gets no server names", RoleName(terms.identity.role));
  }
  return OkStatus();
}

StatusOr<ChainName> ChainOfRoot(const X509* root) {
  const X509_NAME* const subject = X509_get_subject_name(root);
  const int at = X509_NAME_get_index_by_NID(subject, NID_organizationName, -1);
  if (at < 0) return InvalidArgument("the root's subject names no chain (O)");
  const ASN1_STRING* const text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return ChainName::Parse(
      {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))});
}

}  // namespace

StatusOr<CertificateAuthority> CertificateAuthority::Create(const ChainName& chain, KeyPair key, absl::Time now,
                                                            RandomSource& random) {
  AISLE_RETURN_IF_ERROR(CheckName("chain name", chain.str()));
  const openssl::CertificatePtr root(X509_new());
  if (root == nullptr || X509_set_version(root.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(root.get(), key.handle()) != 1) {
    return Failed("make a root certificate");
  }
  AISLE_RETURN_IF_ERROR(SetSerial(root.get(), random));
  AISLE_RETURN_IF_ERROR(SetLife(root.get(), now - kBackdating, now + kRootLifetime));
  AISLE_RETURN_IF_ERROR(SetSubject(root.get(), chain, std::string(kRootName)));
  if (X509_set_issuer_name(root.get(), X509_get_subject_name(root.get())) != 1) return Failed("set the issuer");
  AISLE_RETURN_IF_ERROR(AddExtensions(root.get(), root.get(),
                                      std::array{Extension{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                                 Extension{NID_key_usage, "critical,keyCertSign,cRLSign"},
                                                 Extension{NID_subject_key_identifier, "hash"},
                                                 Extension{NID_authority_key_identifier, "keyid:always"}}));
  if (X509_sign(root.get(), key.handle(), EVP_sha256()) <= 0) return Failed("sign the root certificate");
  AISLE_ASSIGN_OR_RETURN(const std::string pem, openssl::WriteCertificate(root.get()));
  return FromPem(pem, std::move(key));
}

StatusOr<CertificateAuthority> CertificateAuthority::FromPem(std::string_view root_pem, KeyPair key) {
  if (root_pem.size() > kCertificateSizeMax) {
    return InvalidArgument("the root has {} bytes; at most {} are read", root_pem.size(), kCertificateSizeMax);
  }
  AISLE_ASSIGN_OR_RETURN(auto certificates, openssl::ParseCertificates(root_pem));
  if (certificates.size() != 1) return InvalidArgument("{} root certificates, not one", certificates.size());
  X509* const root = certificates.front().get();
  if (X509_check_ca(root) != 1) return InvalidArgument("the root is no certificate authority");
  if (X509_check_private_key(root, key.handle()) != 1) {
    ERR_clear_error();
    return InvalidArgument("the root certificate is for another key than the one at hand");
  }
  if (X509_verify(root, key.handle()) != 1) return Malformed("the root is not signed by itself");
  AISLE_ASSIGN_OR_RETURN(ChainName chain, ChainOfRoot(root));
  CertificateAuthority authority(std::move(chain), std::move(key));
  authority.not_after_ = openssl::FromAsn1(X509_get0_notAfter(root));
  AISLE_ASSIGN_OR_RETURN(authority.root_pem_, openssl::WriteCertificate(root));
  authority.root_ = std::move(certificates.front());
  return authority;
}

StatusOr<Certificate> CertificateAuthority::IssueFromCsr(std::string_view csr_pem, const CertificateTerms& terms,
                                                         absl::Time now, RandomSource& random) const {
  AISLE_ASSIGN_OR_RETURN(const RequestedKey key, ReadCsr(csr_pem));
  return Issue(key, terms, now, random);
}

StatusOr<Certificate> CertificateAuthority::Issue(const RequestedKey& key, const CertificateTerms& terms,
                                                  absl::Time now, RandomSource& random) const {
  return IssueFor(key.key.get(), terms, now, random);
}

StatusOr<Certificate> CertificateAuthority::Issue(const KeyPair& key, const CertificateTerms& terms, absl::Time now,
                                                  RandomSource& random) const {
  return IssueFor(key.handle(), terms, now, random);
}

StatusOr<Certificate> CertificateAuthority::IssueFor(evp_pkey_st* public_key, const CertificateTerms& terms,
                                                     absl::Time now, RandomSource& random) const {
  AISLE_RETURN_IF_ERROR(CheckTerms(terms, chain_));
  if (now >= not_after_) {
    return FailedPrecondition("the root of chain '{}' ended at {}; make a new one", chain_, FormatUtc(not_after_));
  }
  openssl::CertificatePtr certificate(X509_new());
  X509* const x509 = certificate.get();
  if (x509 == nullptr || X509_set_version(x509, X509_VERSION_3) != 1 || X509_set_pubkey(x509, public_key) != 1 ||
      X509_set_issuer_name(x509, X509_get_subject_name(root_.get())) != 1) {
    return Failed("make a certificate");
  }
  AISLE_RETURN_IF_ERROR(SetSerial(x509, random));
  AISLE_RETURN_IF_ERROR(SetLife(x509, now - kBackdating, std::min(now + terms.lifetime, not_after_)));
  AISLE_RETURN_IF_ERROR(SetSubject(x509, chain_, terms.identity.name));
  AISLE_RETURN_IF_ERROR(AddNames(x509, terms));
  // One purpose each: a store that turned bad can't pose as the coordinator to other stores.
  const char* const purpose = terms.identity.role == Role::kCoordinator ? "serverAuth" : "clientAuth";
  AISLE_RETURN_IF_ERROR(
      AddExtensions(x509, root_.get(),
                    std::array{Extension{NID_basic_constraints, "critical,CA:FALSE"},
                               Extension{NID_key_usage, "critical,digitalSignature"},
                               Extension{NID_ext_key_usage, purpose}, Extension{NID_subject_key_identifier, "hash"},
                               Extension{NID_authority_key_identifier, "keyid:always"}}));
  if (X509_sign(x509, key_.handle(), EVP_sha256()) <= 0) return Failed("sign a certificate");
  return Certificate::FromHandle(std::move(certificate));
}

}  // namespace aisle

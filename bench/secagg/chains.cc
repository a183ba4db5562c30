#include "bench/secagg/chains.h"

#include <absl/time/clock.h>

#include <memory>
#include <string>
#include <utility>

#include "base/digest.h"
#include "base/identity/authority.h"
#include "base/identity/certificate.h"
#include "base/identity/statement.h"
#include "base/random.h"

namespace aisle::secagg {
namespace {

constexpr size_t kCertificateLength = 850;  // As of the authority's.

std::string CheapCertificate(std::string_view name) {
  std::string certificate(name);
  certificate.resize(kCertificateLength, '.');
  return certificate;
}

std::string CheapSignature(std::string_view certificate, std::string_view domain, std::string_view message) {
  const SecretBytes key = SecretBytes::CopyOf(certificate.substr(0, 32));
  return std::string(HmacSha256(key, std::string(domain).append(message)).view());
}

Credentials CheapCredentials(std::string_view name) {
  const std::string certificate = CheapCertificate(name);
  return {.certificate_pem = certificate, .sign = [certificate](std::string_view domain, std::string_view message) {
            return CheapSignature(certificate, domain, message);
          }};
}

Status CheckCheap(const std::string& certificate, std::string_view domain, std::string_view message,
                  std::string_view signature) {
  if (CheapSignature(certificate, domain, message) == signature) return OkStatus();
  return Unauthenticated("not signed");
}

ChainName BenchChain() { return *ChainName::Parse("bench"); }

Credentials RealCredentials(const CertificateAuthority& authority, Role role, std::string_view name,
                            RandomSource& random) {
  const auto key = std::make_shared<KeyPair>(*KeyPair::Generate());
  CertificateTerms terms{.identity = *Identity::Make(BenchChain(), role, name), .lifetime = absl::Hours(24)};
  if (role == Role::kCoordinator) terms.server_names = {"localhost"};
  return {.certificate_pem = authority.Issue(*key, terms, absl::Now(), random)->pem(),
          .sign = [key](std::string_view domain, std::string_view message) {
            return SignStatement(*key, domain, message);
          }};
}

Status CheckReal(const std::string& roots, const std::string& pem, const Identity& identity, std::string_view domain,
                 std::string_view message, std::string_view signature) {
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
  if (certificate.identity() != identity) return Unauthenticated("another's certificate");
  AISLE_RETURN_IF_ERROR(certificate.CheckIssuedBy(roots, absl::Now()));
  return VerifyStatement(certificate, domain, message, signature);
}

}  // namespace

StoreId BenchStore(uint32_t number) { return *StoreId::Parse(fmt::format("store-{:05}", number)); }

Chain CheapChain(uint32_t stores) {
  Chain chain;
  for (uint32_t number = 0; number < stores; ++number) {
    chain.stores.push_back(CheapCredentials(BenchStore(number).str()));
  }
  chain.headquarters = CheapCredentials("hq");
  chain.trust = {
      .verify_store = [](const std::string& certificate, const StoreId&, std::string_view domain,
                         std::string_view message,
                         std::string_view signature) { return CheckCheap(certificate, domain, message, signature); },
      .verify_headquarters = CheckCheap,
      .key_of = [](const std::string& certificate) -> StatusOr<Digest> { return Sha256::Of(certificate); }};
  return chain;
}

Chain EcdsaChain(uint32_t stores) {
  SecureRandom random;
  const auto authority = *CertificateAuthority::Create(BenchChain(), *KeyPair::Generate(), absl::Now(), random);
  Chain chain;
  for (uint32_t number = 0; number < stores; ++number) {
    chain.stores.push_back(RealCredentials(authority, Role::kStore, BenchStore(number).str(), random));
  }
  chain.headquarters = RealCredentials(authority, Role::kCoordinator, "hq", random);
  const std::string roots = authority.root_pem();
  chain.trust = {.verify_store =
                     [roots](const std::string& pem, const StoreId& store, std::string_view domain,
                             std::string_view message, std::string_view signature) {
                       const Identity identity{.chain = BenchChain(), .role = Role::kStore, .name = store.str()};
                       return CheckReal(roots, pem, identity, domain, message, signature);
                     },
                 .verify_headquarters =
                     [roots](const std::string& pem, std::string_view domain, std::string_view message,
                             std::string_view signature) {
                       const Identity identity{.chain = BenchChain(), .role = Role::kCoordinator, .name = "hq"};
                       return CheckReal(roots, pem, identity, domain, message, signature);
                     },
                 .key_of = [](const std::string& pem) -> StatusOr<Digest> {
                   AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
                   return certificate.key_digest();
                 }};
  return chain;
}

}  // namespace aisle::secagg

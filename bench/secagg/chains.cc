#include "bench/secagg/chains.h"

#include <absl/time/clock.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/digest.h"
#include "base/identity/authority.h"
#include "base/identity/certificate.h"
#include "base/identity/statement.h"
#include "base/identity/trusted_roots.h"
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

// Whoever the certificate is found to be about.
using Find = std::function<StatusOr<Certificate>(const std::string& pem)>;

Status CheckReal(const Find& find, const std::string& pem, const Identity& identity, std::string_view domain,
                 std::string_view message, std::string_view signature) {
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, find(pem));
  if (certificate.identity() != identity) return Unauthenticated("another's certificate");
  return VerifyStatement(certificate, domain, message, signature);
}

Trust RealTrust(const Find& find) {
  return {.verify_store =
              [find](const std::string& pem, const StoreId& store, std::string_view domain, std::string_view message,
                     std::string_view signature) {
                const Identity identity{.chain = BenchChain(), .role = Role::kStore, .name = store.str()};
                return CheckReal(find, pem, identity, domain, message, signature);
              },
          .verify_headquarters =
              [find](const std::string& pem, std::string_view domain, std::string_view message,
                     std::string_view signature) {
                const Identity identity{.chain = BenchChain(), .role = Role::kCoordinator, .name = "hq"};
                return CheckReal(find, pem, identity, domain, message, signature);
              },
          .key_of = [find](const std::string& pem) -> StatusOr<Digest> {
            AISLE_ASSIGN_OR_RETURN(const Certificate certificate, find(pem));
            return certificate.key_digest();
          }};
}

Trust StoresTrust(const TrustedRoots& roots, const std::vector<Credentials>& met) {
  const auto known = std::make_shared<TrustedCertificates>(roots, 2048);
  for (const Credentials& store : met) (void)known->Find(store.certificate_pem, absl::Now());
  return RealTrust([known](const std::string& pem) { return known->Find(pem, absl::Now()); });
}

Trust HeadquartersTrust(const std::vector<Credentials>& stores) {
  const auto connected = std::make_shared<std::map<std::string, Certificate>>();
  for (const Credentials& store : stores) {
    connected->emplace(store.certificate_pem, *Certificate::FromPem(store.certificate_pem));
  }
  return RealTrust([connected](const std::string& pem) -> StatusOr<Certificate> { return connected->at(pem); });
}

}  // namespace

StoreId BenchStore(uint32_t number) { return *StoreId::Parse(fmt::format("store-{:05}", number)); }

Chain CheapChain(uint32_t stores) {
  Chain chain;
  for (uint32_t number = 0; number < stores; ++number) {
    chain.stores.push_back(CheapCredentials(BenchStore(number).str()));
  }
  chain.headquarters = CheapCredentials("hq");
  chain.headquarters_trust = {
      .verify_store = [](const std::string& certificate, const StoreId&, std::string_view domain,
                         std::string_view message,
                         std::string_view signature) { return CheckCheap(certificate, domain, message, signature); },
      .verify_headquarters = CheckCheap,
      .key_of = [](const std::string& certificate) -> StatusOr<Digest> { return Sha256::Of(certificate); }};
  chain.trusts.assign(stores, chain.headquarters_trust);
  return chain;
}

Chain EcdsaChain(uint32_t stores, bool met) {
  SecureRandom random;
  const auto authority = *CertificateAuthority::Create(BenchChain(), *KeyPair::Generate(), absl::Now(), random);
  Chain chain;
  for (uint32_t number = 0; number < stores; ++number) {
    chain.stores.push_back(RealCredentials(authority, Role::kStore, BenchStore(number).str(), random));
  }
  chain.headquarters = RealCredentials(authority, Role::kCoordinator, "hq", random);
  const TrustedRoots roots = *TrustedRoots::FromPem(authority.root_pem());
  for (uint32_t number = 0; number < stores; ++number) {
    chain.trusts.push_back(StoresTrust(roots, met ? chain.stores : std::vector<Credentials>()));
  }
  chain.headquarters_trust = HeadquartersTrust(chain.stores);
  return chain;
}

}  // namespace aisle::secagg

#include "bench/secagg/chains.h"

#include <absl/time/clock.h>

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
#include "store-agent/sum/chain_trust.h"

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

// As an agent's own: whom it has met is known to it, of the others it wants proof.
Trust StoresTrust(TrustedCertificates& known, const std::vector<Credentials>& met) {
  for (const Credentials& store : met) (void)known.Find(store.certificate_pem, absl::Now());
  return ChainTrust(known, BenchChain(), absl::Now());
}

// As the coordinator's, of callers whose certificates the handshake has proven.
Trust HeadquartersTrust(const std::vector<Credentials>& stores) {
  const auto connected = std::make_shared<std::map<std::string, Certificate>>();
  for (const Credentials& store : stores) {
    connected->emplace(store.certificate_pem, *Certificate::FromPem(store.certificate_pem));
  }
  const auto verify = [connected](const std::string& pem, const StoreId& store, std::string_view domain,
                                  std::string_view message, std::string_view signature) -> Status {
    const Certificate& certificate = connected->at(pem);
    AISLE_ASSIGN_OR_RETURN(const StoreId named, StoreOf(certificate.identity()));
    if (named != store) return Unauthenticated("another's certificate");
    return VerifyStatement(certificate, domain, message, signature);
  };
  return {.verify_store = verify,
          .verify_headquarters = [](const auto&...) { return Unimplemented("headquarters doesn't listen to itself"); },
          .key_of = [](const auto&) { return Unimplemented("headquarters compares no keys of certificates"); }};
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
    chain.known.push_back(std::make_unique<TrustedCertificates>(roots, 2048));
    chain.trusts.push_back(StoresTrust(*chain.known.back(), met ? chain.stores : std::vector<Credentials>()));
  }
  chain.headquarters_trust = HeadquartersTrust(chain.stores);
  return chain;
}

}  // namespace aisle::secagg

#include "store-agent/sum/chain_trust.h"

#include "base/identity/statement.h"

namespace aisle {
namespace {

struct Roots {
  std::string pem;
  ChainName chain;
  absl::Time now;
};

StatusOr<Certificate> Trusted(const Roots& roots, const std::string& pem, Role role) {
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(pem));
  AISLE_RETURN_IF_ERROR(RequireRole(certificate.identity(), role));
  if (certificate.identity().chain != roots.chain) {
    return Unauthenticated("{} is of another chain", certificate.identity().Uri());
  }
  AISLE_RETURN_IF_ERROR(certificate.CheckIssuedBy(roots.pem, roots.now));
  return certificate;
}

Status CheckStore(const Roots& roots, const std::string& pem, const StoreId& store, std::string_view domain,
                  std::string_view message, std::string_view signature) {
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Trusted(roots, pem, Role::kStore));
  AISLE_ASSIGN_OR_RETURN(const StoreId named, StoreOf(certificate.identity()));
  if (named != store) return PermissionDenied("the certificate is {}'s, not {}'s", named, store);
  return VerifyStatement(certificate, domain, message, signature);
}

Status CheckHeadquarters(const Roots& roots, const std::string& pem, std::string_view domain, std::string_view message,
                         std::string_view signature) {
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Trusted(roots, pem, Role::kCoordinator));
  return VerifyStatement(certificate, domain, message, signature);
}

StatusOr<Digest> KeyOf(const std::string& pem) {
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
  return certificate.key_digest();
}

}  // namespace

secagg::Trust ChainTrust(const TlsIdentity& own, absl::Time now) {
  const Roots roots{.pem = own.ca_pem, .chain = own.certificate.identity().chain, .now = now};
  return {.verify_store =
              [roots](const std::string& pem, const StoreId& store, std::string_view domain, std::string_view message,
                      std::string_view signature) { return CheckStore(roots, pem, store, domain, message, signature); },
          .verify_headquarters =
              [roots](const std::string& pem, std::string_view domain, std::string_view message,
                      std::string_view signature) { return CheckHeadquarters(roots, pem, domain, message, signature); },
          .key_of = KeyOf};
}

}  // namespace aisle

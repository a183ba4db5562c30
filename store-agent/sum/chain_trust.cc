#include "store-agent/sum/chain_trust.h"

#include <memory>

#include "base/identity/statement.h"

namespace aisle {
namespace {

struct Believed {
  TrustedCertificates& known;
  ChainName chain;
  absl::Time now;
};

StatusOr<std::shared_ptr<const Party>> Trusted(const Believed& believed, const std::string& pem, Role role) {
  AISLE_ASSIGN_OR_RETURN(std::shared_ptr<const Party> party, believed.known.Find(pem, believed.now));
  AISLE_RETURN_IF_ERROR(RequireRole(party->identity, role));
  if (party->identity.chain != believed.chain) {
    return Unauthenticated("{} is of another chain", party->identity.Uri());
  }
  return party;
}

Status CheckStore(const Believed& believed, const std::string& pem, const StoreId& store, std::string_view domain,
                  std::string_view message, std::string_view signature) {
  AISLE_ASSIGN_OR_RETURN(const auto party, Trusted(believed, pem, Role::kStore));
  AISLE_ASSIGN_OR_RETURN(const StoreId named, StoreOf(party->identity));
  if (named != store) return PermissionDenied("the certificate is {}'s, not {}'s", named, store);
  return VerifyStatement(*party, domain, message, signature);
}

Status CheckHeadquarters(const Believed& believed, const std::string& pem, std::string_view domain,
                         std::string_view message, std::string_view signature) {
  AISLE_ASSIGN_OR_RETURN(const auto party, Trusted(believed, pem, Role::kCoordinator));
  return VerifyStatement(*party, domain, message, signature);
}

}  // namespace

secagg::Trust ChainTrust(TrustedCertificates& known, const ChainName& chain, absl::Time now) {
  const Believed believed{.known = known, .chain = chain, .now = now};
  return {.verify_store =
              [believed](const std::string& pem, const StoreId& store, std::string_view domain,
                         std::string_view message, std::string_view signature) {
                return CheckStore(believed, pem, store, domain, message, signature);
              },
          .verify_headquarters =
              [believed](const std::string& pem, std::string_view domain, std::string_view message,
                         std::string_view signature) {
                return CheckHeadquarters(believed, pem, domain, message, signature);
              },
          .key_of = [&known](const std::string& pem) { return known.KeyDigestOf(pem); }};
}

}  // namespace aisle

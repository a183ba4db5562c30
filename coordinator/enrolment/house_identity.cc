#include "coordinator/enrolment/house_identity.h"

#include "base/identity/statement.h"

namespace aisle {

secagg::Credentials CredentialsOf(const HouseIdentity& identity) {
  return {
      .certificate_pem = identity.own.certificate.pem(),
      .sign = [key = std::make_shared<const KeyPair>(identity.own.key.Clone())](
                  std::string_view domain, std::string_view message) { return SignStatement(*key, domain, message); }};
}

}  // namespace aisle

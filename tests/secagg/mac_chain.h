// A chain's certificates for tests, without curves: a certificate is a text that says whose it is, a signature is a MAC
// under a key that follows from the certificate. Deterministic and cheap; as forgeable as a test needs it to be.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "privacy/secagg/trust.h"

namespace aisle::secagg {

std::string CertificateOf(const StoreId& store);  // "store <id>".
inline constexpr std::string_view kHeadquartersCertificate = "coordinator hq";

std::string SignAs(std::string_view certificate, std::string_view domain, std::string_view message);

Credentials CredentialsOf(const StoreId& store);
// A certificate that begins with "revoked" is nobody's.
Trust TrustInAll();

}  // namespace aisle::secagg

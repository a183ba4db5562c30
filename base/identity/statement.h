// A statement that a party of the chain signs with the key of its certificate, for others to check long afterwards.
// ECDSA on P-256 with SHA-256 over domain + '\0' + message, DER.
#pragma once

#include <string>
#include <string_view>

#include "base/identity/certificate.h"
#include "base/identity/key_pair.h"
#include "base/identity/party.h"
#include "base/status.h"

namespace aisle {

// Over a certificate request: by the key of a certificate that has ended, when a store renews late.
inline constexpr std::string_view kLateRenewalDomain = "aisle/late-renewal/v1";

// `domain` begins with "aisle/", holds no '\0', and is of one use in the house only.
StatusOr<std::string> SignStatement(const KeyPair& key, std::string_view domain, std::string_view message);

// Unauthenticated unless `signature` is by the certificate's or the party's key. Whose it is, and whether its chain can
// be trusted, is for the caller to ask (Certificate::CheckIssuedBy).
Status VerifyStatement(const Certificate& certificate, std::string_view domain, std::string_view message,
                       std::string_view signature);
Status VerifyStatement(const Party& party, std::string_view domain, std::string_view message,
                       std::string_view signature);

}  // namespace aisle

// Certificates in the one form that CertificateAuthority gives it, byte for byte but for what differs from party to
// party. Reading that takes some 3 us; OpenSSL 3.0 takes 140 us for any certificate, most of it for finding out what
// kind of key is in it. Nothing is learned here about who signed it.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string_view>

#include "base/identity/identity.h"

namespace aisle {

inline constexpr std::string_view kRootName = "Aisle root";  // Common name of every root.

// Views are into the DER that was read.
struct IssuedForm {
  std::string_view signed_part;    // TBSCertificate (RFC 5280, section 4.1), what the signature is over.
  std::string_view signature;      // ECDSA on P-256 with SHA-256, says the certificate.
  std::string_view issuer;         // Name, DER.
  std::string_view issuer_key_id;  // Its subject key identifier.
  std::string_view key_info;       // SubjectPublicKeyInfo, as P256Key::FromInfo takes it; maybe no point of the curve.
  Identity identity;
  absl::Time not_before;
  absl::Time not_after;
};

// Nothing if anything is otherwise than the authority writes it: the order and kinds of extensions, the purpose that
// belongs to the role, the subject that repeats the identity, lengths, forms of times. Whatever is read, OpenSSL reads
// in the same way, unless the key is none.
std::optional<IssuedForm> ReadIssuedForm(std::string_view der);

// The same of a root. That it signed itself isn't looked at: who trusts it has it from elsewhere.
struct RootForm {
  std::string_view name;      // Its own, and its issuer's.
  std::string_view key_id;    // Its own, and its issuer's.
  std::string_view key_info;  // As above.
  absl::Time not_before;
  absl::Time not_after;
};
std::optional<RootForm> ReadRootForm(std::string_view der);

}  // namespace aisle

// A store's statement of its whole ledger, for an auditor: readable, complete, and signed with the store's key.
//
//   JSON, ending with a newline            what is signed, to the byte
//   -----BEGIN AISLE LEDGER SIGNATURE----- the signature (base/identity/statement.h, domain kLedgerExportDomain), in
//   …                                      hexadecimal
//   -----END AISLE LEDGER SIGNATURE-----
//   -----BEGIN CERTIFICATE----- …          the store's, as it was then
//
// docs/formats.md lists the fields. `ledger` in it is the file itself, so that every total can be computed again.
#pragma once

#include <absl/time/time.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/identity/tls_identity.h"
#include "store-agent/policy/site_policy.h"

namespace aisle::cli {

inline constexpr std::string_view kLedgerExportDomain = "aisle/ledger-export/v1";

// `ledger` are the bytes of a ledger file. Errors as Ledger::Load; FailedPrecondition if it isn't the identity's
// store's.
StatusOr<std::string> MakeLedgerExport(std::string_view ledger, const SitePolicy& policy, const TlsIdentity& identity,
                                       absl::Time now);

// Whether these bytes mean to be an export: they begin as JSON does.
bool LooksLikeLedgerExport(std::string_view bytes);

struct CheckedExport {
  std::string store;
  std::string chain;
  absl::Time exported;
  uint64_t entries = 0;
  std::string head;             // Hexadecimal.
  bool issuer_checked = false;  // The certificate was the chain's at the time the statement gives.
};

// Unauthenticated: not signed by the certificate in it, or (with `ca_pem`) the certificate isn't one of that chain, of
// that store, or wasn't valid when the statement says it was made. DataLoss: signed, but what it says isn't what its
// own ledger gives. InvalidArgument: no export.
StatusOr<CheckedExport> CheckLedgerExport(std::string_view bytes, const std::optional<std::string>& ca_pem);

}  // namespace aisle::cli

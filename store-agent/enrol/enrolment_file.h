// The invitation that a store's box is given: written by `aisle store add … --out FILE`, read once.
//
//   coordinator = "hq.example:7400"
//   store = "store-012"
//   chain = "northwind"
//   code = "…"                 32 hexadecimal digits; works once
//   ca_pem = '''…'''           The chain's root: how the box knows headquarters.
#pragma once

#include <string>
#include <string_view>

#include "base/identity/identity.h"
#include "base/ids.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

struct Invitation {
  std::string coordinator;  // "host:port".
  StoreId store;
  ChainName chain;
  SecretBytes code;
  std::string ca_pem;
};

// InvalidArgument listing every mistake; FailedPrecondition if strangers may read the file.
StatusOr<Invitation> ReadInvitation(const std::string& path);
// The same of a text that was read already; `origin` is named in errors.
StatusOr<Invitation> ParseInvitation(std::string_view text, std::string_view origin);

}  // namespace aisle

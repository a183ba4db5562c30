// What the secure sum asks of the chain's certificates. Handed in, so that the protocol itself sees no key of the
// house, no root and no clock.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/ids.h"
#include "base/status.h"

namespace aisle::secagg {

// A store's own. `sign` is SignStatement (base/identity/statement.h) with the key of `certificate_pem`.
struct Credentials {
  std::string certificate_pem;
  std::function<StatusOr<std::string>(std::string_view domain, std::string_view message)> sign;
};

// Others'. All three answer for the present moment: roots, times and revocations are the caller's business.
struct Trust {
  // OK if the certificate is that store's (a coordinator's, below), was issued by the chain's authority and is good
  // now, and if its key signed the message.
  std::function<Status(const std::string& certificate_pem, const StoreId& store, std::string_view domain,
                       std::string_view message, std::string_view signature)>
      verify_store;
  std::function<Status(const std::string& certificate_pem, std::string_view domain, std::string_view message,
                       std::string_view signature)>
      verify_headquarters;
  // Certificate::key_digest: two stores with one key are one party twice.
  std::function<StatusOr<Digest>(const std::string& certificate_pem)> key_of;
};

}  // namespace aisle::secagg

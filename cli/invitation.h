// The file that carries a store's invitation from headquarters to its box; store-agent/enrol/enrolment_file.h reads it.
#pragma once

#include <string>

#include "base/status.h"

namespace aisle::cli {

struct NewInvitation {
  std::string coordinator;  // "hq.example:7400", as the store dials it.
  std::string store;
  std::string code;  // 32 hexadecimal digits, works once: a secret until it is used.
  std::string chain;
  std::string ca_pem;
};

std::string InvitationToml(const NewInvitation& invitation);

// With mode 0600 from its first byte on. AlreadyExists if something is there: never overwrites.
Status WriteInvitation(const std::string& path, const NewInvitation& invitation);

}  // namespace aisle::cli

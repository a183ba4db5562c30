#include "cli/context.h"

#include <absl/time/clock.h>

#include <cstdlib>

#include "base/net/credentials.h"
#include "base/net/grpc_setup.h"
#include "base/net/transport.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

std::string FirstOf(const std::string& option, const char* variable, std::string_view otherwise) {
  if (!option.empty()) return option;
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? value : std::string(otherwise);
}

Status CheckAdmin(const TlsIdentity& identity, const ChainPaths& paths) {
  const Certificate& certificate = identity.certificate;
  if (const Status role = RequireRole(certificate.identity(), Role::kAdmin); !role.ok()) {
    return Annotate(role, paths.admin().certificate);
  }
  const absl::Time now = absl::Now();
  if (now >= certificate.not_after()) {
    return PermissionDenied("the admin certificate {} expired on {}; make a new one on the coordinator's machine",
                            paths.admin().certificate, TimeText(absl::ToUnixMillis(certificate.not_after())));
  }
  return Annotate(certificate.CheckIssuedBy(identity.ca_pem, now), paths.admin().certificate);
}

}  // namespace

std::string Context::CoordinatorAddress() const {
  return FirstOf(options.coordinator, kCoordinatorVariable, kDefaultCoordinator);
}

StatusOr<ChainPaths> Context::IdentityPaths() const {
  const std::string folder = FirstOf(options.identity, kIdentityVariable, "");
  if (folder.empty()) {
    return FailedPrecondition("no identity given: name the folder that `aisle init` made with --identity DIR or {}",
                              kIdentityVariable);
  }
  return ChainPaths{folder};
}

StatusOr<AdminClient*> Context::Admin() {
  if (admin_ != nullptr) return admin_.get();
  AISLE_ASSIGN_OR_RETURN(const ChainPaths paths, IdentityPaths());
  AISLE_ASSIGN_OR_RETURN(const TlsIdentity identity, LoadAdmin(paths));
  AISLE_RETURN_IF_ERROR(CheckAdmin(identity, paths));
  SetUpGrpc();
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeChannelCredentials(identity));
  const std::string address = CoordinatorAddress();
  AISLE_RETURN_IF_ERROR(OpenChannel({.address = address}, credentials).status());  // Refuses a malformed address.
  admin_ = std::make_unique<AdminClient>(
      [address, credentials] { return OpenChannel({.address = address}, credentials).value(); }, address);
  return admin_.get();
}

}  // namespace aisle::cli

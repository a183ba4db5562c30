// What every command gets: the options given before or after its name, its output, and the way to the coordinator.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/identity/chain_folder.h"
#include "cli/admin_client.h"
#include "cli/environment.h"
#include "cli/output.h"

namespace aisle::cli {

inline constexpr std::string_view kDefaultCoordinator = "localhost:7400";

// What the command line says; empty where it says nothing.
struct GlobalOptions {
  std::string coordinator;
  std::string identity;
  bool json = false;
};

class Context {
 public:
  GlobalOptions options;
  Output out;
  // Set by the parsed command; run once the whole line has been understood.
  std::function<Status()> action;

  // The option, else the environment, else the default.
  std::string CoordinatorAddress() const;
  // FailedPrecondition, telling both ways to give one, if there is none.
  StatusOr<ChainPaths> IdentityPaths() const;

  // Connects lazily; the client lives as long as the context. Errors name the certificate that is missing or expired.
  StatusOr<AdminClient*> Admin();

 private:
  std::unique_ptr<AdminClient> admin_;
};

}  // namespace aisle::cli

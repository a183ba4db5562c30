#include "cli/coordinator_config.h"

#include <fmt/format.h>

namespace aisle::cli {

std::string CoordinatorToml(const CoordinatorConfigTerms& terms) {
  return fmt::format(
      "# Settings of aisle-coordinator. Every key is explained in config/coordinator.toml.\n"
      "# Paths are relative to this file's folder.\n"
      "listen = \"{}\"\n"
      "metrics_listen = \"127.0.0.1:9463\"  # /metrics, /healthz, /readyz\n"
      "identity = \".\"                      # Keys and certificates: this folder.\n"
      "data = \"data\"                       # State, blobs, spools.\n",
      terms.listen);
}

}  // namespace aisle::cli

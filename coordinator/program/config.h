// coordinator.toml. config/coordinator.toml shows every key with its default.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

struct CoordinatorConfig {
  std::string listen = "0.0.0.0:7400";  // Fleet and Admin, mutual TLS.
  std::string metrics_listen = "127.0.0.1:9463";
  std::string data = "coordinator-data";  // State, blobs, spools.
  std::string identity = "identity";      // The folder `aisle init` made.
  std::vector<std::string> plan_keys;     // Further public plan keys (PEM files) beside the folder's own.
  std::string log_level = "info";
  CoordinatorPolicy policy;

  // Relative paths are taken from the file's own folder. InvalidArgument lists every mistake at once.
  static StatusOr<CoordinatorConfig> Load(const std::string& path);
  static StatusOr<CoordinatorConfig> Parse(std::string_view text, std::string_view origin);
};

}  // namespace aisle

// The coordinator.toml that `aisle init` lays beside the keys: complete, and explained for whoever opens it.
#pragma once

#include <string>

namespace aisle::cli {

struct CoordinatorConfigTerms {
  std::string listen;  // "0.0.0.0:7400"
  std::string folder;  // The chain's.
};

std::string CoordinatorToml(const CoordinatorConfigTerms& terms);

}  // namespace aisle::cli

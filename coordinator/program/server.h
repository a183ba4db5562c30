// Everything one coordinator process is made of, put together in the order in which it can be taken apart.
#pragma once

#include <memory>

#include "base/status.h"
#include "coordinator/program/config.h"

namespace aisle {

// Serves from Start until destruction. Used by main and by tests that want a real coordinator in process.
class CoordinatorServer {
 public:
  // Resumes what is on disk, then listens. Errors name the file, folder or address, and what to do.
  static StatusOr<std::unique_ptr<CoordinatorServer>> Start(const CoordinatorConfig& config);
  // Answers held calls, lets running ones end for a moment, closes everything.
  ~CoordinatorServer();

  int port() const;
  int metrics_port() const;

 private:
  struct Parts;
  explicit CoordinatorServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace aisle

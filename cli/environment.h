// The environment variables that `aisle` reads where the command line says nothing.
#pragma once

namespace aisle::cli {

inline constexpr const char* kCoordinatorVariable = "AISLE_COORDINATOR";  // HOST:PORT.
inline constexpr const char* kIdentityVariable = "AISLE_IDENTITY";        // The folder `aisle init` made.
inline constexpr const char* kWorkerVariable = "AISLE_WORKER";            // The aisle-worker program.

}  // namespace aisle::cli

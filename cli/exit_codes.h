// How `aisle` ends: what a script can tell from the exit code alone. The numbers are a promise; docs/cli.md repeats
// them.
#pragma once

#include <string_view>

#include "base/status.h"

namespace aisle::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,       // It was tried and failed: a job that failed, our own bug.
  kExitUsage = 2,        // The command line makes no sense.
  kExitNotFound = 3,     // No such file, job, round, store or model.
  kExitRefused = 4,      // Understood and refused: invalid, damaged, already there, not now.
  kExitUnavailable = 5,  // Not reachable, too slow or full: try again later.
  kExitPermission = 6,   // Not allowed: by the coordinator or by the file system.
};

inline constexpr std::string_view kExitCodesHelp =
    "Exit codes:\n"
    "  0  done\n"
    "  1  failed\n"
    "  2  the command line makes no sense\n"
    "  3  not found: a file, job, round, store or model\n"
    "  4  refused: invalid, damaged, already there, or not now\n"
    "  5  unavailable: not reachable, too slow or full; try again later\n"
    "  6  not permitted\n";

constexpr ExitCode ExitCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return kExitOk;
    case StatusCode::kNotFound:
      return kExitNotFound;
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAlreadyExists:
    case StatusCode::kAborted:
    case StatusCode::kDataLoss:
      return kExitRefused;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kResourceExhausted:
      return kExitUnavailable;
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated:
      return kExitPermission;
    default:
      return kExitFailed;
  }
}

}  // namespace aisle::cli

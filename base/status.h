// Errors as values. What can go wrong in the world is a `Status`; what can only be our own bug is AISLE_CHECK
// (check.h).
//
// The code tells the caller what to do next; the message names the thing, the value, the limit and the remedy:
//   InvalidArgument, NotFound, AlreadyExists, PermissionDenied, Unauthenticated, OutOfRange: do not retry as is.
//   FailedPrecondition: the state must change first.
//   Unavailable, DeadlineExceeded, ResourceExhausted: try again later.
//   DataLoss: stored or transferred bytes are not what they were. Internal: our bug.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace aisle {

using absl::Status;
using absl::StatusCode;
using absl::StatusOr;

inline Status OkStatus() { return {}; }

// Makes a status of a code that is only known at run time.
Status MakeStatus(StatusCode code, std::string_view message);

// The message of a status as a std::string_view, valid as long as `status` lives.
std::string_view MessageOf(const Status& status);

// "INVALID_ARGUMENT" and so on, for logs and tables.
std::string CodeName(StatusCode code);

// The same error, its payloads included, with "context: " before its message; an OK status stays OK.
Status Annotate(const Status& status, std::string_view context);

#define AISLE_DEFINE_STATUS_MAKER(Name)                                                       \
  template <typename... Args>                                                                 \
  Status Name(fmt::format_string<Args...> format, Args&&... args) {                           \
    return MakeStatus(StatusCode::k##Name, fmt::format(format, std::forward<Args>(args)...)); \
  }
AISLE_DEFINE_STATUS_MAKER(InvalidArgument)
AISLE_DEFINE_STATUS_MAKER(NotFound)
AISLE_DEFINE_STATUS_MAKER(AlreadyExists)
AISLE_DEFINE_STATUS_MAKER(PermissionDenied)
AISLE_DEFINE_STATUS_MAKER(Unauthenticated)
AISLE_DEFINE_STATUS_MAKER(FailedPrecondition)
AISLE_DEFINE_STATUS_MAKER(OutOfRange)
AISLE_DEFINE_STATUS_MAKER(Cancelled)
AISLE_DEFINE_STATUS_MAKER(Unavailable)
AISLE_DEFINE_STATUS_MAKER(DeadlineExceeded)
AISLE_DEFINE_STATUS_MAKER(ResourceExhausted)
AISLE_DEFINE_STATUS_MAKER(DataLoss)
AISLE_DEFINE_STATUS_MAKER(Unimplemented)
AISLE_DEFINE_STATUS_MAKER(Internal)
#undef AISLE_DEFINE_STATUS_MAKER

namespace status_internal {
inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const StatusOr<T>& result) {
  return result.status();
}
}  // namespace status_internal

}  // namespace aisle

#define AISLE_CONCAT_INNER(a, b) a##b
#define AISLE_CONCAT(a, b) AISLE_CONCAT_INNER(a, b)

#define AISLE_RETURN_IF_ERROR(expression)                                            \
  do {                                                                               \
    if (::aisle::Status aisle_status_here = (expression); !aisle_status_here.ok()) { \
      return aisle_status_here;                                                      \
    }                                                                                \
  } while (false)

#define AISLE_ASSIGN_OR_RETURN(declaration, expression) \
  AISLE_ASSIGN_OR_RETURN_INNER(AISLE_CONCAT(aisle_result_, __LINE__), declaration, expression)
#define AISLE_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) {                                                 \
    return ::aisle::status_internal::StatusOf(result);                \
  }                                                                   \
  declaration = std::move(result).value()

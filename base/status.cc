#include "base/status.h"

namespace aisle {

Status MakeStatus(StatusCode code, std::string_view message) {
  return {code, absl::string_view(message.data(), message.size())};
}

std::string_view MessageOf(const Status& status) {
  const absl::string_view message = status.message();
  return {message.data(), message.size()};
}

std::string CodeName(StatusCode code) { return absl::StatusCodeToString(code); }

Status Annotate(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  Status annotated = MakeStatus(status.code(), fmt::format("{}: {}", context, MessageOf(status)));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace aisle

// A store's answer in the secure sum: what it was asked for, or why not.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/fleet.h"

namespace aisle::secagg {

template <typename T>
using Answer = std::variant<T, Refused>;

// `format` and its arguments name stores, positions, numbers and limits, never a secret. Cut at kDetailLengthMax.
template <typename... Args>
Refused Refuse(RefusalReason reason, fmt::format_string<Args...> format, Args&&... args) {
  std::string detail = fmt::format(format, std::forward<Args>(args)...);
  if (detail.size() > kDetailLengthMax) detail.resize(kDetailLengthMax);
  return {.reason = reason, .detail = std::move(detail)};
}

}  // namespace aisle::secagg

// AISLE_CHECK: what can only be our own bug stops the program, saying where and why. Never for bad input.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace aisle {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, std::string_view explanation);

inline std::string CheckText() { return {}; }
template <typename... Args>
std::string CheckText(fmt::format_string<Args...> format, Args&&... args) {
  return fmt::format(format, std::forward<Args>(args)...);
}

}  // namespace aisle

// AISLE_CHECK(condition) or AISLE_CHECK(condition, "fmt text {}", argument). Always on, in every build.
#define AISLE_CHECK(condition, ...)                                                          \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      ::aisle::CheckFailed(__FILE__, __LINE__, #condition, ::aisle::CheckText(__VA_ARGS__)); \
    }                                                                                        \
  } while (false)

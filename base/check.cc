#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace aisle {

void CheckFailed(const char* file, int line, const char* condition, std::string_view explanation) {
  std::fprintf(stderr, "%s:%d: AISLE_CHECK(%s) failed%s%.*s\n", file, line, condition, explanation.empty() ? "" : ": ",
               static_cast<int>(explanation.size()), explanation.data());
  std::abort();
}

}  // namespace aisle

#include "base/cover.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>

namespace aisle {
namespace {

#ifdef AISLE_DIE_AT_MARKS
constexpr bool kMayDie = true;
#else
constexpr bool kMayDie = false;
#endif

struct Death {
  std::string_view mark;
  uint64_t passage = 1;

  static Death FromEnvironment() {
    Death death{.mark = DieAt()};
    const size_t hash = death.mark.rfind('#');
    if (hash == std::string_view::npos) return death;
    const std::string_view digits = death.mark.substr(hash + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), death.passage);
    death.mark = death.mark.substr(0, hash);
    return death;
  }
};

struct Marks {
  const Death death = Death::FromEnvironment();
  std::mutex mutex;
  std::map<std::string_view, uint64_t> counts;  // Guarded by mutex.
};
Marks& TheMarks() {
  static Marks* const marks = new Marks;  // Lives to the end: marks may be passed while statics are torn down.
  return *marks;
}

}  // namespace

void CountCoverage(std::string_view mark) {
  Marks& marks = TheMarks();
  const std::lock_guard lock(marks.mutex);
  const uint64_t passage = ++marks.counts[mark];
  if (kMayDie && passage == marks.death.passage && mark == marks.death.mark) {
    ::kill(::getpid(), SIGKILL);
    ::_exit(128 + SIGKILL);  // A sandbox forbids the other.
  }
}

uint64_t CoverageCount(std::string_view mark) {
  Marks& marks = TheMarks();
  const std::lock_guard lock(marks.mutex);
  const auto found = marks.counts.find(mark);
  return found == marks.counts.end() ? 0 : found->second;
}

std::string_view DieAt() {
  if constexpr (kMayDie) {
    const char* const value = std::getenv("AISLE_DIE_AT");
    if (value != nullptr) return value;
  }
  return "";
}

}  // namespace aisle

#include "base/cover.h"

#include <map>
#include <mutex>

namespace aisle {
namespace {

struct Marks {
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
  ++marks.counts[mark];
}

uint64_t CoverageCount(std::string_view mark) {
  Marks& marks = TheMarks();
  const std::lock_guard lock(marks.mutex);
  const auto found = marks.counts.find(mark);
  return found == marks.counts.end() ? 0 : found->second;
}

}  // namespace aisle

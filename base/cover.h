// AISLE_COVER("round.aborted_below_cohort_min") marks a rare branch; some test shows that it was taken.
//
// Marks called "commit.WHAT.before" and "commit.WHAT.after" stand around every durable write ("commit.WHAT.aside" where
// a file is whole but not yet in its place). Tests kill the program exactly there: in builds with the CMake option
// AISLE_DIE_AT_MARKS (debug builds; never a release), the environment variable AISLE_DIE_AT="commit.journal.after#3"
// ends the program at the third passage of that mark as kill -9 would: no handler runs and no buffer is written.
#pragma once

#include <cstdint>
#include <string_view>

namespace aisle {

// Counts one passage. Thread-safe; `mark` must be a string literal.
void CountCoverage(std::string_view mark);
// Passages since the program began.
uint64_t CoverageCount(std::string_view mark);
// The value of AISLE_DIE_AT, for programs started by this one; empty if it isn't set, or never heeded in this build.
std::string_view DieAt();

}  // namespace aisle

#define AISLE_COVER(mark) ::aisle::CountCoverage(mark)

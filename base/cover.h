// AISLE_COVER("round.aborted_below_cohort_min") marks a rare branch; some test shows that it was taken.
#pragma once

#include <cstdint>
#include <string_view>

namespace aisle {

// Counts one passage. Thread-safe; `mark` must be a string literal.
void CountCoverage(std::string_view mark);
// Passages since the program began.
uint64_t CoverageCount(std::string_view mark);

}  // namespace aisle

#define AISLE_COVER(mark) ::aisle::CountCoverage(mark)

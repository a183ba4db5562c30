// What this machine can do: the yardstick of fold_bench.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aisle {

// sum[i] += update[i] for i < count, as plainly as it can be said. Compiled at -O3 for the best this processor has.
void AddInPlace(uint32_t* sum, const uint32_t* update, size_t count);

}  // namespace aisle

// The kernel under ModularSum: in-place addition of little-endian uint32 bytes, at memory speed. Compiled at -O3 in
// every build and dispatched at run time to AVX2 where the processor has it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aisle {

// sum[i] += (or -=) the i-th little-endian uint32 of `bytes`, modulo 2^32, for i < count. `bytes` need not be aligned
// and must not overlap `sum`.
void FoldAdd(uint32_t* sum, const char* bytes, size_t count);
void FoldSubtract(uint32_t* sum, const char* bytes, size_t count);

}  // namespace aisle

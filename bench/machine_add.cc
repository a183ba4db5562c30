#include "bench/machine_add.h"

namespace aisle {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
void AddInPlace(uint32_t* __restrict sum, const uint32_t* __restrict update, size_t count) {
  for (size_t i = 0; i < count; ++i) sum[i] += update[i];
}

}  // namespace aisle

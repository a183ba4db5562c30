#include "aggregation/fold.h"

#include <bit>
#include <cstring>

namespace aisle {
namespace {

static_assert(std::endian::native == std::endian::little, "folding reads the wire's little-endian words as they are");

// One loop for both instruction sets. memcpy of four bytes is an unaligned load; the vectoriser makes it one of 32
// bytes.
template <bool kSubtract>
[[gnu::always_inline]] inline void FoldLoop(uint32_t* __restrict sum, const char* __restrict bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t word;
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    sum[i] = kSubtract ? sum[i] - word : sum[i] + word;
  }
}

using Kernel = void (*)(uint32_t*, const char*, size_t);

template <bool kSubtract>
void FoldPlain(uint32_t* sum, const char* bytes, size_t count) {
  FoldLoop<kSubtract>(sum, bytes, count);
}

#if defined(__x86_64__)
template <bool kSubtract>
[[gnu::target("avx2")]] void FoldAvx2(uint32_t* sum, const char* bytes, size_t count) {
  FoldLoop<kSubtract>(sum, bytes, count);
}

// By hand rather than by target_clones: its resolvers run before the sanitizers are ready.
template <bool kSubtract>
Kernel ChooseKernel() {
  return __builtin_cpu_supports("avx2") ? FoldAvx2<kSubtract> : FoldPlain<kSubtract>;
}
#else
template <bool kSubtract>
Kernel ChooseKernel() {
  return FoldPlain<kSubtract>;
}
#endif

}  // namespace

void FoldAdd(uint32_t* sum, const char* bytes, size_t count) {
  static const Kernel kernel = ChooseKernel<false>();
  kernel(sum, bytes, count);
}

void FoldSubtract(uint32_t* sum, const char* bytes, size_t count) {
  static const Kernel kernel = ChooseKernel<true>();
  kernel(sum, bytes, count);
}

}  // namespace aisle

#include "store-agent/worker/customers/integer_products.h"

#if defined(__x86_64__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 in its own header (bug 105593).
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <cmath>
#include <cstring>

namespace aisle {
namespace {

constexpr size_t kWidest = 16;               // 32-bit sums in the widest vector.
constexpr float kRoundingTrick = 0x1.8p23F;  // Adding and taking it away rounds to the nearest integer, up to 2^22.
constexpr float kMax = static_cast<float>(kFineRowMax);

// Two rows' numbers side by side, as the instructions want them.
[[gnu::always_inline]] inline void PairUp(const int16_t* __restrict first, const int16_t* __restrict second,
                                          size_t count, int32_t* __restrict pairs) {
  for (size_t i = 0; i < count; ++i) {
    pairs[i] = static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint16_t>(first[i])) |
                                    static_cast<uint32_t>(static_cast<uint16_t>(second[i])) << 16U);
  }
}

// Two factors, because one float may not hold the smallest or the largest scale.
[[gnu::always_inline]] inline RoundedRow RoundWith(const float* __restrict values, size_t count, float scale1,
                                                   float scale2, int16_t* __restrict fine) {
  float squares[kWidest] = {};
  float largest[kWidest] = {};
  const auto round = [&](size_t i, size_t j) __attribute__((always_inline)) {
    float value = values[i] * scale1 * scale2;
    value = value > -kMax ? value : -kMax;  // In this order NaN becomes a number, too.
    value = value < kMax ? value : kMax;
    value = value + kRoundingTrick - kRoundingTrick;
    fine[i] = static_cast<int16_t>(static_cast<int32_t>(value));
    squares[j] += value * value;
    const float size = value < 0 ? -value : value;
    largest[j] = largest[j] > size ? largest[j] : size;
  };
  size_t i = 0;
  for (; i + kWidest <= count; i += kWidest) {
    for (size_t j = 0; j < kWidest; ++j) round(i + j, j);
  }
  for (size_t j = 0; i < count; ++i, ++j) round(i, j);
  RoundedRow rounded;
  for (size_t j = 0; j < kWidest; ++j) {
    rounded.squares += static_cast<double>(squares[j]);
    rounded.largest = std::max(rounded.largest, static_cast<int32_t>(largest[j]));
  }
  return rounded;
}

// Without vectors of its own, and what is left over behind whole vectors.
int32_t PlainDot(const int16_t* a, const int16_t* b, size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<uint32_t>(int32_t{a[i]} * b[i]);
  return static_cast<int32_t>(sum);
}

void PlainDots(const int16_t* a, const int16_t* rows, size_t row_count, size_t count, int32_t* dots) {
  for (size_t r = 0; r < row_count; ++r) dots[r] = PlainDot(a, rows + r * count, count);
}

struct Pairs {
  const int32_t* a = nullptr;  // [pairs, as]
  const int32_t* b = nullptr;  // [pairs, stride]
  size_t pairs = 0;
  size_t as = 0;
  size_t stride = 0;
};

void PlainAdd(const Pairs& of, int32_t* sums) {
  for (size_t p = 0; p < of.pairs; ++p) {
    for (size_t i = 0; i < of.as; ++i) {
      const int32_t a = of.a[p * of.as + i];
      const int32_t low = static_cast<int16_t>(a);
      const int32_t high = a >> 16;
      for (size_t j = 0; j < of.stride; ++j) {
        const int32_t b = of.b[p * of.stride + j];
        const auto products =
            static_cast<uint32_t>(low * static_cast<int16_t>(b)) + static_cast<uint32_t>(high * (b >> 16));
        int32_t& sum = sums[i * of.stride + j];
        sum = static_cast<int32_t>(static_cast<uint32_t>(sum) + products);
      }
    }
  }
}

struct Kernels {
  void (*dots)(const int16_t*, const int16_t*, size_t, size_t, int32_t*) = PlainDots;
  RoundedRow (*round)(const float*, size_t, float, float, int16_t*) = RoundWith;
  void (*pair)(const int16_t*, const int16_t*, size_t, int32_t*) = PairUp;
  void (*add)(const Pairs&, int32_t*) = PlainAdd;
};

#if defined(__x86_64__)

#define AISLE_VNNI gnu::target("avx512f,avx512dq,avx512bw,avx512vl,avx512vnni")
#define AISLE_AVX2 gnu::target("avx2")

// Vectors of 32-bit sums, and how products of pairs of 16-bit numbers are added to them.
struct Vnni {
  using Vector = __m512i;
  static constexpr size_t kSums = 16;
  static constexpr size_t kRows = 6;  // Of a block: 24 vectors of sums, out of 32.
  [[AISLE_VNNI, gnu::always_inline]] static inline Vector Load(const void* at) { return _mm512_loadu_si512(at); }
  [[AISLE_VNNI, gnu::always_inline]] static inline void Store(void* at, Vector v) { _mm512_storeu_si512(at, v); }
  [[AISLE_VNNI, gnu::always_inline]] static inline Vector Fill(int32_t pair) { return _mm512_set1_epi32(pair); }
  [[AISLE_VNNI, gnu::always_inline]] static inline Vector Add(Vector sum, Vector a, Vector b) {
    return _mm512_dpwssd_epi32(sum, a, b);
  }
  [[AISLE_VNNI, gnu::always_inline]] static inline int32_t Sum(Vector v) {
    __m256i halves[2];
    Store(halves, v);
    const __m256i eight = _mm256_add_epi32(halves[0], halves[1]);
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
  }
};
struct Avx2 {
  using Vector = __m256i;
  static constexpr size_t kSums = 8;
  static constexpr size_t kRows = 2;  // 8 vectors of sums, out of 16.
  [[AISLE_AVX2, gnu::always_inline]] static inline Vector Load(const void* at) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(at));
  }
  [[AISLE_AVX2, gnu::always_inline]] static inline void Store(void* at, Vector v) {
    _mm256_storeu_si256(static_cast<__m256i*>(at), v);
  }
  [[AISLE_AVX2, gnu::always_inline]] static inline Vector Fill(int32_t pair) { return _mm256_set1_epi32(pair); }
  [[AISLE_AVX2, gnu::always_inline]] static inline Vector Add(Vector sum, Vector a, Vector b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
  [[AISLE_AVX2, gnu::always_inline]] static inline int32_t Sum(Vector v) {
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
  }
};

// A block of sums, kept in registers while all pairs go by.
#define AISLE_BLOCK(name, target_of)                                                                              \
  template <size_t kRows, size_t kVectors>                                                                        \
  [[target_of, gnu::always_inline]] inline void Block##name(const Pairs& of, size_t i, size_t j, int32_t* sums) { \
    name::Vector block[kRows][kVectors];                                                                          \
    for (size_t r = 0; r < kRows; ++r) {                                                                          \
      for (size_t v = 0; v < kVectors; ++v) {                                                                     \
        block[r][v] = name::Load(sums + (i + r) * of.stride + j + v * name::kSums);                               \
      }                                                                                                           \
    }                                                                                                             \
    for (size_t p = 0; p < of.pairs; ++p) {                                                                       \
      name::Vector b[kVectors];                                                                                   \
      for (size_t v = 0; v < kVectors; ++v) b[v] = name::Load(of.b + p * of.stride + j + v * name::kSums);        \
      for (size_t r = 0; r < kRows; ++r) {                                                                        \
        const name::Vector a = name::Fill(of.a[p * of.as + i + r]);                                               \
        for (size_t v = 0; v < kVectors; ++v) block[r][v] = name::Add(block[r][v], a, b[v]);                      \
      }                                                                                                           \
    }                                                                                                             \
    for (size_t r = 0; r < kRows; ++r) {                                                                          \
      for (size_t v = 0; v < kVectors; ++v) {                                                                     \
        name::Store(sums + (i + r) * of.stride + j + v * name::kSums, block[r][v]);                               \
      }                                                                                                           \
    }                                                                                                             \
  }                                                                                                               \
  template <size_t kVectors>                                                                                      \
  [[target_of, gnu::always_inline]] inline void Columns##name(const Pairs& of, size_t j, int32_t* sums) {         \
    size_t i = 0;                                                                                                 \
    for (; i + name::kRows <= of.as; i += name::kRows) Block##name<name::kRows, kVectors>(of, i, j, sums);        \
    for (; i < of.as; ++i) Block##name<1, kVectors>(of, i, j, sums);                                              \
  }                                                                                                               \
  [[target_of]] void Add##name(const Pairs& of, int32_t* sums) {                                                  \
    size_t j = 0;                                                                                                 \
    for (; j + 4 * name::kSums <= of.stride; j += 4 * name::kSums) Columns##name<4>(of, j, sums);                 \
    for (; j < of.stride; j += name::kSums) Columns##name<1>(of, j, sums);                                        \
  }                                                                                                               \
  template <size_t kRows>                                                                                         \
  [[target_of, gnu::always_inline]] inline void DotsOf##name(const int16_t* a, const int16_t* rows, size_t count, \
                                                             int32_t* dots) {                                     \
    name::Vector sums[kRows];                                                                                     \
    for (size_t r = 0; r < kRows; ++r) sums[r] = name::Fill(0);                                                   \
    size_t i = 0;                                                                                                 \
    for (; i + 2 * name::kSums <= count; i += 2 * name::kSums) {                                                  \
      const name::Vector one = name::Load(a + i);                                                                 \
      for (size_t r = 0; r < kRows; ++r) sums[r] = name::Add(sums[r], one, name::Load(rows + r * count + i));     \
    }                                                                                                             \
    for (size_t r = 0; r < kRows; ++r) {                                                                          \
      const auto rest = static_cast<uint32_t>(PlainDot(a + i, rows + r * count + i, count - i));                  \
      dots[r] = static_cast<int32_t>(static_cast<uint32_t>(name::Sum(sums[r])) + rest);                           \
    }                                                                                                             \
  }                                                                                                               \
  [[target_of]] void Dots##name(const int16_t* a, const int16_t* rows, size_t row_count, size_t count,            \
                                int32_t* dots) {                                                                  \
    size_t r = 0;                                                                                                 \
    for (; r + 4 <= row_count; r += 4) DotsOf##name<4>(a, rows + r * count, count, dots + r);                     \
    for (; r < row_count; ++r) DotsOf##name<1>(a, rows + r * count, count, dots + r);                             \
  }                                                                                                               \
  [[target_of]] void Pair##name(const int16_t* first, const int16_t* second, size_t count, int32_t* pairs) {      \
    PairUp(first, second, count, pairs);                                                                          \
  }

AISLE_BLOCK(Vnni, AISLE_VNNI)
AISLE_BLOCK(Avx2, AISLE_AVX2)

// What GCC doesn't make of RoundWith().
[[AISLE_VNNI]] RoundedRow RoundVnni(const float* values, size_t count, float scale1, float scale2, int16_t* fine) {
  const __m512 first = _mm512_set1_ps(scale1);
  const __m512 second = _mm512_set1_ps(scale2);
  const __m512 max = _mm512_set1_ps(kMax);
  const __m512 min = _mm512_set1_ps(-kMax);
  __m512 squares = _mm512_setzero_ps();
  __m512i largest = _mm512_setzero_si512();
  for (size_t i = 0; i < count; i += kWidest) {
    const auto mask = static_cast<__mmask16>(count - i < kWidest ? (1U << (count - i)) - 1 : 0xffffU);
    __m512 value = _mm512_mul_ps(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, values + i), first), second);
    value = _mm512_min_ps(_mm512_max_ps(value, min), max);  // Of NaN they take the other one.
    const __m512i rounded = _mm512_cvtps_epi32(value);      // To the nearest.
    _mm256_mask_storeu_epi16(fine + i, mask, _mm512_cvtepi32_epi16(rounded));
    const __m512 whole = _mm512_cvtepi32_ps(rounded);
    squares = _mm512_fmadd_ps(whole, whole, squares);
    largest = _mm512_max_epi32(largest, _mm512_abs_epi32(rounded));
  }
  float parts[kWidest];
  int32_t sizes[kWidest];
  _mm512_storeu_ps(parts, squares);
  Vnni::Store(sizes, largest);
  RoundedRow row;
  for (size_t j = 0; j < kWidest; ++j) {
    row.squares += static_cast<double>(parts[j]);
    row.largest = std::max(row.largest, sizes[j]);
  }
  return row;
}
[[AISLE_AVX2]] RoundedRow RoundAvx2(const float* values, size_t count, float scale1, float scale2, int16_t* fine) {
  return RoundWith(values, count, scale1, scale2, fine);
}

Kernels Choose() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) {
    return {DotsVnni, RoundVnni, PairVnni, AddVnni};
  }
  return __builtin_cpu_supports("avx2") ? Kernels{DotsAvx2, RoundAvx2, PairAvx2, AddAvx2} : Kernels{};
}
#else
Kernels Choose() { return {}; }
#endif

const Kernels& Kernel() {
  static const Kernels kernels = Choose();
  return kernels;
}

// Rows of `count` numbers as pairs of rows [pairs, stride]; a last row without a partner is paired with zeros.
void Interleave(const int16_t* rows, size_t row_count, size_t count, size_t stride, std::vector<int32_t>& pairs) {
  const size_t pair_count = (row_count + 1) / 2;
  const std::vector<int16_t> zeros(row_count % 2 == 0 ? 0 : count);
  if (pairs.size() < pair_count * stride) pairs.resize(pair_count * stride);
  for (size_t p = 0; p < pair_count; ++p) {
    int32_t* out = pairs.data() + p * stride;
    const int16_t* first = rows + 2 * p * count;
    Kernel().pair(first, 2 * p + 1 < row_count ? first + count : zeros.data(), count, out);
    std::fill(out + count, out + stride, 0);
  }
}

}  // namespace

void DotProducts(const int16_t* a, const int16_t* rows, size_t row_count, size_t count, int32_t* dots) {
  Kernel().dots(a, rows, row_count, count, dots);
}

RoundedRow RoundRow(const float* values, size_t count, double scale, int16_t* fine) {
  const auto scale1 = static_cast<float>(std::sqrt(std::abs(scale)));
  return Kernel().round(values, count, scale1, static_cast<float>(scale / static_cast<double>(scale1)), fine);
}

ProductSums::ProductSums(size_t as, size_t bs)
    : as_(as), bs_(bs), stride_((bs + kWidest - 1) / kWidest * kWidest), sums_(as * stride_) {}

void ProductSums::Add(const int16_t* a, const int16_t* b, size_t rows) {
  if (rows == 0) return;
  Interleave(a, rows, as_, as_, a_);
  Interleave(b, rows, bs_, stride_, b_);
  Kernel().add({.a = a_.data(), .b = b_.data(), .pairs = (rows + 1) / 2, .as = as_, .stride = stride_}, sums_.data());
}

}  // namespace aisle

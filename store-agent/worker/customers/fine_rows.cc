#include "store-agent/worker/customers/fine_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "store-agent/worker/customers/integer_products.h"

namespace aisle {
namespace {

__extension__ using Wide = __int128;

constexpr double kExactMax = 0x1p53;         // Integers under it are exact in double, and so are sums that stay under.
constexpr double kRoundingTrick = 0x1.8p52;  // Adding and taking it away rounds to the nearest integer, up to 2^51.
constexpr double kWholeMax = 0x1p30;         // Of a number that isn't a row's: far over any norm that is accepted.
constexpr double kRowNormMax = 32000;        // Of a row in 16 bits; rounding may add a little.
constexpr double kRowSquaresMax = 0x1p30;    // Then dot products of rows fit in 32 bits (Cauchy and Schwarz).
constexpr size_t kStride = 16;               // Sums kept side by side, always: the same numbers give the same bits.

// Squares within these are far from where float products overflow or vanish.
constexpr double kSafeMin = 0x1p-60;
constexpr double kSafeMax = 0x1p60;

using Floats = float __attribute__((vector_size(kStride * sizeof(float))));

// The sum of all.
[[gnu::always_inline]] inline float Fold(const Floats& v) {
  const auto eight = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                     __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto four =
      __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  return (four[0] + four[1]) + (four[2] + four[3]);
}

// dots[r] = a . rows[r] for four rows, or for one.
template <size_t kRows>
[[gnu::always_inline]] inline void DotsOf(const float* a, const float* const* rows, size_t count, double* dots) {
  Floats sums[kRows] = {};
  size_t i = 0;
  for (; i + kStride <= count; i += kStride) {
    Floats one;
    std::memcpy(&one, a + i, sizeof one);
    for (size_t r = 0; r < kRows; ++r) {
      Floats other;
      std::memcpy(&other, rows[r] + i, sizeof other);
      sums[r] += one * other;
    }
  }
  if (i < count) {
    const size_t bytes = (count - i) * sizeof(float);
    Floats one = {};
    std::memcpy(&one, a + i, bytes);
    for (size_t r = 0; r < kRows; ++r) {
      Floats other = {};
      std::memcpy(&other, rows[r] + i, bytes);
      sums[r] += one * other;
    }
  }
  for (size_t r = 0; r < kRows; ++r) dots[r] = static_cast<double>(Fold(sums[r]));
}

[[gnu::always_inline]] inline void AllDotsOf(const float* a, const float* const* rows, size_t row_count, size_t count,
                                             double* dots) {
  size_t r = 0;
  for (; r + 4 <= row_count; r += 4) DotsOf<4>(a, rows + r, count, dots + r);
  for (; r < row_count; ++r) DotsOf<1>(a, rows + r, count, dots + r);
}

// fine = round(values * scale), within +-kWholeMax; the sum of its squares, exact if under kExactMax: the terms only
// grow it, so that no partial sum was over.
[[gnu::always_inline]] inline double RoundOf(const float* __restrict values, size_t count, double scale,
                                             int32_t* __restrict fine) {
  double sums[kStride] = {};
  const auto round = [&](size_t i, size_t j) __attribute__((always_inline)) {
    double value = static_cast<double>(values[i]) * scale;
    value = value > -kWholeMax ? value : -kWholeMax;  // In this order NaN becomes a number, far too large.
    value = value < kWholeMax ? value : kWholeMax;
    value = value + kRoundingTrick - kRoundingTrick;
    fine[i] = static_cast<int32_t>(value);
    sums[j] += value * value;
  };
  size_t i = 0;
  for (; i + kStride <= count; i += kStride) {
    for (size_t j = 0; j < kStride; ++j) round(i + j, j);
  }
  for (size_t j = 0; i < count; ++i, ++j) round(i, j);
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

struct Kernels {
  void (*dots)(const float*, const float* const*, size_t, size_t, double*);
  double (*round)(const float*, size_t, double, int32_t*);
};

#define AISLE_FINE_KERNELS(name, ...)                                                                   \
  __VA_ARGS__ void Dots##name(const float* a, const float* const* rows, size_t row_count, size_t count, \
                              double* dots) {                                                           \
    AllDotsOf(a, rows, row_count, count, dots);                                                         \
  }                                                                                                     \
  __VA_ARGS__ double Round##name(const float* values, size_t count, double scale, int32_t* fine) {      \
    return RoundOf(values, count, scale, fine);                                                         \
  }                                                                                                     \
  constexpr Kernels k##name = {Dots##name, Round##name};

AISLE_FINE_KERNELS(Plain)
#if defined(__x86_64__)
AISLE_FINE_KERNELS(Avx2, [[gnu::target("avx2,fma")]])
AISLE_FINE_KERNELS(Avx512, [[gnu::target("avx512f,avx512dq")]])
Kernels Choose() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return kAvx512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? kAvx2 : kPlain;
}
#else
Kernels Choose() { return kPlain; }
#endif

const Kernels& Kernel() {
  static const Kernels kernels = Choose();
  return kernels;
}

double SlowDot(const float* a, const float* b, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

bool IsSafe(double squares) { return squares >= kSafeMin && squares <= kSafeMax; }

double SquaresOf(const float* values, size_t count) {
  double squares = 0;
  Kernel().dots(values, &values, 1, count, &squares);
  return IsSafe(squares) ? squares : SlowDot(values, values, count);
}

std::vector<double> SquaresOf(const std::vector<const float*>& rows, size_t count) {
  std::vector<double> squares;
  squares.reserve(rows.size());
  for (const float* row : rows) squares.push_back(SquaresOf(row, count));
  return squares;
}

// Dot products of row `r` with those before it.
void DotsBefore(size_t r, const std::vector<const float*>& rows, const std::vector<double>& squares, size_t count,
                std::vector<double>& dots) {
  Kernel().dots(rows[r], rows.data(), r, count, dots.data());
  for (size_t s = 0; s < r; ++s) {
    if (!IsSafe(squares[r]) || !IsSafe(squares[s])) dots[s] = SlowDot(rows[r], rows[s], count);
  }
}

// sum over r, s of (g_r . g_s)(x_r . x_s).
double SquaredNorm(const FactorRows& factor) {
  const bool is_table = factor.inputs == 0;
  if (factor.g.size() == 1) {
    return SquaresOf(factor.g[0], factor.outputs) * (is_table ? 1 : SquaresOf(factor.x[0], factor.inputs));
  }
  const std::vector<double> g_squares = SquaresOf(factor.g, factor.outputs);
  const std::vector<double> x_squares =
      is_table ? std::vector<double>(factor.g.size(), 1) : SquaresOf(factor.x, factor.inputs);
  std::vector<double> g_dots(factor.g.size());
  std::vector<double> x_dots(factor.g.size());
  double squares = 0;
  for (size_t r = 0; r < factor.g.size(); ++r) {
    squares += x_squares[r] * g_squares[r];
    if (r == 0) continue;
    if (is_table) {
      for (size_t s = 0; s < r; ++s) {
        if (factor.ids[r] == factor.ids[s]) squares += 2 * SlowDot(factor.g[r], factor.g[s], factor.outputs);
      }
      continue;
    }
    DotsBefore(r, factor.g, g_squares, factor.outputs, g_dots);
    DotsBefore(r, factor.x, x_squares, factor.inputs, x_dots);
    for (size_t s = 0; s < r; ++s) squares += 2 * x_dots[s] * g_dots[s];
  }
  return squares;
}

// The sum of squares of round(values * scale) to `squares`; false if it isn't small enough to be exact.
bool RoundWhole(const float* values, size_t count, double scale, int32_t* fine, double& squares) {
  squares = Kernel().round(values, count, scale, fine);
  return squares < kExactMax;
}

// Rows of a table: those with one id are one row of the gradient.
bool RoundTable(const FactorRows& factor, double scale, Wide& squares) {
  const size_t width = factor.outputs;
  std::vector<std::pair<int64_t, size_t>> order;
  for (size_t r = 0; r < factor.g.size(); ++r) {
    double row_squares = 0;
    if (!RoundWhole(factor.g[r], width, scale, factor.fine_table + r * width, row_squares)) return false;
    order.emplace_back(factor.ids[r], r);
  }
  std::ranges::sort(order);
  std::vector<int64_t> sum(width);
  for (size_t k = 0; k < order.size(); ++k) {
    const auto [id, r] = order[k];
    for (size_t j = 0; j < width; ++j) sum[j] += factor.fine_table[r * width + j];
    if (k + 1 < order.size() && order[k + 1].first == id) continue;
    for (int64_t& value : sum) squares += static_cast<Wide>(value) * std::exchange(value, 0);
  }
  return true;
}

// Scales for x_r and g_r, whose product is `scale`: so that both lose alike by rounding, as far as 16 bits allow.
struct RowScales {
  double x = 0;
  double g = 0;
};
bool ScalesFor(double x_squares, double g_squares, const FactorRows& factor, double scale, RowScales& scales) {
  const double x_norm = std::sqrt(x_squares);
  const double product = x_norm * std::sqrt(g_squares) * std::abs(scale);
  if (!(product <= kRowNormMax * kRowNormMax)) return false;
  const double shape = std::sqrt(static_cast<double>(factor.inputs) / static_cast<double>(factor.outputs));
  const double wanted = std::clamp(std::sqrt(product * shape), product / kRowNormMax, kRowNormMax);
  scales.x = wanted / x_norm;
  scales.g = scale / scales.x;
  return scales.x > 0 && std::isfinite(scales.x) && scales.g != 0 && std::isfinite(scales.g);
}

bool RoundRows(const FactorRows& factor, double scale) {
  for (size_t r = 0; r < factor.g.size(); ++r) {
    int16_t* x = factor.fine_x + r * factor.inputs;
    int16_t* g = factor.fine_g + r * factor.outputs;
    const double x_squares = SquaresOf(factor.x[r], factor.inputs);
    const double g_squares = SquaresOf(factor.g[r], factor.outputs);
    if (!std::isfinite(x_squares) || !std::isfinite(g_squares)) return false;
    if (x_squares == 0 || g_squares == 0) {  // Their product is zero, whatever the scale.
      std::fill_n(x, factor.inputs, int16_t{0});
      std::fill_n(g, factor.outputs, int16_t{0});
      factor.loads[r] = 0;
      continue;
    }
    RowScales scales;
    if (!ScalesFor(x_squares, g_squares, factor, scale, scales)) return false;
    const RoundedRow fine_x = RoundRow(factor.x[r], factor.inputs, scales.x, x);
    const RoundedRow fine_g = RoundRow(factor.g[r], factor.outputs, scales.g, g);
    if (!(fine_x.squares <= kRowSquaresMax) || !(fine_g.squares <= kRowSquaresMax)) return false;
    factor.loads[r] = fine_x.largest * fine_g.largest;
  }
  return true;
}

constexpr size_t kFew = 8;

bool RoundProducts(const FactorRows& factor, double scale, Wide& squares) {
  if (!RoundRows(factor, scale)) return false;
  const size_t rows = factor.g.size();
  int32_t few[2 * kFew];
  std::vector<int32_t> many(rows > kFew ? 2 * rows : 0);
  int32_t* x_dots = many.empty() ? few : many.data();
  int32_t* g_dots = x_dots + std::max(rows, kFew);
  for (size_t r = 0; r < rows; ++r) {
    DotProducts(factor.fine_x + r * factor.inputs, factor.fine_x, r + 1, factor.inputs, x_dots);
    DotProducts(factor.fine_g + r * factor.outputs, factor.fine_g, r + 1, factor.outputs, g_dots);
    for (size_t s = 0; s < r; ++s) squares += Wide{2} * (static_cast<int64_t>(x_dots[s]) * g_dots[s]);
    squares += static_cast<int64_t>(x_dots[r]) * g_dots[r];
  }
  return true;
}

}  // namespace

double NormOf(const UnitRows& unit) {
  double squares = SquaresOf(unit.rest.data(), unit.rest.size());
  for (const FactorRows& factor : unit.factors) squares += SquaredNorm(factor);
  return squares > 0 ? std::sqrt(squares) : squares * 0;  // Rounding may leave a zero below zero; NaN stays NaN.
}

bool MakeFine(const UnitRows& unit, double scale, double norm_max) {
  AISLE_CHECK(norm_max <= kFineNormMax, "a norm of {} on the fine grid", norm_max);
  double rest = 0;
  if (!RoundWhole(unit.rest.data(), unit.rest.size(), scale, unit.fine_rest.data(), rest)) return false;
  Wide squares = static_cast<Wide>(rest);
  for (const FactorRows& factor : unit.factors) {
    if (!(factor.inputs == 0 ? RoundTable(factor, scale, squares) : RoundProducts(factor, scale, squares)))
      return false;
  }
  const auto limit = static_cast<Wide>(norm_max);
  return norm_max > 0 && squares <= limit * limit;
}

}  // namespace aisle

#include "store-agent/worker/customers/fine_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace aisle {
namespace {

__extension__ using Wide = __int128;

constexpr double kExactMax = 0x1p53;  // Integers under it are exact in double, and so are sums that stay under it.
constexpr double kRoundingTrick = 0x1.8p52;  // Adding and taking it away rounds to the nearest integer, up to 2^51.
constexpr double kUpward = 1 + 0x1p-40;      // Covers the rounding of a product of square roots.
constexpr size_t kStride = 16;               // Sums kept side by side, always: the same numbers give the same bits.

// The dot product in double.
template <typename T>
[[gnu::always_inline]] inline double DotOf(const T* __restrict a, const T* __restrict b, size_t count) {
  double sums[kStride] = {};
  size_t i = 0;
  for (; i + kStride <= count; i += kStride) {
    for (size_t j = 0; j < kStride; ++j) sums[j] += static_cast<double>(a[i + j]) * static_cast<double>(b[i + j]);
  }
  for (size_t j = 0; i < count; ++i, ++j) sums[j] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  for (size_t half = kStride / 2; half > 0; half /= 2) {
    for (size_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0];
}

// fine = round(values * scale); the sum of its squares, exact if under kExactMax: the terms only grow it, so that no
// partial sum was over.
[[gnu::always_inline]] inline double RoundOf(const float* __restrict values, size_t count, double scale,
                                             double* __restrict fine) {
  double sums[kStride] = {};
  size_t i = 0;
  for (; i + kStride <= count; i += kStride) {
    for (size_t j = 0; j < kStride; ++j) {
      const double rounded = static_cast<double>(values[i + j]) * scale + kRoundingTrick - kRoundingTrick;
      fine[i + j] = rounded;
      sums[j] += rounded * rounded;
    }
  }
  for (size_t j = 0; i < count; ++i, ++j) {
    fine[i] = static_cast<double>(values[i]) * scale + kRoundingTrick - kRoundingTrick;
    sums[j] += fine[i] * fine[i];
  }
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

struct Kernels {
  double (*dot)(const float*, const float*, size_t);
  double (*dot_fine)(const double*, const double*, size_t);
  double (*round)(const float*, size_t, double, double*);
};

#define AISLE_FINE_KERNELS(name, ...)                                                                             \
  __VA_ARGS__ double Dot##name(const float* a, const float* b, size_t count) { return DotOf(a, b, count); }       \
  __VA_ARGS__ double DotFine##name(const double* a, const double* b, size_t count) { return DotOf(a, b, count); } \
  __VA_ARGS__ double Round##name(const float* values, size_t count, double scale, double* fine) {                 \
    return RoundOf(values, count, scale, fine);                                                                   \
  }                                                                                                               \
  constexpr Kernels k##name = {Dot##name, DotFine##name, Round##name};

AISLE_FINE_KERNELS(Plain)
#if defined(__x86_64__)
AISLE_FINE_KERNELS(Avx2, [[gnu::target("avx2")]])
AISLE_FINE_KERNELS(Avx512, [[gnu::target("avx512f,avx512dq")]])
Kernels Choose() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return kAvx512;
  return __builtin_cpu_supports("avx2") ? kAvx2 : kPlain;
}
#else
Kernels Choose() { return kPlain; }
#endif

const Kernels& Kernel() {
  static const Kernels kernels = Choose();
  return kernels;
}

double SquaredNorm(const float* values, size_t count) { return Kernel().dot(values, values, count); }

// sum over r, s of (g_r . g_s)(x_r . x_s).
double SquaredNorm(const FactorRows& factor) {
  double squares = 0;
  for (size_t r = 0; r < factor.g.size(); ++r) {
    for (size_t s = 0; s <= r; ++s) {
      const bool is_table = factor.inputs == 0;
      if (is_table && factor.ids[r] != factor.ids[s]) continue;
      const double inputs = is_table ? 1 : Kernel().dot(factor.x[r], factor.x[s], factor.inputs);
      squares += (s < r ? 2 : 1) * inputs * Kernel().dot(factor.g[r], factor.g[s], factor.outputs);
    }
  }
  return squares;
}

struct Exact {
  Wide squares = 0;
  double load = 0;
};

// Of numbers that may be too large for their squares to add up exactly in double.
bool AddSquares(const double* fine, size_t count, Exact& exact) {
  for (size_t i = 0; i < count; ++i) {
    if (!(std::abs(fine[i]) <= kLoadMax)) return false;
    const auto value = static_cast<int64_t>(fine[i]);
    exact.squares += static_cast<Wide>(value) * value;
  }
  return true;
}

// Rows of a table: those with one id are one row of the gradient.
bool RoundTable(const FactorRows& factor, double scale, Exact& exact) {
  std::map<int64_t, std::vector<double>> rows;
  double load = 0;
  for (size_t r = 0; r < factor.g.size(); ++r) {
    load += std::sqrt(Kernel().round(factor.g[r], factor.outputs, scale, factor.fine_g[r])) * kUpward;
    if (!(load <= kLoadMax)) return false;
    std::vector<double>& row = rows[factor.ids[r]];
    row.resize(factor.outputs);
    for (size_t j = 0; j < factor.outputs; ++j) row[j] += factor.fine_g[r][j];
  }
  for (const auto& [id, row] : rows) {
    if (!AddSquares(row.data(), row.size(), exact)) return false;
  }
  exact.load = std::max(exact.load, load);
  return true;
}

// How x is scaled so that x~ and g~ lose alike by rounding, with x~ g~^T on the grid of scale * x g^T.
double Balance(double x_squares, double g_squares, const FactorRows& factor, double scale) {
  const double shape = std::sqrt(static_cast<double>(factor.inputs) / static_cast<double>(factor.outputs));
  return std::sqrt(std::sqrt(g_squares) * scale / std::sqrt(x_squares) * shape);
}

void Zero(double* fine, size_t count) { std::fill_n(fine, count, 0.0); }

bool RoundProducts(const FactorRows& factor, double scale, Exact& exact) {
  std::vector<double> x_norms(factor.g.size());
  std::vector<double> g_norms(factor.g.size());
  double load = 0;
  for (size_t r = 0; r < factor.g.size(); ++r) {
    const double x_squares = SquaredNorm(factor.x[r], factor.inputs);
    const double g_squares = SquaredNorm(factor.g[r], factor.outputs);
    if (x_squares == 0 || g_squares == 0) {  // Their product is zero, whatever the scale.
      Zero(factor.fine_x[r], factor.inputs);
      Zero(factor.fine_g[r], factor.outputs);
      continue;
    }
    const double x_scale = Balance(x_squares, g_squares, factor, std::abs(scale));
    if (!(x_scale > 0) || !std::isfinite(x_scale)) return false;
    x_norms[r] = Kernel().round(factor.x[r], factor.inputs, x_scale, factor.fine_x[r]);
    g_norms[r] = Kernel().round(factor.g[r], factor.outputs, scale / x_scale, factor.fine_g[r]);
    if (!(x_norms[r] < kExactMax) || !(g_norms[r] < kExactMax)) return false;
    load += std::sqrt(x_norms[r]) * std::sqrt(g_norms[r]) * kUpward;
    if (!(load <= kLoadMax)) return false;
  }
  // By Cauchy and Schwarz every partial sum of these dot products is under 2^53, so they are exact; and all pairs add
  // up to at most load^2 = 2^80.
  for (size_t r = 0; r < factor.g.size(); ++r) {
    if (x_norms[r] == 0 || g_norms[r] == 0) continue;
    exact.squares += static_cast<Wide>(static_cast<int64_t>(x_norms[r])) * static_cast<int64_t>(g_norms[r]);
    for (size_t s = 0; s < r; ++s) {
      if (x_norms[s] == 0 || g_norms[s] == 0) continue;
      const double inputs = Kernel().dot_fine(factor.fine_x[r], factor.fine_x[s], factor.inputs);
      const double outputs = Kernel().dot_fine(factor.fine_g[r], factor.fine_g[s], factor.outputs);
      exact.squares += 2 * static_cast<Wide>(static_cast<int64_t>(inputs)) * static_cast<int64_t>(outputs);
    }
  }
  exact.load = std::max(exact.load, load);
  return true;
}

}  // namespace

double NormOf(const UnitRows& unit) {
  double squares = SquaredNorm(unit.rest.data(), unit.rest.size());
  for (const FactorRows& factor : unit.factors) squares += SquaredNorm(factor);
  return squares > 0 ? std::sqrt(squares) : squares * 0;  // Rounding may leave a zero below zero; NaN stays NaN.
}

bool MakeFine(const UnitRows& unit, double scale, double norm_max, double& load) {
  Exact exact;
  const double rest = Kernel().round(unit.rest.data(), unit.rest.size(), scale, unit.fine_rest.data());
  exact.load = std::sqrt(rest) * kUpward;
  if (!(exact.load <= kLoadMax) || !AddSquares(unit.fine_rest.data(), unit.rest.size(), exact)) return false;
  for (const FactorRows& factor : unit.factors) {
    if (!(factor.inputs == 0 ? RoundTable(factor, scale, exact) : RoundProducts(factor, scale, exact))) return false;
  }
  load = exact.load;
  const auto limit = static_cast<Wide>(std::min(norm_max, kLoadMax));
  return norm_max > 0 && exact.squares <= limit * limit;
}

}  // namespace aisle

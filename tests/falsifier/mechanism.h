// What the tests of this folder share: a grid to work on, secret streams with fixed seeds, and numbers out of vectors.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/random.h"
#include "privacy/release.h"
#include "privacy/unit_sum.h"

namespace aisle {

// The chance that a true claim is refuted, for each verdict of this folder on a seed not yet looked at. There are fewer
// than a hundred verdicts, so the whole folder would cry wolf once in 10,000 new sets of seeds.
inline constexpr double kFalseAlarms = 1e-6;

struct Grid {
  UpdateShape shape;
  Quantizer quantizer;
  double clip() const { return quantizer.clip_norm(); }
  double delta() const { return static_cast<double>(quantizer.scale()); }
};

// Parameters and metric slots, clipped together to 1.
inline Grid MakeGrid(size_t parameters, std::vector<double> bounds = {}, double noise_multiplier = 1) {
  const double share = bounds.empty() ? 0 : 0.3;
  const UpdateShape shape =
      UpdateShape::Make(
          {.parameter_count = parameters, .metric_bounds = std::move(bounds), .clip_norm = 1, .metric_share = share})
          .value();
  return {shape, Quantizer::Make({.clip_norm = 1,
                                  .length = shape.length(),
                                  .addends_max = 10,
                                  .noise_multiplier = noise_multiplier,
                                  .units_expected = 30})
                     .value()};
}

inline AesCtrStream Stream(uint8_t seed, std::string_view purpose) {
  return {SecretBytes::CopyOf(std::string(32, static_cast<char>(seed))), purpose};
}

// <a, b> / |b|: for a Gaussian of any dimension, what lies along the difference of two inputs is all that helps to tell
// them apart.
template <typename A, typename B>
double Along(std::span<const A> a, std::span<const B> b) {
  double product = 0;
  double squares = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    product += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    squares += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return squares == 0 ? 0 : product / std::sqrt(squares);
}

inline std::vector<int32_t> Centered(std::span<const uint32_t> released) { return {released.begin(), released.end()}; }

// Exactly: is |a - b| at most Delta?
inline bool AreWithinDelta(std::span<const int32_t> a, std::span<const int32_t> b, int64_t delta) {
  __extension__ using Wide = unsigned __int128;
  Wide squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const int64_t difference = int64_t{a[i]} - b[i];
    squares += static_cast<Wide>(difference * difference);
  }
  return squares <= static_cast<Wide>(delta) * static_cast<Wide>(delta);
}

}  // namespace aisle

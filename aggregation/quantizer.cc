#include "aggregation/quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "aggregation/layout.h"
#include "aggregation/norm.h"
#include "aggregation/update_shape.h"
#include "base/check.h"

namespace aisle {
namespace {

constexpr int64_t kScaleDefault = int64_t{1} << 16;
constexpr int64_t kScaleMin = int64_t{1} << 6;
constexpr size_t kLengthOfDefault = size_t{1} << 24;
constexpr double kHeadroomInSigmas = 6;  // Noise passes +-6 sigma about twice in 10^9 draws.
constexpr double kUnitsPiledMax = 64;

__extension__ using Wide = unsigned __int128;  // 2^28 squares of 2^62 need 90 bits.

Status CheckOptions(const QuantizerOptions& options) {
  if (!(options.clip_norm >= 1e-6 && options.clip_norm <= 1e6)) {
    return InvalidArgument("clip_norm is {}; it must be from 1e-6 to 1e6", options.clip_norm);
  }
  if (options.length == 0 || options.length > kElementsMax + kMetricsMax) {
    return InvalidArgument("an update has {} coordinates; it must have 1 to {}", options.length,
                           kElementsMax + kMetricsMax);
  }
  if (options.addends_max == 0) return InvalidArgument("addends_max is 0; a sum has at least one addend");
  if (!(options.noise_multiplier >= 0 && options.noise_multiplier <= 1024)) {
    return InvalidArgument("noise_multiplier is {}; it must be from 0 to 1024", options.noise_multiplier);
  }
  return OkStatus();
}

int64_t ScaleFor(size_t length) {
  int64_t scale = kScaleDefault;
  for (size_t limit = kLengthOfDefault; length > limit; limit *= 4) scale *= 2;
  return scale;
}

bool Fits(int64_t scale, const QuantizerOptions& options, int32_t coordinate_max) {
  const double units = std::clamp(options.units_expected, 1.0, kUnitsPiledMax);
  return static_cast<double>(scale) * (units + kHeadroomInSigmas * options.noise_multiplier) <= coordinate_max;
}

Wide SumOfSquares(std::span<const int32_t> values) {
  Wide total = 0;
  for (const int32_t value : values) {
    const int64_t wide = value;
    total += static_cast<uint64_t>(wide * wide);
  }
  return total;
}

bool WithinNorm(std::span<const int32_t> values, int64_t norm_max) {
  return SumOfSquares(values) <= static_cast<Wide>(norm_max) * static_cast<Wide>(norm_max);
}

}  // namespace

StatusOr<Quantizer> Quantizer::Make(const QuantizerOptions& options) {
  AISLE_RETURN_IF_ERROR(CheckOptions(options));
  Quantizer quantizer;
  quantizer.clip_norm_ = options.clip_norm;
  quantizer.length_ = options.length;
  quantizer.addends_max_ = options.addends_max;
  quantizer.coordinate_max_ =
      static_cast<int32_t>(static_cast<uint32_t>(std::numeric_limits<int32_t>::max()) / options.addends_max);
  int64_t scale = ScaleFor(options.length);
  while (scale >= kScaleMin && !Fits(scale, options, quantizer.coordinate_max_)) scale /= 2;
  if (scale < kScaleMin) {
    return InvalidArgument(
        "{} updates with a noise multiplier of {} don't fit into 32 bits; sum fewer or use less noise",
        options.addends_max, options.noise_multiplier);
  }
  quantizer.scale_ = scale;
  quantizer.unit_ = options.clip_norm / static_cast<double>(scale);
  return quantizer;
}

SecretVector<int32_t> Quantizer::Quantize(std::span<const float> values) const {
  AISLE_CHECK(values.size() == length_, "{} values for a quantizer of {}", values.size(), length_);
  SecretVector<int32_t> quantized(length_);
  const double norm = L2Norm(values);
  if (!std::isfinite(norm) || norm == 0) return quantized;

  // Within the norm the factor is the plain one. Over it, the vector is brought to just under Delta; 2^-20 covers every
  // rounding on the way. A vector within rounding of C can still come out over Delta, hence the check and second try.
  const double delta = static_cast<double>(scale_);
  const double shrunk = delta / norm * (1 - 0x1p-20);
  double factor = norm <= clip_norm_ ? delta / clip_norm_ : shrunk;
  for (int attempt = 0; attempt < 2; ++attempt, factor = std::min(factor, shrunk)) {
    std::ranges::transform(values, quantized.Mutable().begin(), [factor](float value) {
      return static_cast<int32_t>(static_cast<double>(value) * factor);  // A cast truncates toward zero.
    });
    if (WithinNorm(quantized.Reveal(), scale_)) return quantized;
  }
  AISLE_CHECK(false, "a vector scaled under the norm is still over it");
  return quantized;
}

Status Quantizer::CheckNorm(std::span<const int32_t> quantized) const {
  if (quantized.size() != length_) {
    return InvalidArgument("an update of {} coordinates where the plan has {}", quantized.size(), length_);
  }
  if (!WithinNorm(quantized, scale_)) {
    return InvalidArgument("an update is over the clipping norm of {} (integer norm {}); it must be clipped first",
                           clip_norm_, scale_);
  }
  return OkStatus();
}

}  // namespace aisle

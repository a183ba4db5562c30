#include "privacy/unit_sum.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "aggregation/norm.h"
#include "base/check.h"

namespace aisle {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr double kRoundingRoom = 1 - 0x1p-20;  // Covers every float rounding between a norm and its integers.
constexpr float kScaledMax = 0x1p24F;          // Far over Delta: only a wrong norm gets there, and fails the check.
constexpr int64_t kSumMax = std::numeric_limits<int32_t>::max();
constexpr size_t kBlock = 4096;   // Squares of 2^24 add up to 2^60 at most: no wrap inside a block.
constexpr int kTotalBitsMin = 2;  // Then 32-bit totals are under 2^29 on the grid, which is always free in `recent_`.

// sum += sign * truncate(value * factor); returns the sum of squares.
[[gnu::always_inline]] inline uint64_t ScaleAndAdd(const float* __restrict values, size_t count, float factor,
                                                   int32_t sign, int32_t* __restrict sum) {
  uint64_t squares = 0;
  for (size_t i = 0; i < count; ++i) {
    float value = values[i] * factor;
    value = value > -kScaledMax ? value : -kScaledMax;  // In this order NaN becomes a number, too.
    value = value < kScaledMax ? value : kScaledMax;
    const auto scaled = static_cast<int32_t>(value);  // A cast truncates toward zero.
    sum[i] += sign * scaled;
    squares += static_cast<uint64_t>(static_cast<int64_t>(scaled) * scaled);
  }
  return squares;
}

// sum += totals / 2^bits, truncated toward zero.
[[gnu::always_inline]] inline void ShiftAndAdd(const int32_t* __restrict totals, size_t count, int bits,
                                               int32_t* __restrict sum) {
  const int32_t up = (int32_t{1} << bits) - 1;
  for (size_t i = 0; i < count; ++i) {
    const int32_t negative = totals[i] >> 31;  // All ones.
    sum[i] += (totals[i] + (negative & up)) >> bits;
  }
}

struct Kernels {
  uint64_t (*scale_and_add)(const float*, size_t, float, int32_t, int32_t*);
  void (*shift_and_add)(const int32_t*, size_t, int, int32_t*);
};

#define AISLE_SUM_KERNELS(name, ...)                                                                              \
  __VA_ARGS__ uint64_t Scale##name(const float* values, size_t count, float factor, int32_t sign, int32_t* sum) { \
    return ScaleAndAdd(values, count, factor, sign, sum);                                                         \
  }                                                                                                               \
  __VA_ARGS__ void Shift##name(const int32_t* totals, size_t count, int bits, int32_t* sum) {                     \
    ShiftAndAdd(totals, count, bits, sum);                                                                        \
  }                                                                                                               \
  constexpr Kernels k##name = {Scale##name, Shift##name};

AISLE_SUM_KERNELS(Plain)
#if defined(__x86_64__)
AISLE_SUM_KERNELS(Avx2, [[gnu::target("avx2")]])
AISLE_SUM_KERNELS(Avx512, [[gnu::target("avx512f,avx512dq")]])
Kernels ChooseKernels() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return kAvx512;
  return __builtin_cpu_supports("avx2") ? kAvx2 : kPlain;
}
#else
Kernels ChooseKernels() { return kPlain; }
#endif

const Kernels& Kernel() {
  static const Kernels kernels = ChooseKernels();
  return kernels;
}

Wide AddScaled(std::span<const float> values, float factor, int32_t sign, std::span<int32_t> sum) {
  Wide squares = 0;
  for (size_t at = 0; at < values.size(); at += kBlock) {
    const size_t count = std::min(kBlock, values.size() - at);
    squares += Kernel().scale_and_add(values.data() + at, count, factor, sign, sum.data() + at);
  }
  return squares;
}

}  // namespace

UnitSum::UnitSum(const UpdateShape& shape, const Quantizer& quantizer) : shape_(shape), quantizer_(quantizer) {
  AISLE_CHECK(shape.length() == quantizer.length(), "an update of {} on a grid of {}", shape.length(),
              quantizer.length());
  while (quantizer.scale() << (fine_bits_ + 1) <= int64_t{1} << kFineNormBits) ++fine_bits_;
  const double room = std::sqrt(static_cast<double>(shape.parameter_count()));
  fine_norm_max_ = std::max(0.0, shape.parameter_clip() * Factor() * kRoundingRoom - room) *
                   static_cast<double>(int64_t{1} << fine_bits_);
  adds_max_ = static_cast<size_t>(std::numeric_limits<int32_t>::max() / (2 * quantizer.scale()));
}

double UnitSum::Factor() const { return static_cast<double>(quantizer_.scale()) / quantizer_.clip_norm(); }

// Slots of a unit's metrics, clipped as ClippedUpdate does it.
std::vector<float> UnitSum::SlotsOf(std::span<const double> metrics) const {
  std::vector<float> slots(metrics.size());
  for (size_t j = 0; j < metrics.size(); ++j) slots[j] = shape_.MetricSlot(j, metrics[j]);
  return slots;
}

Status UnitSum::CheckMetrics(std::span<const double> metrics) const {
  if (metrics.size() == shape_.metric_count()) return OkStatus();
  return InvalidArgument("a unit has {} metrics where the plan has {}", metrics.size(), shape_.metric_count());
}

Status UnitSum::Add(std::span<const float> deltas, double norm, std::span<const double> metrics) {
  AISLE_RETURN_IF_ERROR(CheckMetrics(metrics));
  if (deltas.size() != shape_.parameter_count()) {
    return InvalidArgument("a unit's vector has {} coordinates where the plan has {}", deltas.size(),
                           shape_.parameter_count());
  }
  if (!std::isfinite(norm)) return OkStatus();
  MakeRoom();
  const std::span<int32_t> parameters = Recent().first(deltas.size());
  const std::span<int32_t> slots_sum = Recent().subspan(deltas.size());
  const std::vector<float> slots = SlotsOf(metrics);
  const Wide limit = static_cast<Wide>(quantizer_.scale()) * static_cast<Wide>(quantizer_.scale());
  const double slot_factor = Factor() * kRoundingRoom;
  double factor =
      norm <= shape_.parameter_clip() ? Factor() : Factor() * shape_.parameter_clip() / norm * kRoundingRoom;
  // Within rounding of the clip, or with a norm that the caller got wrong, the integers may come out over Delta: then
  // they are taken back and scaled by a norm measured here.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto used = static_cast<float>(factor);
    const Wide squares =
        AddScaled(deltas, used, 1, parameters) + AddScaled(slots, static_cast<float>(slot_factor), 1, slots_sum);
    if (squares <= limit) return OkStatus();
    AddScaled(deltas, used, -1, parameters);
    AddScaled(slots, static_cast<float>(slot_factor), -1, slots_sum);
    const double measured = L2Norm(deltas);
    if (!std::isfinite(measured)) return OkStatus();
    factor = std::min(factor, Factor() * shape_.parameter_clip() / measured) * kRoundingRoom;
  }
  AISLE_CHECK(false, "a vector scaled under the norm is still over it");
  return OkStatus();
}

void UnitSum::AddFineTotals(size_t begin, std::span<const int32_t> totals) {
  AISLE_CHECK(begin + totals.size() <= shape_.parameter_count());
  if (fine_bits_ < kTotalBitsMin || settled_.size() > 0) {
    AddFineTotals(begin, std::vector<int64_t>(totals.begin(), totals.end()));
    return;
  }
  Kernel().shift_and_add(totals.data(), totals.size(), fine_bits_, Recent().data() + begin);
}

void UnitSum::AddFineTotals(size_t begin, std::span<const int64_t> totals) {
  AISLE_CHECK(begin + totals.size() <= shape_.parameter_count());
  const auto is_small = [](int64_t total) { return std::abs(total) <= std::numeric_limits<int32_t>::max(); };
  if (fine_bits_ >= kTotalBitsMin && settled_.size() == 0 && std::ranges::all_of(totals, is_small)) {
    AddFineTotals(begin, std::vector<int32_t>(totals.begin(), totals.end()));
    return;
  }
  if (settled_.size() == 0) Settle();
  const int64_t step = int64_t{1} << fine_bits_;
  const std::span<int64_t> sum = settled_.Mutable().subspan(begin, totals.size());
  for (size_t i = 0; i < totals.size(); ++i) sum[i] += totals[i] / step;  // Truncates toward zero.
}

Status UnitSum::AddMetrics(std::span<const double> metrics) {
  AISLE_RETURN_IF_ERROR(CheckMetrics(metrics));
  MakeRoom();
  AddScaled(SlotsOf(metrics), static_cast<float>(Factor() * kRoundingRoom), 1,
            Recent().subspan(shape_.parameter_count()));
  return OkStatus();
}

std::span<int32_t> UnitSum::Recent() {
  if (recent_.size() == 0) recent_ = SecretVector<int32_t>(length());
  return recent_.Mutable();
}

void UnitSum::MakeRoom() {
  if (adds_++ < adds_max_) return;
  Settle();
  adds_ = 1;
}

// Moves what `recent_` holds to where there is room for 2^63.
void UnitSum::Settle() {
  if (settled_.size() == 0) settled_ = SecretVector<int64_t>(length());
  for (size_t i = 0; i < recent_.size(); ++i) settled_.Mutable()[i] += std::exchange(recent_.Mutable()[i], 0);
  adds_ = 0;
}

SecretVector<int64_t> UnitSum::SoFar() const {
  SecretVector<int64_t> so_far(length());
  std::ranges::copy(settled_.Reveal(), so_far.Mutable().begin());
  for (size_t i = 0; i < recent_.size(); ++i) so_far.Mutable()[i] += recent_.Reveal()[i];
  return so_far;
}

void UnitSum::TakeUp(std::span<const int64_t> so_far) {
  AISLE_CHECK(so_far.size() == length() && recent_.size() == 0 && settled_.size() == 0);
  settled_ = SecretVector<int64_t>(std::vector<int64_t>(so_far.begin(), so_far.end()));
}

SecretVector<int32_t> UnitSum::Take() {
  SecretVector<int32_t> taken;
  if (settled_.size() > 0) {
    Settle();
    taken = SecretVector<int32_t>(length());
    std::ranges::transform(settled_.Reveal(), taken.Mutable().begin(),
                           [](int64_t value) { return static_cast<int32_t>(std::clamp(value, -kSumMax, kSumMax)); });
    settled_.Clear();
  } else {
    Recent();
    std::swap(taken, recent_);
  }
  adds_ = 0;
  return taken;
}

}  // namespace aisle

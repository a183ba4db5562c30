#include "store-agent/agent/backoff.h"

#include <algorithm>

namespace aisle::agent {
namespace {

constexpr uint32_t kDoublingsMax = 16;  // 200 ms * 2^16 is far beyond the cap.

}  // namespace

absl::Duration Backoff::Next(RandomSource& random) {
  const absl::Duration ceiling = std::min(kBackoffCap, kBackoffBase * (1 << std::min(failures_, kDoublingsMax)));
  ++failures_;
  return random.Fraction() * ceiling;
}

}  // namespace aisle::agent

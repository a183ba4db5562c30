#include "aggregation/norm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace aisle {

double L2Norm(std::span<const float> values) {
  constexpr size_t kBlock = 4096;
  double total = 0;
  for (size_t at = 0; at < values.size(); at += kBlock) {
    double block = 0;
    for (const float value : values.subspan(at, std::min(kBlock, values.size() - at))) {
      block += static_cast<double>(value) * static_cast<double>(value);
    }
    total += block;
  }
  return std::sqrt(total);
}

}  // namespace aisle

#include "aggregation/model_average.h"

#include <algorithm>

namespace aisle {

Status MoveAverage(std::span<float> average, std::span<const float> model, uint64_t round, uint32_t rounds) {
  if (average.size() != model.size()) {
    return InvalidArgument("an average of {} parameters can't take in a model of {}", average.size(), model.size());
  }
  if (round == 0 || rounds == 0 || rounds > kAverageRoundsMax) {
    return InvalidArgument("round {} in an average over {} rounds; rounds count from 1, and the most is {}", round,
                           rounds, kAverageRoundsMax);
  }
  const auto weight = static_cast<double>(std::min<uint64_t>(round, rounds));
  std::ranges::transform(average, model, average.begin(), [weight](float a, float x) {
    return weight == 1 ? x : static_cast<float>(a + (static_cast<double>(x) - a) / weight);
  });
  return OkStatus();
}

}  // namespace aisle

#include "tests/falsifier/customers.h"

#include "aggregation/norm.h"
#include "base/check.h"
#include "privacy/noise.h"
#include "privacy/unit_sampler.h"

namespace aisle {

std::vector<float> Axis(const Grid& grid, size_t axis, double norm) {
  std::vector<float> vector(grid.shape.parameter_count());
  vector[axis] = static_cast<float>(norm);
  return vector;
}

std::vector<int32_t> SumOf(const Grid& grid, const Customers& customers) {
  UnitSum sum(grid.shape, grid.quantizer);
  for (const std::vector<float>& vector : customers) AISLE_CHECK(sum.Add(vector, L2Norm(vector), {}).ok());
  const auto taken = sum.Take();
  return {taken.Reveal().begin(), taken.Reveal().end()};
}

std::vector<double> Noised(const Grid& grid, double z, const std::vector<int32_t>& clean, RandomSource& noise) {
  const auto integers = WithNoise(clean, z, grid.quantizer, noise).value();
  std::vector<double> noised;
  for (const int64_t value : integers.Reveal()) noised.push_back(static_cast<double>(value) / grid.delta());
  return noised;
}

Customers Drawn(const Customers& customers, double q, RandomSource& coins) {
  Customers drawn;
  for (const size_t i : UnitSampler::Make(q).value().Draw(customers.size(), coins)) drawn.push_back(customers[i]);
  return drawn;
}

Customers Neighbours::Held(bool with) const {
  Customers held = others;
  if (with) held.push_back(target);
  return held;
}

double Neighbours::Step(bool with, RandomSource& coins, RandomSource& noise) const {
  return Noised(grid, z, SumOf(grid, Drawn(Held(with), q, coins)), noise)[0];
}

Runs Neighbours::Steps(size_t count, uint8_t seed) const {
  AesCtrStream coins = Stream(seed, "coins");
  AesCtrStream noise = Stream(seed, "noise");
  return RunBoth(count, [&](bool with) { return Step(with, coins, noise); });
}

}  // namespace aisle

// One step of mode customer as the pure code does it: secret coins, clipped vectors, one sum, one draw of noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "tests/falsifier/falsifier.h"
#include "tests/falsifier/mechanism.h"

namespace aisle {

// A store's customers, one vector each.
using Customers = std::vector<std::vector<float>>;

// Vectors of norm `norm` along coordinate `axis`.
std::vector<float> Axis(const Grid& grid, size_t axis, double norm);

// The sum of the given customers' vectors, clipped and on the grid; without noise.
std::vector<int32_t> SumOf(const Grid& grid, const Customers& customers);

// `clean` plus noise of std z * Delta, in units of Delta.
std::vector<double> Noised(const Grid& grid, double z, const std::vector<int32_t>& clean, RandomSource& noise);

// Those of `customers` whom the sampler draws.
Customers Drawn(const Customers& customers, double q, RandomSource& coins);

// A store, one customer more or less, and what our code makes of it.
struct Neighbours {
  Grid grid;
  Customers others;
  std::vector<float> target;  // Along coordinate 0.
  double q = 1;
  double z = 1;

  Customers Held(bool with) const;
  // Coordinate 0 of one released sum, in units of Delta.
  double Step(bool with, RandomSource& coins, RandomSource& noise) const;
  Runs Steps(size_t count, uint8_t seed) const;
};

}  // namespace aisle

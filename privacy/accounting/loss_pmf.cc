#include "privacy/accounting/loss_pmf.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace aisle {

Cumulants CumulantsOf(const LossPmf& pmf, double t) {
  // Weights relative to the highest loss, which can only underflow; one product a point instead of an exponential.
  const double ratio = std::exp(-t * pmf.mesh);
  double weight = 1;
  double sum = 0;
  double distances = 0;
  double squares = 0;
  for (size_t n = 0; n < pmf.mass.size() && weight > 1e-290; ++n) {
    const double mass = pmf.mass[pmf.mass.size() - 1 - n] * weight;
    const double distance = static_cast<double>(n);
    sum += mass;
    distances += mass * distance;
    squares += mass * distance * distance;
    weight *= ratio;
  }
  const double top = static_cast<double>(pmf.last()) * pmf.mesh;
  const double mean = distances / sum;
  return {.value = std::log(sum) + t * top,
          .mean = top - pmf.mesh * mean,
          .variance = pmf.mesh * pmf.mesh * std::max(0.0, squares / sum - mean * mean)};
}

LossPmfBuilder::LossPmfBuilder(double mesh, int64_t lowest, int64_t highest)
    : pmf_{.mesh = mesh, .first = lowest, .mass = {}, .infinity = 0}, full_(-std::expm1(-mesh)) {
  AISLE_CHECK(mesh > 0 && highest > lowest, "a mesh of {} from {} to {}", mesh, lowest, highest);
  pmf_.mass.resize(static_cast<size_t>(highest - lowest) + 1);
}

void LossPmfBuilder::AddCell(int64_t i, double p, double excess) {
  // Two masses with sum p at the cell's ends, and sum q under Q: up (1 - exp(-mesh)) = p - q exp(i * mesh).
  const double up = std::clamp(excess / full_, 0.0, p);
  const auto place = static_cast<size_t>(i - pmf_.first);
  pmf_.mass[place] += p - up;
  pmf_.mass[place + 1] += up;
}

void LossPmfBuilder::AddAtom(double loss, double p) {
  const auto cell = static_cast<int64_t>(std::floor(loss / pmf_.mesh));
  if (cell < pmf_.first) return AddBelow(p);
  if (cell >= pmf_.last()) {
    const bool at_the_end = loss <= static_cast<double>(pmf_.last()) * pmf_.mesh;
    (at_the_end ? pmf_.mass.back() : pmf_.infinity) += p;
    return;
  }
  AddCell(cell, p, -p * std::expm1(static_cast<double>(cell) * pmf_.mesh - loss));
}

LossPmf LossPmfBuilder::Build() && {
  const auto positive = [](double mass) { return mass > 0; };
  const auto begin = std::ranges::find_if(pmf_.mass, positive);
  if (begin == pmf_.mass.end()) {  // All is infinite; one empty point keeps the shape.
    pmf_.mass.resize(1);
    return std::move(pmf_);
  }
  pmf_.first += begin - pmf_.mass.begin();
  pmf_.mass.erase(pmf_.mass.begin(), begin);
  while (!positive(pmf_.mass.back())) pmf_.mass.pop_back();
  return std::move(pmf_);
}

}  // namespace aisle

// Privacy loss distributions on a mesh, and the tool that puts continuous ones there without understating them.
//
// For a pair of output distributions P (the unit is there) and Q (it isn't), the privacy loss is L = log(dP/dQ) under
// P, and delta(epsilon) = E[(1 - exp(epsilon - L))+] (Sommer, Meiser, Mohammadi 2019). Mass in a mesh cell is split
// between the cell's two ends such that its measure under P and under Q both stay what they are: the result's delta is
// the chord of the true, in exp(epsilon) convex, one between mesh points ("connect the dots": Doroshenko, Ghazi,
// Kamath, Kumar, Manurangsi 2022), exact at mesh points and never under it in between.
#pragma once

#include <cstdint>
#include <vector>

namespace aisle {

// P-mass of losses at whole multiples of `mesh`: mass[i] at (first + i) * mesh. `infinity` is what was cut off above.
struct LossPmf {
  double mesh = 0;
  int64_t first = 0;
  std::vector<double> mass;
  double infinity = 0;

  int64_t last() const { return first + static_cast<int64_t>(mass.size()) - 1; }
};

// log E[exp(t L); L finite] and its first two derivatives in t: mean and variance of the loss tilted by exp(t L). Good
// to about 1e-10: for choosing windows, not for figures.
struct Cumulants {
  double value = 0;
  double mean = 0;
  double variance = 0;
};
// t >= 0.
Cumulants CumulantsOf(const LossPmf& pmf, double t);

// Collects mass onto a mesh.
class LossPmfBuilder {
 public:
  // From `lowest` to `highest`, in units of `mesh`; highest > lowest.
  LossPmfBuilder(double mesh, int64_t lowest, int64_t highest);

  // Mass `p` with losses within cell `i`, which goes from i * mesh to (i + 1) * mesh. `excess` is its
  // p - q exp(i * mesh), where q is its measure under Q; what rounding puts outside of [0, p] is put back.
  void AddCell(int64_t i, double p, double excess);
  // Mass at one exact loss. Below the lowest point it is rounded up to it; above the highest it counts as infinite.
  void AddAtom(double loss, double p);
  // Mass somewhere below the lowest point: rounded up to it.
  void AddBelow(double p) { pmf_.mass.front() += p; }
  void AddInfinity(double p) { pmf_.infinity += p; }

  LossPmf Build() &&;  // Empty ends trimmed.

 private:
  LossPmf pmf_;
  double full_;  // 1 - exp(-mesh)
};

}  // namespace aisle

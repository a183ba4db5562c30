// The composition of privacy losses on one mesh, by Fourier transforms, with every error of truncation, wrap-around and
// rounding on the safe side.
//
// Deltas of interest are 1e-6 and less, where a plain transform's rounding (1e-16 of the whole mass at every point)
// would drown them. So each loss is first tilted: its mass at l becomes p(l) exp(t l) / M(t), which commutes with
// convolution (Esscher 1932; Grübel and Hermesmeier 1999, "Computation of compound distributions I"), with t chosen
// such that the composed mass lies where the sought epsilon is. What the transform then gets wrong is a share of delta,
// not of 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "privacy/accounting/loss_pmf.h"

namespace aisle {

struct LossPart {
  LossPmf pmf;
  double count = 1;  // A whole number of releases, composed with themselves.
};

// A tilt, and the losses that matter under it.
struct LossTilt {
  double t = 0;
  double centre = 0;  // Mean of the composed, tilted loss.
  double lowest = 0;
  double highest = 0;
  double above = 0;   // What losses over `highest` add to delta, at most.
  double points = 0;  // Mesh points from lowest to highest.
};

class LossComposition {
 public:
  static constexpr double kPointsMax = 1 << 21;  // Of a window: 16 MiB a vector.

  // One mesh for all; at least one part; every part has some finite mass (AISLE_CHECK).
  explicit LossComposition(std::vector<LossPart> parts);

  // The windows that answers at this delta, in (0, 1), or this epsilon, at least 0, need. Over kPointsMax points: take
  // a coarser mesh.
  LossTilt TiltForDelta(double delta) const;
  LossTilt TiltForEpsilon(double epsilon) const;

  // Of the losses as discretised, never under the true ones. Any tilt is right, the one made for the question is tight.
  // Infinity if delta is under the mass cut off.
  double Epsilon(double delta, const LossTilt& tilt) const;
  double Delta(double epsilon, const LossTilt& tilt) const;

 private:
  struct Window;

  Cumulants CumulantsAt(double t) const;
  template <typename GapAt>
  double Solve(double low, GapAt gap_at) const;  // From `low` up.
  double SolveForDelta(double log_delta) const;
  double SolveForEpsilon(double epsilon) const;
  LossTilt TiltAt(double t) const;
  Window Compose(const LossTilt& tilt) const;

  std::vector<LossPart> parts_;
  double mesh_;
  double count_ = 0;     // Releases over all parts.
  double loss_min_ = 0;  // Of the finite losses of all together.
  double loss_max_ = 0;
  double infinity_ = 0;  // The probability that any loss is infinite.
};

}  // namespace aisle

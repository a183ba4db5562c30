// The tight accountant: epsilon and delta of a composition of mechanisms by their privacy loss distributions. For
// reports; what may be spent is decided by the Renyi filter (ledger.h), which holds under adaptive choices.
//
// Neighbouring inputs differ by adding or removing one unit; both directions are composed and the worse one counts.
// Every figure is on the safe side of the truth: connect-the-dots discretisation (loss_pmf.h), truncated mass counted
// as breach, the transform's rounding and wrap-around added (pld_compose.h). Figures describe real-valued noise; the
// integer noise that is drawn has a std of at least 2^16 * z steps, and the ledger's Renyi figure is proven for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/status.h"
#include "privacy/accounting/pld_mechanism.h"

namespace aisle {

// How far over the truth an epsilon may be, from which the mesh follows (by moments: where delta hardly falls with
// epsilon it may be more). Meshes have bounded size, so over very many releases of little noise, epsilons that are too
// large to mean anything may be wider of the truth too. Never is one under it.
struct PldAccuracy {
  double epsilon = 5e-4;  // At most this,
  double share = 1e-3;    // and at most this share of epsilon,
  double finest = 2e-6;   // but nobody asks for better than this.
};

class PldAccountant {
 public:
  static constexpr size_t kMechanismsMax = 256;
  static constexpr uint64_t kReleasesMax = 1'000'000'000;
  static constexpr double kDeltaMin = 1e-30;
  static constexpr double kEpsilonMax = 1e15;

  explicit PldAccountant(PldAccuracy accuracy = {}) : accuracy_(accuracy) {}

  // `count` releases more. Equal mechanisms, and plain Gaussians of any noise, are kept as one. InvalidArgument if a
  // number is out of range or there are too many mechanisms or releases; nothing is added then.
  Status Add(const LossMechanism& mechanism, uint64_t count);

  // The smallest epsilon at `delta` in [kDeltaMin, 1); 0 if nothing was added. InvalidArgument naming the range.
  StatusOr<double> Epsilon(double delta) const;
  // The smallest delta at `epsilon` in [0, kEpsilonMax].
  StatusOr<double> Delta(double epsilon) const;

 private:
  struct Entry {
    LossMechanism mechanism;
    double count = 0;
  };
  struct Question;

  Question Plan(const Question& asked) const;
  double Answer(const Question& question, Adjacency adjacency) const;
  double WorseDirection(const Question& question) const;

  PldAccuracy accuracy_;
  std::vector<Entry> entries_;
  double releases_ = 0;
};

}  // namespace aisle

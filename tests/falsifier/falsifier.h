// Tries to refute a privacy claim. A mechanism is run many times on two neighbouring inputs, one `with` a unit and one
// without; each run is boiled down to one number, by whatever attack. (epsilon, delta) promises of every set S
//
//   P[S | one] <= e^epsilon * P[S | other] + delta       both ways
//
// so an event that is too common here and too rare there is a proof that the promise is broken, up to the chance that
// the counts lie: `false_alarms`, which holds for every true claim, whatever the mechanism and the attack. To pass is
// no proof of privacy; it says that this attack, with this many runs, didn't get through.
//
// The events are tails of the number. One is picked by the first half of the runs and counted in the second, so that
// picking costs no confidence; both probabilities get one-sided Clopper-Pearson bounds at false_alarms / 2.
//
// Sources: Jagielski, Ullman, Oprea 2020, "Auditing Differentially Private Machine Learning" (epsilon); Nasr et al.
// 2023, "Tight Auditing of Differentially Private Machine Learning" (mu: one Gaussian trade-off fits all epsilons).
#pragma once

#include <functional>
#include <vector>

namespace aisle {

struct Runs {
  std::vector<double> with;
  std::vector<double> without;
};

// Calls `run(true)` and `run(false)`, `count` times each, in turn.
Runs RunBoth(size_t count, const std::function<double(bool with)>& run);

// A claim as a privacy profile: the delta that holds at each epsilon, both ways. Testing all epsilons at once has far
// more power than one with a delta of 1e-6, which no feasible number of runs could see broken.
class Claim {
 public:
  // `delta_of` is asked once for each epsilon on a grid from 0 to 12.
  explicit Claim(const std::function<double(double epsilon)>& delta_of);

  // How far e^epsilon * high + delta is exceeded by low, at the epsilon where that is most. Over 0: refuted.
  double Excess(double low, double high) const;

 private:
  struct Point {
    double epsilon;
    double delta;
  };
  std::vector<Point> points_;
};

// By how much the claim is shown to be broken: over 0 means refuted.
double ExcessShown(const Runs& runs, const Claim& claim, double false_alarms);

// An epsilon that the mechanism is shown to have at least, at `delta`.
double EpsilonShown(const Runs& runs, double delta, double false_alarms);

// A mu that the mechanism is shown to have at least, if it is a Gaussian mechanism: sensitivity over standard deviation
// (Dong, Roth, Su 2019).
double MuShown(const Runs& runs, double false_alarms);

// The chance that a random member scores higher than a random non-member; ties count half.
double AreaUnderCurve(const Runs& runs);

}  // namespace aisle

// Each customer's own gradient, clipped and summed: the inner loop of modes customer and local-sgd. One interface,
// several ways; all give the sum that the loop gives, up to rounding. Which way a plan takes is decided by its program
// alone (choose.h), never by a store's rows. What a program draws at random while it works on a unit comes from that
// unit's own seed; a way that can't keep units' random numbers apart is no way for a program that draws any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/secret.h"
#include "base/status.h"
#include "privacy/unit_sum.h"
#include "store-agent/worker/customers/customer_watch.h"
#include "store-agent/worker/customers/units.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

struct UnitWork {
  Program& program;  // At the weights the gradients are taken at, in training mode; its weights are left as they were.
  const Examples& examples;
  const Units& units;
  std::span<const size_t> drawn;  // Units that take part, ascending.
  double factor = -1;             // A unit's vector is factor * gradient of the mean loss over its examples.
  const std::atomic<bool>* stop = nullptr;
  const CustomerWatch* watch = nullptr;  // Told of every unit before the program runs on it; may be null.
  size_t memory_max = 0;                 // Bytes of tensors for one unit alone; 0 for no limit.

  void Announce(std::span<const size_t> some) const {
    if (watch != nullptr) watch->BeforeUnits(units, some);
  }
  bool IsAlone(size_t unit) const { return watch != nullptr && watch->IsAlone(units, unit); }
};

// The metric slots of one unit, in the vector's order, given the norm of its vector before clipping.
using SlotsOfUnit = std::function<StatusOr<std::vector<double>>(size_t unit, double norm)>;

class UnitGradients {
 public:
  virtual ~UnitGradients() = default;

  // One sum is made of any number of parts: Begin, AddSome for each, Finish. How units are parted makes no difference.
  virtual void Begin(const UnitSum& /*sum*/) {}
  // Adds every drawn unit's vector to `sum`; a unit without examples to train on has the zero vector. A unit on whose
  // examples the program fails, or needs more than its memory, or whose gradient isn't finite, adds nothing, and the
  // others go on: one customer's odd rows mustn't keep a store from taking part, for that would tell of the rows.
  // Cancelled when stopped; no other error.
  virtual Status AddSome(const UnitWork& work, const SlotsOfUnit& slots_of, UnitSum& sum) = 0;
  virtual void Finish(UnitSum& /*sum*/) {}

  // Between Begin and Finish: what was added and isn't in the sum yet, by trainable parameter, and its way back after
  // another Begin. Empty for ways that add to the sum at once. False if it isn't what this way holds.
  virtual SecretVector<int64_t> Pending() const { return {}; }
  virtual bool TakeUp(std::span<const int64_t> pending) { return pending.empty(); }

  // All in one part.
  Status AddAll(const UnitWork& work, const SlotsOfUnit& slots_of, UnitSum& sum) {
    Begin(sum);
    AISLE_RETURN_IF_ERROR(AddSome(work, slots_of, sum));
    Finish(sum);
    return OkStatus();
  }
};

// One customer after the other: right for every program, and what the faster ways are tested against.
std::unique_ptr<UnitGradients> MakeUnitLoop();

// Not one gradient but `steps` of SGD on the unit's examples, each by work.factor * gradient, from the broadcast
// weights: the unit's vector is how far they went (McMahan et al. 2018, "Learning Differentially Private Recurrent
// Language Models", algorithm 1, with a customer for a user).
std::unique_ptr<UnitGradients> MakeUnitSteps(uint32_t steps);

}  // namespace aisle

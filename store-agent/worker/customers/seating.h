// Customers taking seats in lanes, run after run: what the ways of lanes.h have in common.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "store-agent/worker/customers/lanes.h"
#include "store-agent/worker/customers/unit_gradients.h"

namespace aisle {

// A unit whose examples have been run: the lanes they sat in, one for each, in their order.
struct SeatedUnit {
  size_t unit = 0;
  std::vector<size_t> lanes;
};

// Whether a run fails tells of the rows in it; so a failed run is halved, down to the customers who make it fail, and
// only those are left to the loop. Where they sit then makes no difference, so the others add the same bits all the
// same.
class SeatedGradients : public UnitGradients {
 public:
  void Begin(const UnitSum& sum) final { is_seated_ = Take(sum); }
  Status AddSome(const UnitWork& work, const SlotsOfUnit& slots_of, UnitSum& sum) final;
  void Finish(UnitSum& sum) final {
    if (is_seated_) PutInto(sum);
  }

 protected:
  // `loop` takes the units with more than `examples_max` examples, and those that fail.
  SeatedGradients(std::unique_ptr<Lanes> lanes, size_t examples_max, std::unique_ptr<UnitGradients> loop);

  struct Turn {
    const UnitWork& work;
    const SlotsOfUnit& slots_of;
    UnitSum& sum;
  };
  // False if this sum is better served by the loop, for reasons that aren't in the rows.
  virtual bool Take(const UnitSum& sum) = 0;
  // Adds one unit, of which `lanes().gradients()` tell. Returns false to leave it to the loop, having added nothing;
  // what is decided must follow from that unit's own numbers.
  virtual bool Add(const Turn& turn, const SeatedUnit& unit) = 0;
  virtual void EndRun() = 0;
  // What was added and isn't in `sum` yet: once for all parts.
  virtual void PutInto(UnitSum& sum) = 0;

  const Lanes& lanes() const { return *lanes_; }

 private:
  Status Run(const Turn& turn, std::span<const size_t> units);
  const Seating& SeatingFor(const UnitWork& work, std::span<const size_t> units) const;
  Status SeatAll(const Turn& turn);

  std::unique_ptr<Lanes> lanes_;
  size_t examples_max_;
  std::unique_ptr<UnitGradients> loop_;
  std::vector<size_t> left_;  // To the loop.
  bool is_seated_ = true;     // Else everybody goes to the loop.
};

}  // namespace aisle

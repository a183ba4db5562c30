// Many examples' gradients in one run of the program: `loss` is run once over lanes, one example each, as if every lane
// were alone (vmap of grad, LibTorch's functorch). Lanes can't see one another: an operator acts on each lane by its
// own rule, and where there is no rule, or the program looks at a number to decide what to do, it fails for any data.
//
// Weights that are only ever applied to inputs (linear, addmm, matmul, mm, also inside loops) don't get a gradient per
// lane; their inputs and the gradients at their outputs come out instead, whose outer products it is made of. Likewise
// for embedding tables, and for biases.
//
// The same example must give the same bits whoever is in the other lanes, or one customer would move what others add.
// So a run always has kLanesFew or kLanesMany lanes (unused ones are filled up), and Steady() finds the seats: those
// lanes whose answers are equal bit for bit. On AVX-512 machines those are all, with OpenBLAS's AVX2 kernels every
// other six. Where OpenBLAS takes another kernel for many lanes than for few, all runs have one of the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "store-agent/worker/customers/lane_graph.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/program.h"

namespace aisle {

// Multiples of 12 and 16, the rows that matrix kernels take at once. Most of a run's time is calls into the library,
// and not more of them for more lanes.
inline constexpr size_t kLanesFew = 48;
inline constexpr size_t kLanesMany = 240;

// How many lanes a run has, and which of them may be sat in.
struct Seating {
  size_t lanes = 0;
  std::vector<size_t> seats;
};

// What one run gave. Pointers are good until the next run.
struct LaneGradients {
  struct Rows {
    size_t per_lane = 0;
    const float* x = nullptr;      // [lanes, per_lane, inputs]; null for a table.
    const int64_t* ids = nullptr;  // [lanes, per_lane]; tables only.
    const float* g = nullptr;      // [lanes, per_lane, outputs]
  };
  std::vector<Rows> rows;        // One for each parameter; empty for kWhole.
  const float* whole = nullptr;  // [lanes, whole_count()], the kWhole parameters in layout order.
};

class Lanes {
 public:
  // Whether parameters that are only applied to inputs come as rows, or everything as whole gradients.
  enum class Rows : bool { kNo, kYes };
  // Borrows `program`. PlanError if `loss` can't be run so; then nothing is wrong with the plan.
  static StatusOr<std::unique_ptr<Lanes>> Make(Program& program, Rows rows);
  ~Lanes();

  const std::vector<LaneParameter>& parameters() const;  // In layout order.
  size_t whole_count() const;
  const std::vector<Seating>& seatings() const;  // From few lanes to many; empty before Steady().

  // Runs `loss` and its gradient for the examples at `indices`, one for each of kLanesFew or kLanesMany lanes. Both are
  // of the loss of that example alone. PlanError if the program fails on one of them: which one isn't known.
  Status Run(const Examples& examples, std::span<const int64_t> indices);
  const LaneGradients& gradients() const;

  // PlanError unless the lanes' gradients are those that the program gives for each of `examples` (made up; at least
  // one) alone, and those of several examples together are the mean of theirs.
  Status Agree(const Examples& examples);

  // Finds the seats by running `examples` (made up; at least one) in all of them. Only those count that give the same
  // bits, and the same in a run of few lanes and of many; where few and many don't agree, one of them is left out, by
  // whether the plan expects to draw `many`. PlanError if there are too few: then lanes can't be used on this machine.
  // Runs of many lanes are left out where they would take much memory.
  enum class Crowd : bool { kFew, kMany };
  Status Steady(const Examples& examples, Crowd crowd);

 private:
  StatusOr<std::vector<size_t>> SeatsOf(const Examples& examples, size_t lanes, size_t lanes_expected);

  struct State;
  explicit Lanes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aisle

// A plan's `loss` as a graph that can be run at weights of one's choice, and that writes down what its weights are
// applied to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "store-agent/worker/program.h"

namespace aisle {

// Where a trainable parameter's gradient is found.
enum class GradientForm : uint8_t {
  kWhole,               // Among the numbers written out for each lane.
  kProducts,            // A matrix [outputs, inputs], sum of g x^T over its rows.
  kProductsTransposed,  // The same, kept as [inputs, outputs].
  kTable,               // A matrix [ids, outputs], sum of g at row `id`.
};

struct LaneParameter {
  GradientForm form = GradientForm::kWhole;
  size_t offset = 0;  // In the flat gradient.
  size_t count = 0;
  size_t inputs = 0;  // Of products; of a table the number of ids.
  size_t outputs = 0;
};

// Not thread-safe. What it calls may throw: call it under Guarded (engine.h).
class LaneGraph {
 public:
  // A parameter's place in the graph.
  struct Place {
    static constexpr size_t kNowhere = SIZE_MAX;
    size_t slot = kNowhere;            // Among values(); kNowhere if loss doesn't use it.
    std::vector<size_t> applications;  // Not empty: where it is applied to inputs, or added to what was (a bias).
    bool is_bias = false;
  };

  // `factor`: whether parameters that are only ever applied to inputs are to be found by what they are applied to.
  // Those are weights of linear, addmm, matmul and mm (also transposed first), tables of embedding, and the biases of
  // linear and addmm; in loops, too, and any number of times.
  LaneGraph(const Program& program, bool factor);
  ~LaneGraph();
  LaneGraph(const LaneGraph&) = delete;
  LaneGraph& operator=(const LaneGraph&) = delete;

  const std::vector<LaneParameter>& parameters() const { return parameters_; }  // That train, in layout order.
  const std::vector<Place>& places() const { return places_; }                  // Of the same.
  // The attributes that `loss` uses, parameters among them.
  const std::vector<c10::IValue>& values() const;
  size_t applications() const;
  // Whether all that isn't applied to inputs is vectors and single numbers. Then Run() leaves outputs of applications
  // that have a place in every lane, even where all lanes were given the same: their gradients don't add up over lanes.
  bool is_apart() const { return is_apart_; }

  // Takes a batch and values() (or others in their place); leaves the loss, then for each application a list of its
  // inputs and a list of its outputs, in the order they came.
  void Run(std::vector<c10::IValue>& stack) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::vector<LaneParameter> parameters_;
  std::vector<Place> places_;
  bool is_apart_ = false;
};

}  // namespace aisle

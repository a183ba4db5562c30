#include "store-agent/worker/customers/lanes.h"

#include <ATen/functorch/BatchedFallback.h>
#include <torch/script.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store-agent/worker/customers/lane_differentiation.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"

namespace aisle {
namespace {

constexpr double kDifferenceMax = 1e-3;  // Of two norms, far over rounding and far under any mistake.
constexpr int64_t kTogether = 3;
constexpr size_t kTurns = 3;                   // Examples that are tried in every seat.
constexpr size_t kSeatsShareMin = 4;           // At least every fourth lane must be a seat.
constexpr size_t kKeptMax = size_t{64} << 20;  // Bytes that a run of many lanes may keep.

// As contiguous [lanes, rows, width] of `type`.
at::Tensor AsRows(const at::Tensor& tensor, size_t width, at::ScalarType type) {
  if (tensor.scalar_type() != type) C10_THROW_ERROR(TypeError, "a weight is applied to numbers of another type");
  return tensor.reshape({tensor.size(0), -1, static_cast<int64_t>(width)}).contiguous();
}

at::Tensor Join(const std::vector<at::Tensor>& pieces) { return pieces.size() == 1 ? pieces[0] : at::cat(pieces, 1); }

}  // namespace

struct Lanes::State {
  State(Program& of, bool factor) : program(of), graph(of, factor) {
    gradients.rows.resize(parameters().size());
    for (const LaneParameter& parameter : parameters()) {
      if (parameter.form == GradientForm::kWhole) whole_count += parameter.count;
    }
  }

  Program& program;
  const LaneGraph graph;
  size_t whole_count = 0;
  std::vector<Seating> seatings;

  int64_t lane_count = 0;  // Of the last run.
  LaneGradients gradients;
  std::vector<at::Tensor> kept;  // Owns what `gradients` points to.

  const std::vector<LaneParameter>& parameters() const { return graph.parameters(); }

  Status Run(const c10::IValue& batch) {
    return Guarded("running lanes", [&] { RunOrThrow(batch); });
  }

  void RunOrThrow(const c10::IValue& batch) {
    const LaneOutcome outcome = DifferentiateLanes(graph, batch, lane_count);
    const at::NoGradGuard no_grad;
    Keep(outcome);
  }

  // Lays the outcome out as `gradients` promises.
  void Keep(const LaneOutcome& outcome) {
    kept.clear();
    gradients.rows.assign(parameters().size(), {});
    std::vector<at::Tensor> whole = {at::zeros({lane_count, 0})};
    for (size_t i = 0; i < parameters().size(); ++i) {
      if (parameters()[i].form != GradientForm::kWhole) {
        gradients.rows[i] = KeepRows(outcome, i);
      } else {
        const at::Tensor gradient = WholeOf(outcome, i);
        if (gradient.scalar_type() != at::kFloat) C10_THROW_ERROR(TypeError, "a gradient isn't float32");
        whole.push_back(gradient.reshape({lane_count, -1}));
      }
    }
    const at::Tensor joined = (whole.size() == 2 ? whole[1] : at::cat(whole, 1)).contiguous();
    gradients.whole = joined.data_ptr<float>();
    kept.push_back(joined);
  }

  at::Tensor WholeOf(const LaneOutcome& outcome, size_t i) const {
    const LaneGraph::Place& place = graph.places()[i];
    if (place.slot == LaneGraph::Place::kNowhere)
      return at::zeros({lane_count, static_cast<int64_t>(parameters()[i].count)});
    if (!place.is_bias) return outcome.whole[i];
    at::Tensor sum;
    for (const size_t k : place.applications) {
      for (const at::Tensor& gradient : outcome.outputs_gradient[k]) {
        const at::Tensor rows = AsRows(gradient, parameters()[i].count, at::kFloat);
        const at::Tensor one = rows.size(1) == 1 ? rows.select(1, 0) : rows.sum(1);
        sum = sum.defined() ? sum + one : one;
      }
    }
    return sum.defined() ? sum : at::zeros({lane_count, static_cast<int64_t>(parameters()[i].count)});
  }

  LaneGradients::Rows KeepRows(const LaneOutcome& outcome, size_t i) {
    const LaneParameter& parameter = parameters()[i];
    const bool is_table = parameter.form == GradientForm::kTable;
    std::vector<at::Tensor> x;
    std::vector<at::Tensor> g;
    for (const size_t k : graph.places()[i].applications) {
      for (size_t j = 0; j < outcome.inputs[k].size(); ++j) {
        x.push_back(AsRows(outcome.inputs[k][j], is_table ? 1 : parameter.inputs, is_table ? at::kLong : at::kFloat));
        g.push_back(AsRows(outcome.outputs_gradient[k][j], parameter.outputs, at::kFloat));
        TORCH_CHECK(x.back().size(1) == g.back().size(1), "a weight's inputs and outputs don't pair up");
      }
    }
    if (x.empty()) return {};
    kept.push_back(Join(x));
    kept.push_back(Join(g));
    const at::Tensor& inputs = kept[kept.size() - 2];
    return {.per_lane = static_cast<size_t>(kept.back().size(1)),
            .x = is_table ? nullptr : inputs.data_ptr<float>(),
            .ids = is_table ? inputs.data_ptr<int64_t>() : nullptr,
            .g = kept.back().data_ptr<float>()};
  }

  // One lane's gradient, written out.
  at::Tensor Dense(int64_t lane) const {
    std::vector<at::Tensor> pieces;
    int64_t whole_at = 0;
    size_t kept_at = 0;
    for (size_t i = 0; i < parameters().size(); ++i) {
      const LaneParameter& parameter = parameters()[i];
      const auto count = static_cast<int64_t>(parameter.count);
      if (parameter.form == GradientForm::kWhole) {
        pieces.push_back(kept.back()[lane].narrow(0, whole_at, count));
        whole_at += count;
      } else if (gradients.rows[i].per_lane == 0) {
        pieces.push_back(at::zeros({count}));
      } else {
        const at::Tensor x = kept[kept_at][lane];
        const at::Tensor g = kept[kept_at + 1][lane];
        kept_at += 2;
        pieces.push_back(DenseOf(parameter, x, g).reshape({-1}));
      }
    }
    return at::cat(pieces);
  }
  static at::Tensor DenseOf(const LaneParameter& parameter, const at::Tensor& x, const at::Tensor& g) {
    if (parameter.form == GradientForm::kProducts) return g.t().mm(x);
    if (parameter.form == GradientForm::kProductsTransposed) return x.t().mm(g);
    const auto ids = static_cast<int64_t>(parameter.inputs);
    return at::zeros({ids, g.size(1)}).index_add(0, x.reshape({-1}), g);
  }

  size_t KeptBytes() const {
    size_t bytes = 0;
    for (const at::Tensor& tensor : kept) bytes += tensor.nbytes();
    return bytes;
  }
};

Lanes::Lanes(std::unique_ptr<State> state) : state_(std::move(state)) {}
Lanes::~Lanes() = default;

StatusOr<std::unique_ptr<Lanes>> Lanes::Make(Program& program, Rows rows) {
  at::functorch::setVmapFallbackEnabled(false);  // It would run an operator lane by lane, and say so every time.
  program.SetTraining(true);
  std::unique_ptr<State> state;
  AISLE_RETURN_IF_ERROR(
      Guarded("laying out lanes", [&] { state = std::make_unique<State>(program, rows == Rows::kYes); }));
  return std::unique_ptr<Lanes>(new Lanes(std::move(state)));
}

const std::vector<LaneParameter>& Lanes::parameters() const { return state_->parameters(); }
size_t Lanes::whole_count() const { return state_->whole_count; }
const std::vector<Seating>& Lanes::seatings() const { return state_->seatings; }
const LaneGradients& Lanes::gradients() const { return state_->gradients; }

Status Lanes::Run(const Examples& examples, std::span<const int64_t> indices) {
  c10::IValue batch;
  AISLE_RETURN_IF_ERROR(Guarded("gathering", [&] { examples.Gather(indices, batch); }));
  state_->lane_count = static_cast<int64_t>(indices.size());
  return state_->Run(batch);
}

namespace {

// The gradient of the mean loss of `indices`, the plain way.
StatusOr<at::Tensor> PlainGradient(Program& program, const Examples& examples, const std::vector<int64_t>& indices) {
  c10::IValue batch;
  c10::IValue losses;
  examples.Gather(indices, batch);
  {
    const at::NoGradGuard no_grad;
    program.flat_gradient().zero_();
  }
  AISLE_RETURN_IF_ERROR(program.Call(kLoss, batch, losses));
  AISLE_RETURN_IF_ERROR(Guarded("differentiating loss", [&] { losses.toTensor().mean().backward(); }));
  return program.flat_gradient().clone();
}

Status CheckAlike(const at::Tensor& plain, const at::Tensor& lanes) {
  const double size = plain.norm().item<double>();
  const double difference = (plain - lanes).norm().item<double>();
  if (difference <= kDifferenceMax * size + 1e-9) return OkStatus();
  return PlanError("in lanes the gradient differs by {:.3g} of its norm {:.3g}", difference, size);
}

}  // namespace

Status Lanes::Agree(const Examples& examples) {
  std::vector<int64_t> indices(kLanesFew);
  for (size_t lane = 0; lane < kLanesFew; ++lane) indices[lane] = static_cast<int64_t>(lane) % examples.size();
  AISLE_RETURN_IF_ERROR(Run(examples, indices));
  const at::NoGradGuard no_grad;
  at::Tensor mean;
  for (int64_t lane = 0; lane < kTogether; ++lane) {
    const at::Tensor dense = state_->Dense(lane);
    {
      const at::AutoGradMode with_grad(true);
      AISLE_ASSIGN_OR_RETURN(const at::Tensor plain,
                             PlainGradient(state_->program, examples, {indices[static_cast<size_t>(lane)]}));
      AISLE_RETURN_IF_ERROR(CheckAlike(plain, dense));
    }
    mean = mean.defined() ? mean + dense : dense;
  }
  const at::AutoGradMode with_grad(true);
  const std::vector<int64_t> together(indices.begin(), indices.begin() + kTogether);
  AISLE_ASSIGN_OR_RETURN(const at::Tensor plain, PlainGradient(state_->program, examples, together));
  return CheckAlike(plain, mean / kTogether);
}

namespace {

// Which lanes of a run hold the same bits as `expected`, one tensor for each of `kept`.
void KeepAlike(const std::vector<at::Tensor>& kept, const std::vector<at::Tensor>& expected, std::vector<bool>& alike) {
  for (size_t t = 0; t < kept.size(); ++t) {
    for (size_t lane = 0; lane < alike.size(); ++lane) {
      if (alike[lane] && !kept[t][static_cast<int64_t>(lane)].equal(expected[t])) alike[lane] = false;
    }
  }
}

}  // namespace

StatusOr<std::vector<size_t>> Lanes::SeatsOf(const Examples& examples, size_t lanes, size_t lanes_expected) {
  std::vector<bool> alike(lanes, true);
  for (size_t turn = 0; turn < kTurns; ++turn) {
    const auto example = static_cast<int64_t>(turn) % examples.size();
    AISLE_RETURN_IF_ERROR(Run(examples, std::vector<int64_t>(lanes_expected, example)));
    std::vector<at::Tensor> expected;
    for (const at::Tensor& tensor : state_->kept) expected.push_back(tensor[0].clone());
    // The example in every second lane and others in between, then the other way round.
    for (size_t parity = 0; parity < 2; ++parity) {
      std::vector<int64_t> indices(lanes);
      std::vector<bool> here = alike;
      for (size_t lane = 0; lane < lanes; ++lane) {
        const bool seated = lane % 2 == parity;
        indices[lane] = seated ? example : static_cast<int64_t>(lane + turn) % examples.size();
        if (!seated) here[lane] = false;
      }
      AISLE_RETURN_IF_ERROR(Run(examples, indices));
      AISLE_RETURN_IF_ERROR(Guarded("comparing lanes", [&] { KeepAlike(state_->kept, expected, here); }));
      for (size_t lane = parity; lane < lanes; lane += 2) alike[lane] = here[lane];
    }
  }
  std::vector<size_t> seats;
  for (size_t lane = 0; lane < lanes; ++lane) {
    if (alike[lane]) seats.push_back(lane);
  }
  return seats;
}

Status Lanes::Steady(const Examples& examples, Crowd crowd) {
  state_->seatings.clear();
  // Those of `lanes` that answer as the first of `lanes_expected` does; true if they are enough.
  const auto seat = [&](size_t lanes, size_t lanes_expected) -> StatusOr<bool> {
    AISLE_ASSIGN_OR_RETURN(std::vector<size_t> seats, SeatsOf(examples, lanes, lanes_expected));
    if (seats.size() < lanes / kSeatsShareMin) return false;
    state_->seatings.push_back({.lanes = lanes, .seats = std::move(seats)});
    return true;
  };
  AISLE_ASSIGN_OR_RETURN(const bool few, seat(kLanesFew, kLanesFew));
  if (state_->KeptBytes() * (kLanesMany / kLanesFew) <= kKeptMax) {
    AISLE_ASSIGN_OR_RETURN(const bool alike, seat(kLanesMany, kLanesFew));
    if (!alike && (crowd == Crowd::kMany || !few)) {
      AISLE_ASSIGN_OR_RETURN(const bool many, seat(kLanesMany, kLanesMany));
      if (many && few) state_->seatings.erase(state_->seatings.begin());
    }
  }
  if (state_->seatings.empty()) {
    return PlanError("fewer than one lane in {} gives the same bits on this machine", kSeatsShareMin);
  }
  AISLE_RETURN_IF_ERROR(Run(examples, std::vector<int64_t>(kLanesFew, 0)));  // Leaves less memory in use.
  return OkStatus();
}

}  // namespace aisle

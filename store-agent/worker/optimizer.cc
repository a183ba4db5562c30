#include "store-agent/worker/optimizer.h"

#include <torch/script.h>

#include <cmath>

namespace aisle {

namespace {

std::span<const float> ValuesOf(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

// None, or as many as there are parameters.
StatusOr<at::Tensor> TensorOf(std::vector<float> values, size_t length) {
  if (values.empty()) return at::Tensor();
  if (values.size() != length) {
    return DataLoss("the checkpoint remembers {} numbers for {} parameters", values.size(), length);
  }
  return at::tensor(values);
}

class Sgd final : public Optimizer {
 public:
  explicit Sgd(const LocalTraining& schedule) : schedule_(schedule) {}

  void Step(at::Tensor& parameters, at::Tensor& gradient) override {
    if (schedule_.weight_decay != 0) gradient.add_(parameters, schedule_.weight_decay);
    if (schedule_.momentum == 0) {
      parameters.add_(gradient, -schedule_.learning_rate);
      return;
    }
    if (velocity_.defined()) {
      velocity_.mul_(schedule_.momentum).add_(gradient);
    } else {
      velocity_ = gradient.clone();
    }
    parameters.add_(velocity_, -schedule_.learning_rate);
  }

  void Save(CheckpointWriter& out) const override { out.Floats(ValuesOf(velocity_)); }
  Status Load(CheckpointReader& in, size_t length) override {
    AISLE_ASSIGN_OR_RETURN(velocity_, TensorOf(in.Floats(), length));
    return OkStatus();
  }

 private:
  LocalTraining schedule_;
  at::Tensor velocity_;
};

class Adam final : public Optimizer {
 public:
  explicit Adam(const LocalTraining& schedule) : schedule_(schedule) {}

  void Step(at::Tensor& parameters, at::Tensor& gradient) override {
    if (schedule_.weight_decay != 0) gradient.add_(parameters, schedule_.weight_decay);
    if (!mean_.defined()) {
      mean_ = at::zeros_like(parameters);
      square_ = at::zeros_like(parameters);
    }
    ++steps_;
    mean_.mul_(kBeta1).add_(gradient, 1 - kBeta1);
    square_.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    const double correction1 = 1 - std::pow(kBeta1, steps_);
    const double correction2 = 1 - std::pow(kBeta2, steps_);
    at::sqrt_out(gradient, square_).div_(std::sqrt(correction2)).add_(kEpsilon);
    parameters.addcdiv_(mean_, gradient, -schedule_.learning_rate / correction1);
  }

  void Save(CheckpointWriter& out) const override {
    out.U64(static_cast<uint64_t>(steps_)).Floats(ValuesOf(mean_)).Floats(ValuesOf(square_));
  }
  Status Load(CheckpointReader& in, size_t length) override {
    steps_ = static_cast<int64_t>(in.U64());
    AISLE_ASSIGN_OR_RETURN(mean_, TensorOf(in.Floats(), length));
    AISLE_ASSIGN_OR_RETURN(square_, TensorOf(in.Floats(), length));
    if (mean_.defined() == square_.defined()) return OkStatus();
    return DataLoss("the checkpoint remembers half of what Adam needs");
  }

 private:
  static constexpr double kBeta1 = 0.9;
  static constexpr double kBeta2 = 0.999;
  static constexpr double kEpsilon = 1e-8;
  LocalTraining schedule_;
  at::Tensor mean_;
  at::Tensor square_;
  int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> MakeOptimizer(const LocalTraining& schedule) {
  if (schedule.optimizer == LocalOptimizer::kAdam) return std::make_unique<Adam>(schedule);
  return std::make_unique<Sgd>(schedule);
}

}  // namespace aisle

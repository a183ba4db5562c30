#include "store-agent/worker/optimizer.h"

#include <torch/script.h>

#include <cmath>

namespace aisle {

namespace {

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

#include "bench/direct_training.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace aisle {

namespace {

constexpr int64_t kInputs = 51;
constexpr int64_t kHidden1 = 64;
constexpr int64_t kHidden2 = 24;
constexpr int64_t kBatch = 64;

struct Network {
  at::Tensor weight1 = Draw({kHidden1, kInputs});
  at::Tensor bias1 = Draw({kHidden1});
  at::Tensor weight2 = Draw({kHidden2, kHidden1});
  at::Tensor bias2 = Draw({kHidden2});
  at::Tensor weight3 = Draw({1, kHidden2});
  at::Tensor bias3 = Draw({1});

  static at::Tensor Draw(at::IntArrayRef shape) { return (torch::randn(shape) * 0.1).set_requires_grad(true); }
  std::vector<at::Tensor> parameters() const { return {weight1, bias1, weight2, bias2, weight3, bias3}; }
  at::Tensor Forward(const at::Tensor& x) const {
    const at::Tensor hidden1 = torch::celu(torch::addmm(bias1, x, weight1.t()));
    const at::Tensor hidden2 = torch::celu(torch::addmm(bias2, hidden1, weight2.t()));
    return torch::addmm(bias3, hidden2, weight3.t()).select(1, 0);
  }
};

at::Tensor Huber(const at::Tensor& error) {
  const at::Tensor size = error.abs();
  return torch::where(size < 1.0, 0.5 * error * error, size - 0.5);
}

}  // namespace

double TrainDirectly(int64_t examples, int epochs) {
  at::set_num_threads(1);
  torch::manual_seed(1);
  const Network network;
  const at::Tensor x = torch::randn({examples, kInputs});
  const at::Tensor base = torch::randn({examples});
  const at::Tensor truth = torch::randn({examples});
  torch::optim::SGD optimizer(network.parameters(), torch::optim::SGDOptions(0.2).weight_decay(1e-3));
  const auto began = std::chrono::steady_clock::now();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const at::Tensor order = torch::randperm(examples, torch::kLong);
    for (int64_t at = 0; at < examples; at += kBatch) {
      const at::Tensor batch = order.narrow(0, at, std::min(kBatch, examples - at));
      optimizer.zero_grad();
      const at::Tensor guess = base.index_select(0, batch) + network.Forward(x.index_select(0, batch));
      const at::Tensor loss = Huber(guess - truth.index_select(0, batch)).mean();
      loss.backward();
      optimizer.step();
      if (!std::isfinite(loss.item<double>())) return 0;
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace aisle

#include "store-agent/worker/engine.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/script.h>

#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>

#include "store-agent/worker/failures.h"

namespace aisle {

namespace {

constexpr std::string_view kWarmUpScript = R"(
def warm(self, x: Dict[str, Tensor]) -> Tensor:
    y = torch.linear(x["x"], self.weight)
    if y.numel() > 0:
        y = torch.relu(y)
    return (y * y).mean(1)
)";

void WarmUpScript() {
  auto unit = std::make_shared<torch::jit::CompilationUnit>();
  torch::jit::Module module(c10::QualifiedName("__torch__.warm_up"), unit, true);
  module.register_attribute("training", c10::BoolType::get(), true);
  module.register_parameter("weight", torch::ones({8, 8}).set_requires_grad(true), false);
  module.define(std::string(kWarmUpScript));
  c10::Dict<std::string, at::Tensor> batch;
  batch.insert("x", torch::rand({16, 8}));
  for (int i = 0; i < 2; ++i) module.get_method("warm")({batch}).toTensor().mean().backward();
}

void WarmUpKernels() {
  const at::NoGradGuard no_grad;
  at::_nnpack_available();  // Reads /proc/cpuinfo once.
  const at::Tensor images = torch::rand({2, 3, 8, 8});
  torch::conv2d(images, torch::rand({4, 3, 3, 3}));
  torch::mm(torch::rand({64, 64}), torch::rand({64, 64}));
  torch::linalg_solve(torch::eye(4) * 2, torch::rand({4, 4}));
  torch::embedding(torch::rand({4, 4}), torch::zeros({2}, torch::kLong)).sum().item<float>();
  torch::dropout(images, 0.5, true);
  torch::rand({100}).sort();
}

// Keeps the end, where LibTorch says what happened after where it happened.
std::string Shorten(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > kErrorTextMax) text = "... " + text.substr(text.size() - kErrorTextMax);
  return text;
}

Status Explain(std::string_view what, const std::string& text) {
  if (text.find("allocate memory") != std::string::npos || text.find("not enough memory") != std::string::npos ||
      text.find("bad_alloc") != std::string::npos) {
    return ResourceExhausted("{}: not enough memory within the task's cap", what);
  }
  return PlanError("{}: {}", what, Shorten(text));
}

}  // namespace

void WarmUpEngine() {
  at::init_num_threads();
  at::set_num_threads(1);
  torch::jit::setGraphExecutorOptimize(false);
  WarmUpKernels();
  WarmUpScript();
}

void PrepareEngine(uint64_t seed, uint32_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  at::manual_seed(seed);
}

std::string EngineRandomness() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  const at::Tensor state = generator.get_state();
  return {reinterpret_cast<const char*>(state.data_ptr<uint8_t>()), static_cast<size_t>(state.numel())};
}

Status SetEngineRandomness(const std::string& state) {
  at::Tensor bytes = at::empty({static_cast<int64_t>(state.size())}, at::kByte);
  if (!state.empty()) std::memcpy(bytes.data_ptr<uint8_t>(), state.data(), state.size());
  const Status set = Guarded("random numbers", [&] {
    at::Generator generator = at::detail::getDefaultCPUGenerator();
    const std::lock_guard lock(generator.mutex());
    generator.set_state(bytes);
  });
  return set.ok() ? set : DataLoss("the checkpoint's randomness isn't LibTorch's: {}", MessageOf(set));
}

Status Guarded(std::string_view what, const std::function<void()>& body) {
  try {
    body();
    return OkStatus();
  } catch (const c10::Error& error) {
    return Explain(what, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    return Explain(what, "bad_alloc");
  } catch (const std::exception& error) {
    return Explain(what, error.what());
  } catch (...) {
    return PlanError("{}: an error of unknown kind", what);
  }
}

}  // namespace aisle

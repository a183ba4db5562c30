// LibTorch itself: warmed up before the sandbox closes, its settings fixed, its exceptions caught.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aisle {

// Touches whatever LibTorch, OpenBLAS and oneDNN set up lazily (processor probes, thread pools, the autograd engine,
// the TorchScript compiler), and turns the graph optimiser off: it never pays in short local training and it makes runs
// differ. Call once, on the thread that will run the tasks, before EnterSandbox.
void WarmUpEngine();

// The same seed, thread count, machine and plan give the same bits.
void PrepareEngine(uint64_t seed, uint32_t threads);

// What the numbers that programs draw from here on depend on, and its way back. DataLoss if it isn't such a thing.
std::string EngineRandomness();
Status SetEngineRandomness(const std::string& state);

// Runs `body`, which calls LibTorch. What it throws becomes PlanError with the library's text, cleaned of C++
// backtraces and cut to kErrorTextMax, after "what: "; failed allocations become ResourceExhausted.
inline constexpr size_t kErrorTextMax = 1500;
Status Guarded(std::string_view what, const std::function<void()>& body);

}  // namespace aisle

// How HQ moves the model by a round's mean update. Reddi et al., "Adaptive Federated Optimization" (ICLR 2021), whose
// pseudo-gradient is the mean update itself (trained - broadcast), so steps add. With d the mean update:
//
//   FedAvg      x += eta d                                              McMahan et al. 2017
//   FedAvgM     m = mu m + d;  x += eta m                               Hsu et al. 2019
//   FedAdagrad  m = b1 m + (1 - b1) d;  v += d^2                        Algorithm 2; the last three then do
//   FedYogi     likewise;  v -= (1 - b2) d^2 sign(v - d^2)                x += eta m / (sqrt(v) + tau)
//   FedAdam     likewise;  v = b2 v + (1 - b2) d^2                      with v starting at tau^2, m at 0
//
// There is no bias correction, as in the paper. Arithmetic is IEEE double per coordinate, without fused operations and
// without reductions, and the state is float32: the same inputs give the same bits on every machine and after a replay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aisle {

enum class ServerOptimizerKind : uint8_t { kFedAvg = 1, kFedAvgM, kFedAdagrad, kFedAdam, kFedYogi };

// "fedavg", "fedavgm", "fedadagrad", "fedadam", "fedyogi".
std::string_view ToString(ServerOptimizerKind kind);
StatusOr<ServerOptimizerKind> ParseServerOptimizerKind(std::string_view text);

struct ServerOptimizerPolicy {
  ServerOptimizerKind kind = ServerOptimizerKind::kFedAvg;
  double learning_rate = 1.0;  // eta, over 0 and up to 1000.
  double momentum = 0.9;       // mu in [0, 1), FedAvgM only.
  double beta1 = 0.9;          // In [0, 1), adaptive kinds.
  double beta2 = 0.99;         // In [0, 1), FedAdam and FedYogi.
  double tau = 1e-3;           // Adaptivity, in [1e-9, 1].

  // The paper's settings (section 5 and appendix D): beta1 = 0.9, beta2 = 0.99, tau = 1e-3, and beta1 = 0 for
  // FedAdagrad. It tunes eta per task; ours is 1 for FedAvg and FedAvgM and 0.01 for the adaptive kinds.
  static ServerOptimizerPolicy Defaults(ServerOptimizerKind kind);
  bool operator==(const ServerOptimizerPolicy&) const = default;
};

// InvalidArgument naming the setting and its range.
Status Validate(const ServerOptimizerPolicy& policy);

// Owns the optimizer's state between rounds: nothing for FedAvg, one float per parameter for FedAvgM, two for the
// adaptive kinds. Not thread-safe.
class ServerOptimizer {
 public:
  static StatusOr<ServerOptimizer> Make(const ServerOptimizerPolicy& policy, size_t parameter_count);

  // Moves `weights` (the trainable parameters, flat) by `mean_update`. InvalidArgument, and nothing changed, if a
  // length is wrong or the update holds a NaN or an infinity. OutOfRange if a weight left the float range: the weights
  // and this optimizer are then broken and the round must be given up (restore the state from before).
  Status Step(std::span<float> weights, std::span<const float> mean_update);

  const ServerOptimizerPolicy& policy() const { return policy_; }
  size_t parameter_count() const { return parameter_count_; }
  uint64_t steps() const { return steps_; }  // Done so far.

  // The state as canonical bytes, stored with each model version. RestoreState takes only bytes of the same kind and
  // parameter count (InvalidArgument) and unharmed (DataLoss); on error nothing changes.
  std::string EncodeState() const;
  Status RestoreState(std::string_view bytes);

 private:
  ServerOptimizer(const ServerOptimizerPolicy& policy, size_t parameter_count);

  ServerOptimizerPolicy policy_;
  size_t parameter_count_;
  uint64_t steps_ = 0;
  std::vector<float> momentum_;  // m; empty if the kind has none.
  std::vector<float> variance_;  // v; empty if the kind has none.
};

}  // namespace aisle

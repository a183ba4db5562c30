#include "aggregation/server_optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "aggregation/layout.h"
#include "base/check.h"
#include "base/codec.h"

namespace aisle {
namespace {

constexpr std::string_view kStateMagic = "AISLEO01";

struct KindName {
  ServerOptimizerKind kind;
  std::string_view name;
};
constexpr std::array kKindNames = {
    KindName{ServerOptimizerKind::kFedAvg, "fedavg"}, KindName{ServerOptimizerKind::kFedAvgM, "fedavgm"},
    KindName{ServerOptimizerKind::kFedAdagrad, "fedadagrad"}, KindName{ServerOptimizerKind::kFedAdam, "fedadam"},
    KindName{ServerOptimizerKind::kFedYogi, "fedyogi"}};

bool IsAdaptive(ServerOptimizerKind kind) {
  return kind == ServerOptimizerKind::kFedAdagrad || kind == ServerOptimizerKind::kFedAdam ||
         kind == ServerOptimizerKind::kFedYogi;
}

Status CheckRange(std::string_view name, double value, double min, double max) {
  if (value >= min && value <= max) return OkStatus();
  return InvalidArgument("the server optimizer's {} is {}; it must be from {} to {}", name, value, min, max);
}

Status CheckDecay(std::string_view name, double value) {
  if (value >= 0 && value < 1) return OkStatus();
  return InvalidArgument("the server optimizer's {} is {}; it must be at least 0 and under 1", name, value);
}

// One coordinate's next v, by kind (Reddi et al. 2021, Algorithm 2).
double NextVariance(const ServerOptimizerPolicy& policy, double v, double d) {
  const double square = d * d;
  switch (policy.kind) {
    case ServerOptimizerKind::kFedAdam:
      return policy.beta2 * v + (1 - policy.beta2) * square;
    case ServerOptimizerKind::kFedYogi: {
      const double sign = v > square ? 1.0 : (v < square ? -1.0 : 0.0);
      return v - (1 - policy.beta2) * square * sign;
    }
    default:
      return v + square;
  }
}

// State is rounded to float32 first and the step is made from what is stored, so a replay from it can't differ.
void StepMomentum(const ServerOptimizerPolicy& policy, std::span<float> weights, std::span<const float> update,
                  std::span<float> momentum) {
  for (size_t i = 0; i < weights.size(); ++i) {
    momentum[i] = static_cast<float>(policy.momentum * momentum[i] + update[i]);
    weights[i] = static_cast<float>(weights[i] + policy.learning_rate * momentum[i]);
  }
}

void StepAdaptive(const ServerOptimizerPolicy& policy, std::span<float> weights, std::span<const float> update,
                  std::span<float> momentum, std::span<float> variance) {
  for (size_t i = 0; i < weights.size(); ++i) {
    const double d = update[i];
    momentum[i] = static_cast<float>(policy.beta1 * momentum[i] + (1 - policy.beta1) * d);
    variance[i] = static_cast<float>(NextVariance(policy, variance[i], d));
    const double step = momentum[i] / (std::sqrt(static_cast<double>(variance[i])) + policy.tau);
    weights[i] = static_cast<float>(weights[i] + policy.learning_rate * step);
  }
}

bool AllFinite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

void WriteFloats(ByteWriter& writer, const std::vector<float>& values) {
  writer.Raw({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

void ReadFloats(ByteReader& reader, std::vector<float>& values) {
  const std::string_view raw = reader.Raw(values.size() * sizeof(float));
  if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
}

}  // namespace

std::string_view ToString(ServerOptimizerKind kind) {
  const auto found = std::ranges::find(kKindNames, kind, &KindName::kind);
  AISLE_CHECK(found != kKindNames.end(), "no server optimizer {}", static_cast<int>(kind));
  return found->name;
}

StatusOr<ServerOptimizerKind> ParseServerOptimizerKind(std::string_view text) {
  const auto found = std::ranges::find(kKindNames, text, &KindName::name);
  if (found != kKindNames.end()) return found->kind;
  return InvalidArgument("no server optimizer is called \"{}\"; use fedavg, fedavgm, fedadagrad, fedadam or fedyogi",
                         text.substr(0, 64));
}

ServerOptimizerPolicy ServerOptimizerPolicy::Defaults(ServerOptimizerKind kind) {
  ServerOptimizerPolicy policy{.kind = kind};
  if (IsAdaptive(kind)) policy.learning_rate = 0.01;
  if (kind == ServerOptimizerKind::kFedAdagrad) policy.beta1 = 0;
  return policy;
}

Status Validate(const ServerOptimizerPolicy& policy) {
  if (std::ranges::find(kKindNames, policy.kind, &KindName::kind) == kKindNames.end()) {
    return InvalidArgument("no server optimizer has number {}", static_cast<int>(policy.kind));
  }
  AISLE_RETURN_IF_ERROR(CheckRange("learning_rate", policy.learning_rate, 1e-9, 1000));
  AISLE_RETURN_IF_ERROR(CheckDecay("momentum", policy.momentum));
  AISLE_RETURN_IF_ERROR(CheckDecay("beta1", policy.beta1));
  AISLE_RETURN_IF_ERROR(CheckDecay("beta2", policy.beta2));
  return CheckRange("tau", policy.tau, 1e-9, 1);
}

StatusOr<ServerOptimizer> ServerOptimizer::Make(const ServerOptimizerPolicy& policy, size_t parameter_count) {
  AISLE_RETURN_IF_ERROR(Validate(policy));
  if (parameter_count == 0 || parameter_count > kElementsMax) {
    return InvalidArgument("a server optimizer of {} parameters; it must have 1 to {}", parameter_count, kElementsMax);
  }
  return ServerOptimizer(policy, parameter_count);
}

ServerOptimizer::ServerOptimizer(const ServerOptimizerPolicy& policy, size_t parameter_count)
    : policy_(policy), parameter_count_(parameter_count) {
  if (policy.kind != ServerOptimizerKind::kFedAvg) momentum_.resize(parameter_count);
  if (IsAdaptive(policy.kind)) variance_.resize(parameter_count, static_cast<float>(policy.tau * policy.tau));
}

Status ServerOptimizer::Step(std::span<float> weights, std::span<const float> mean_update) {
  if (weights.size() != parameter_count_ || mean_update.size() != parameter_count_) {
    return InvalidArgument("{} weights and an update of {} for a server optimizer of {}", weights.size(),
                           mean_update.size(), parameter_count_);
  }
  if (!AllFinite(mean_update))
    return InvalidArgument("the mean update holds a NaN or an infinity; nothing was changed");
  switch (policy_.kind) {
    case ServerOptimizerKind::kFedAvg:
      std::ranges::transform(weights, mean_update, weights.begin(), [this](float weight, float d) {
        return static_cast<float>(weight + policy_.learning_rate * d);
      });
      break;
    case ServerOptimizerKind::kFedAvgM:
      StepMomentum(policy_, weights, mean_update, momentum_);
      break;
    default:
      StepAdaptive(policy_, weights, mean_update, momentum_, variance_);
      break;
  }
  ++steps_;
  if (!AllFinite(weights) || !AllFinite(momentum_) || !AllFinite(variance_)) {
    return OutOfRange("step {} of {} took a weight out of the float range; lower its learning_rate of {}", steps_,
                      ToString(policy_.kind), policy_.learning_rate);
  }
  return OkStatus();
}

std::string ServerOptimizer::EncodeState() const {
  ByteWriter writer;
  writer.Raw(kStateMagic).U8(static_cast<uint8_t>(policy_.kind)).U64(parameter_count_).U64(steps_);
  WriteFloats(writer, momentum_);
  WriteFloats(writer, variance_);
  return writer.Take();
}

Status ServerOptimizer::RestoreState(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.Raw(kStateMagic.size()) != kStateMagic) return DataLoss("these bytes are not a server optimizer's state");
  const uint8_t kind = reader.U8();
  const uint64_t parameters = reader.U64();
  const uint64_t steps = reader.U64();
  AISLE_RETURN_IF_ERROR(reader.status("the server optimizer's state"));
  if (kind != static_cast<uint8_t>(policy_.kind) || parameters != parameter_count_) {
    return InvalidArgument("the state is of optimizer {} with {} parameters; this one is {} ({}) with {}", kind,
                           parameters, static_cast<int>(policy_.kind), ToString(policy_.kind), parameter_count_);
  }
  std::vector<float> momentum(momentum_.size());
  std::vector<float> variance(variance_.size());
  ReadFloats(reader, momentum);
  ReadFloats(reader, variance);
  AISLE_RETURN_IF_ERROR(reader.Finish("the server optimizer's state"));
  if (!AllFinite(momentum) || !AllFinite(variance) || std::ranges::any_of(variance, [](float v) { return v < 0; })) {
    return DataLoss("the server optimizer's state holds a number it can't have");
  }
  steps_ = steps;
  momentum_ = std::move(momentum);
  variance_ = std::move(variance);
  return OkStatus();
}

}  // namespace aisle

// The flat tensor format, and what a server optimizer remembers between rounds: what decodes must encode to the same
// bytes again.
#include "aggregation/weights.h"

#include "aggregation/modular_sum.h"
#include "aggregation/server_optimizer.h"
#include "base/check.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::weights {
namespace {

constexpr size_t kParameters = 3;

ServerOptimizer Optimizer() {
  return ServerOptimizer::Make(ServerOptimizerPolicy::Defaults(ServerOptimizerKind::kFedAdam), kParameters).value();
}

void TryState(std::string_view input) {
  ServerOptimizer optimizer = Optimizer();
  const std::string before = optimizer.EncodeState();
  const bool restored = optimizer.RestoreState(input).ok();
  AISLE_CHECK(optimizer.EncodeState() == (restored ? input : before));
}

}  // namespace

void TryInput(std::string_view input) {
  (void)DecodeWeightsLayout(input);
  const StatusOr<Weights> weights = DecodeWeights(input);
  if (weights.ok()) AISLE_CHECK(EncodeWeights(*weights) == input);
  TryState(input);
  (void)ModularSum::FromBytes(input);
}

std::vector<std::string> Seeds() {
  const StatusOr<Layout> layout = Layout::Make({{"hidden.weight", {3, 4}}, {"bias", {5}}, {"scalar", {}}});
  AISLE_CHECK(layout.ok());
  ServerOptimizer optimizer = Optimizer();
  std::vector<float> model(kParameters, 1.0f);
  const std::vector<float> update = {0.5f, -0.25f, 2.0f};
  AISLE_CHECK(optimizer.Step(model, update).ok());
  return {EncodeWeights({*layout, std::vector<float>(layout->element_count(), 0.5f)}), optimizer.EncodeState()};
}

}  // namespace aisle::fuzz::weights

AISLE_FUZZ_TARGET(weights);

// The flat tensor format: what decodes must encode to the same bytes again.
#include "aggregation/weights.h"
#include "base/check.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::weights {

void TryInput(std::string_view input) {
  (void)DecodeWeightsLayout(input);
  const StatusOr<Weights> weights = DecodeWeights(input);
  if (weights.ok()) AISLE_CHECK(EncodeWeights(*weights) == input);
}

std::vector<std::string> Seeds() {
  const StatusOr<Layout> layout = Layout::Make({{"hidden.weight", {3, 4}}, {"bias", {5}}, {"scalar", {}}});
  AISLE_CHECK(layout.ok());
  return {EncodeWeights({*layout, std::vector<float>(layout->element_count(), 0.5f)})};
}

}  // namespace aisle::fuzz::weights

AISLE_FUZZ_TARGET(weights);

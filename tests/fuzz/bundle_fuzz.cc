// Plan bundles come over the wire; their bytes are canonical, so what decodes must encode to the same bytes again.
#include "base/check.h"
#include "plans/bundle.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::bundle {

void TryInput(std::string_view input) {
  const StatusOr<PlanBundle> bundle = PlanBundle::Decode(input);
  if (!bundle.ok()) return;
  AISLE_CHECK(bundle->Encode() == input);
  (void)bundle->plan();
}

std::vector<std::string> Seeds() {
  return {PlanBundle{.plan_toml = "[plan]\nname = \"tiny\"\nversion = 1\nsource = \"tiny.py\"\n",
                     .program = "def loss(self, batch: Dict[str, Tensor]) -> Tensor:\n    return batch[\"x\"]\n",
                     .initial_weights = Sha256::Of("weights"),
                     .initial_weights_size = 4096}
              .Encode()};
}

}  // namespace aisle::fuzz::bundle

AISLE_FUZZ_TARGET(bundle);

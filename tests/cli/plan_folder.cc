#include "tests/cli/plan_folder.h"

#include <filesystem>

#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

constexpr const char* kHead = R"(
[plan]
name = "tiny"
version = 1
description = "A line through weekly sales."
source = "tiny.py"

[tables.sales.columns]
week = {type = "int64", range = [0, 200]}
units = {type = "double", range = [0, 100]}

[training]
learning_rate = 0.01
epochs = 1
batch_size = 32

[validation]
last = 4

[cohort]
min = 2
target = 3

[limits]
memory = "1 GiB"
cpu_time = "1m"
wall_time = "2m"

[metrics.squared_error]
bound = 100.0

[[parameters]]
name = "slope"
shape = [2]
init = "zeros"
)";

constexpr const char* kSource = R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    sales = tables["sales"]
    week = sales["week"]
    return {"week": week.float() / 100.0, "units": sales["units"].float() / 100.0, "time": week,
            "unit": torch.zeros_like(week)}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    return (self.slope[0] + self.slope[1] * batch["week"] - batch["units"]).pow(2)

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    error = self.slope[0] + self.slope[1] * batch["week"] - batch["units"]
    return {"squared_error": error.pow(2).sum(), "count": torch.tensor(float(error.numel()))}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"units": (self.slope[0] + self.slope[1] * batch["week"]) * 100.0}
)";

}  // namespace

void WriteTinyPlan(const std::string& folder, double noise) {
  std::filesystem::create_directories(folder);
  const std::string privacy =
      noise == 0 ? "\n[privacy]\nsecure_sum = false\nmode = \"none\"\nclip_norm = 1.0\nrounds_max = 50\n"
                 : "\n[privacy]\nsecure_sum = false\nmode = \"store\"\nclip_norm = 1.0\nnoise_multiplier = " +
                       std::to_string(noise) + "\ndelta = 1e-5\nrounds_max = 50\n";
  Write(folder + "/plan.toml", kHead + privacy);
  Write(folder + "/tiny.py", kSource);
}

}  // namespace aisle::cli

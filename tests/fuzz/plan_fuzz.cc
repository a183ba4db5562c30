// plan.toml, which headquarters' people write and every store parses.
#include "plans/plan.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::plan {

void TryInput(std::string_view input) { (void)Plan::Parse(input); }

std::vector<std::string> Seeds() {
  return {R"(
[plan]
name = "tiny"
version = 1
source = "tiny.py"
[tables.sales.columns]
week = {type = "int64", range = [0, 200]}
photo = {type = "bytes", width = 12}
[training]
optimizer = "adam"
learning_rate = 0.01
epochs = 2
batch_size = 32
[validation]
last = 13
[privacy]
secure_sum = false
mode = "store"
clip_norm = 1.0
noise_multiplier = 0.5
delta = 1e-6
rounds_max = 40
[cohort]
min = 2
target = 12
[server]
optimizer = "fedadam"
[deadlines]
training = "10m"
[limits]
memory = "1 GiB"
[metrics.loss]
bound = 10.0
[[parameters]]
name = "weight"
shape = [3, 4]
init = "uniform_fan_in"
)"};
}

}  // namespace aisle::fuzz::plan

AISLE_FUZZ_TARGET(plan);

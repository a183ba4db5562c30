// A small complete plan.toml, with holes for tests to spoil.
#pragma once

#include <string>
#include <string_view>

namespace aisle {

inline std::string SamplePlan() {
  return R"([plan]
name = "sample"
version = 3
description = "what the weather does to ice cream"
source = "sample.py"
seed = 5

[tables.sales]
rows_min = 10
[tables.sales.columns]
week = {type = "int64", range = [0, 200]}
price = {type = "double", range = [0, 10]}
household = {type = "customer"}

[training]
optimizer = "adam"
learning_rate = 0.01
epochs = 3
batch_size = 32

[validation]
last = 13

[privacy]
secure_sum = false
mode = "store"
clip_norm = 0.5
noise_multiplier = 1.5
delta = 1e-6
rounds_max = 100

[cohort]
min = 8
target = 40

[server]
optimizer = "fedadam"
tau = 0.01

[deadlines]
training = "20m"

[limits]
memory = "2 GiB"
cpu_time = "5m"

[metrics.loss]
bound = 2.0

[[parameters]]
name = "base"
shape = [10, 4]
init = "normal"
scale = 0.1
trainable = false

[[parameters]]
name = "weight"
shape = [4, 16]
init = "uniform_fan_in"

[[parameters]]
name = "bias"
shape = [4]
init = "constant"
scale = 0.25
)";
}

inline std::string SamplePlanWith(std::string_view what, std::string_view instead) {
  std::string text = SamplePlan();
  return text.replace(text.find(what), what.size(), instead);
}

}  // namespace aisle

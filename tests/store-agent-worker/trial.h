// Helpers for trying plans on a real aisle-worker process.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/weights.h"
#include "aisle/v1/worker.pb.h"
#include "plans/bundle.h"
#include "store-agent/supervisor/worker_process.h"

namespace aisle {

// A plan over one table `points` (a int64 in [0, 99], x double in [-1, 1], y double in [-3, 3]) with two parameters,
// `slope` [1] and `offset` [1]; parts of plan.toml and of the program can be swapped.
struct LinePlan {
  std::string training = "optimizer = \"sgd\"\nlearning_rate = 0.1\nepochs = 5\nbatch_size = 16";
  std::string validation = "last = 10";
  std::string limits = "memory = \"1 GiB\"\ncpu_time = \"60s\"\nwall_time = \"60s\"";
  std::string prepare = R"(
    points = tables["points"]
    return {"unit": torch.zeros_like(points["a"]), "time": points["a"], "x": points["x"].to(6), "y": points["y"].to(6)})";
  std::string loss = "\n    return torch.square(batch[\"x\"] * self.slope + self.offset - batch[\"y\"])";
  std::string metrics = R"(
    error = batch["x"] * self.slope + self.offset - batch["y"]
    return {"count": torch.ones_like(error).sum(), "squared_error": torch.square(error).sum()})";
  std::string predict = "\n    return {\"y\": batch[\"x\"] * self.slope + self.offset}";
  std::string more;  // Further methods.
  bool offset_trains = true;

  std::string Toml() const;
  std::string Source() const;
  PlanBundle Bundle() const;
  std::string Weights() const;  // The initial ones, encoded.
};

// `rows` points of y = 2 x - 1 with a little noise, a = 0, 1, 2, ...
v1::TableData LinePoints(uint64_t rows);

std::string Seed(uint8_t value = 7);  // 32 bytes.

v1::WorkerRequest TrainRequest(const LinePlan& plan, uint64_t rows = 100);
v1::WorkerRequest InspectRequest(const LinePlan& plan);

TaskLimits RoomyLimits();

std::unique_ptr<WorkerProcess> StartWorker();
// One shared worker, started anew whenever the last test's task ended it.
WorkerOutcome RunOnShared(const v1::WorkerRequest& request, const TaskLimits& limits = RoomyLimits());

}  // namespace aisle

// A plan whose customers' vectors can be chosen at will, and a worker that runs it in this very process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aisle/v1/worker.pb.h"
#include "plans/bundle.h"
#include "plans/plan.h"
#include "store-agent/worker/tasks.h"
#include "tests/falsifier/mechanism.h"

namespace aisle {

// One row: customer `who` pulls the parameter `axis` by `pull`.
struct Pull {
  int64_t who = 0;
  int64_t axis = 0;
  double pull = 0;
};

// Parameters w [dimensions], all zero. A row's loss is -pull * w[axis], so a customer's gradient step is the mean of
// its pulls, wherever the weights are. Parts can be swapped.
struct PullPlan {
  std::string mode = "customer";
  size_t dimensions = 4;
  double q = 1;
  double z = 1;
  std::string training = "local_steps = 1";
  std::string more_privacy;
  std::string validation;
  std::string prepare = R"(
    pulls = tables["pulls"]
    return {"unit": pulls["who"], "time": pulls["axis"], "axis": pulls["axis"], "pull": pulls["pull"].to(6)})";
  std::string loss = R"(
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))";
  std::string metrics = R"(
    return {"count": torch.ones_like(batch["pull"]).sum()})";
  std::string parameters;  // Further [[parameters]], [metrics] and the like.

  std::string Toml() const;
  std::string Source() const;
  std::string Weights() const;
  PlanBundle Bundle() const;
};

class PullWorker {
 public:
  explicit PullWorker(const PullPlan& plan);

  const Plan& plan() const { return plan_; }
  const Grid& grid() const { return grid_; }

  v1::WorkerRequest Request(const std::vector<Pull>& rows, uint64_t seed = 1) const;
  v1::WorkerReply Train(const std::vector<Pull>& rows, uint64_t seed);
  // Its update: noiseless in mode customer. Fails the test, and is empty, if the worker failed.
  std::vector<int32_t> Update(const std::vector<Pull>& rows, uint64_t seed = 1);
  // As asked for in `request`; `marks` gets what is said of customers on the way.
  std::vector<int32_t> UpdateFor(const v1::WorkerRequest& request, std::vector<v1::Mark>* marks = nullptr);
  // The dry run that plans pass before they are sent.
  v1::WorkerReply Inspect();

 private:
  std::string bundle_;
  std::string weights_;
  Plan plan_;
  Grid grid_;
  TaskRunner runner_;
};

std::vector<int32_t> UpdateOf(const v1::WorkerReply& reply);

// `rows` without those of one customer, and those of it alone.
std::vector<Pull> Without(const std::vector<Pull>& rows, int64_t who);
std::vector<Pull> Only(const std::vector<Pull>& rows, int64_t who);

}  // namespace aisle

#include "store-agent/supervisor/customer_attempts.h"

#include <algorithm>

namespace aisle {
namespace {

// Ends that one customer's rows can bring about by themselves.
bool MayBeOneCustomersDoing(WorkerEnd end) {
  switch (end) {
    case WorkerEnd::kPlanError:
    case WorkerEnd::kMemoryCap:
    case WorkerEnd::kCustomerTimeCap:
    case WorkerEnd::kSandbox:
    case WorkerEnd::kCrash:
      return true;
    default:
      return false;
  }
}

bool IsLeftOut(const v1::TrainTask& task, uint32_t customer) {
  return std::ranges::find(task.left_out(), customer, &v1::LeftOut::customer) != task.left_out().end();
}

bool TryAlone(const std::vector<uint32_t>& customers, v1::TrainTask& task) {
  bool any = false;
  for (const uint32_t customer : customers) {
    if (std::ranges::find(task.alone(), customer) != task.alone().end()) continue;
    task.add_alone(customer);
    any = true;
  }
  return any;
}

WorkerOutcome RunOnce(std::unique_ptr<WorkerProcess>& worker, const std::string& program, v1::WorkerRequest& request,
                      const TaskLimits& caps, std::stop_token stop, CheckpointKeeper* keeper) {
  if (worker == nullptr || !worker->alive()) {
    StatusOr<std::unique_ptr<WorkerProcess>> started = WorkerProcess::Start(program);
    if (!started.ok()) {
      WorkerOutcome outcome;
      outcome.detail = std::string(MessageOf(started.status()));
      return outcome;
    }
    worker = *std::move(started);
  }
  WorkerProcess::OnCheckpoint keep;
  if (keeper != nullptr) {
    keep = [&](const v1::Checkpoint& piece) { keeper->Keep(piece, request.train()); };
    keeper->PutInto(*request.mutable_train());
  }
  WorkerOutcome outcome = worker->Run(request, caps, {}, std::move(stop), keep);
  if (!outcome.worker_survives()) worker.reset();
  return outcome;
}

void Add(const WorkerUse& use, WorkerUse& total) {
  total.memory_peak = std::max(total.memory_peak, use.memory_peak);
  total.cpu_time += use.cpu_time;
  total.wall_time += use.wall_time;
}

// Whether to run the task once more as it is.
bool WasAnAccident(const WorkerOutcome& outcome, int& accidents) {
  return outcome.killed && accidents++ < kAccidentsMax;
}

// The worker found its checkpoint not to be one: the task begins at its beginning.
bool DropsItsCheckpoint(const WorkerOutcome& outcome, v1::TrainTask& task, CheckpointKeeper* keeper) {
  if (outcome.end != WorkerEnd::kBadRequest || task.resume().empty() || keeper == nullptr) return false;
  keeper->DropCheckpoint();
  task.clear_resume();
  return true;
}

}  // namespace

bool LeaveOutWhoeverBrokeIt(const WorkerOutcome& outcome, v1::TrainTask& task) {
  const std::vector<uint32_t>& customers = outcome.mark.customers;
  if (!MayBeOneCustomersDoing(outcome.end) || customers.empty()) return false;
  if (customers.size() > 1) return TryAlone(customers, task);
  if (IsLeftOut(task, customers[0])) return false;
  v1::LeftOut& left_out = *task.add_left_out();
  left_out.set_customer(customers[0]);
  left_out.set_from_step(outcome.mark.step);
  return true;
}

CustomerAttempts RunWithoutWhoeverBreaksIt(std::unique_ptr<WorkerProcess>& worker, const std::string& program,
                                           v1::WorkerRequest& request, const TaskLimits& caps, std::stop_token stop,
                                           CheckpointKeeper* keeper) {
  WorkerUse total;
  TaskLimits left = caps;
  int accidents = 0;
  while (true) {
    CustomerAttempts attempts{.outcome = RunOnce(worker, program, request, left, stop, keeper)};
    Add(attempts.outcome.use, total);
    attempts.outcome.use = total;
    left.cpu_time = caps.cpu_time - total.cpu_time;
    left.wall_time = caps.wall_time - total.wall_time;
    left.customer_time = caps.OneCustomersTime();
    v1::TrainTask& task = *request.mutable_train();
    const bool again = WasAnAccident(attempts.outcome, accidents) ||
                       DropsItsCheckpoint(attempts.outcome, task, keeper) ||
                       LeaveOutWhoeverBrokeIt(attempts.outcome, task);
    attempts.left_out = static_cast<size_t>(task.left_out_size());
    if (!again) return attempts;
    if (stop.stop_requested()) {
      attempts.outcome.end = WorkerEnd::kStopped;
      return attempts;
    }
    if (std::min(left.cpu_time, left.wall_time) <= absl::ZeroDuration()) return attempts;
  }
}

}  // namespace aisle

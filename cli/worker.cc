#include "cli/worker.h"

#include <cstdlib>
#include <filesystem>

#include "cli/environment.h"
#include "cli/progress.h"
#include "store-agent/supervisor/worker_process.h"

namespace aisle::cli {

struct LocalWorker::State {
  std::string program;
  std::unique_ptr<WorkerProcess> process;  // Null until the first task, and after one that ended it.
};

std::string WorkerProgram(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* variable = std::getenv(kWorkerVariable); variable != nullptr && *variable != '\0') return variable;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "aisle-worker" : (self.parent_path() / "aisle-worker").string();
}

TaskLimits DefaultLimits() {
  return {.memory = uint64_t{4} << 30, .cpu_time = absl::Minutes(10), .wall_time = absl::Minutes(15)};
}

LocalWorker::LocalWorker(const std::string& program) : state_(std::make_unique<State>()) { state_->program = program; }
LocalWorker::~LocalWorker() = default;

StatusOr<v1::WorkerReply> LocalWorker::Run(const v1::WorkerRequest& request, const TaskLimits& limits,
                                           const std::string& title) {
  if (state_->process == nullptr || !state_->process->alive()) {
    StatusOr<std::unique_ptr<WorkerProcess>> started = WorkerProcess::Start(state_->program);
    if (!started.ok()) {
      return Annotate(started.status(),
                      fmt::format("plans run in a worker (--worker PROGRAM or {} says where it is)", kWorkerVariable));
    }
    state_->process = *std::move(started);
  }
  ProgressBar bar(title, ProgressBar::Unit::kCount);
  bar.Show(0, 0);
  WorkerOutcome outcome = state_->process->Run(
      request, limits, [&bar](const v1::Progress& progress) { bar.Show(progress.step(), progress.steps_total()); });
  if (!outcome.worker_survives()) state_->process.reset();
  AISLE_RETURN_IF_ERROR(outcome.status());
  return std::move(outcome.reply);
}

}  // namespace aisle::cli

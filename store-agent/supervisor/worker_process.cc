#include "store-agent/supervisor/worker_process.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "base/check.h"
#include "base/clock.h"
#include "base/secret.h"
#include "store-agent/supervisor/conversation.h"
#include "store-agent/supervisor/customer_clock.h"
#include "store-agent/supervisor/environment.h"

namespace aisle {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsCapped = false;  // Sanitizers map terabytes that they never touch.
#else
constexpr bool kMemoryIsCapped = true;
#endif

// RLIMIT_DATA counts what is mapped, a cap what is resident. An idle worker maps 348 MiB of private memory and touches
// 59 of it, and has 112 MiB of libraries resident beside (measured on Debian 12): this much more may be mapped than
// used.
constexpr uint64_t kMappedBeyondResident = uint64_t{176} << 20;

using Event = Conversation::Event;

// What an answer to `request` may measure: vectors as long as the model, and a little more.
uint32_t ReplySizeMax(const v1::WorkerRequest& request) {
  uint64_t size = kReplyFrameSlack;
  if (request.has_train()) size += 2 * request.train().weights().size() + kCheckpointPieceMax;
  if (request.has_export_archive()) size += 4 * request.export_archive().archive().size();
  return static_cast<uint32_t>(std::min<uint64_t>(size, kRequestFrameMax));
}

// A line of /proc/PID/status such as "VmHWM:  12345 kB", in bytes; 0 if it can't be read.
uint64_t ReadMemoryLine(pid_t pid, std::string_view name) {
  const StatusOr<std::string> text = ReadFile(fmt::format("/proc/{}/status", pid));
  if (!text.ok()) return 0;
  const size_t at = text->find(fmt::format("\n{}:", name));
  if (at == std::string::npos) return 0;
  return std::strtoull(text->c_str() + at + name.size() + 2, nullptr, 10) * 1024;
}

// Lowers the soft limit only: raising it again for the next task needs no privilege then.
void SetSoftLimit(pid_t pid, __rlimit_resource resource, rlim_t value) {
  rlimit limit{};
  if (prlimit(pid, resource, nullptr, &limit) != 0) return;
  limit.rlim_cur = std::min(value, limit.rlim_max);
  prlimit(pid, resource, &limit, nullptr);
}

// What a dead child had to say that nobody has read.
std::string LastWords(const Child& child) {
  std::array<char, 1000> words;
  const ssize_t got = read(child.errors.get(), words.data(), words.size());
  return {words.data(), got > 0 ? static_cast<size_t>(got) : 0};
}

}  // namespace

struct WorkerProcess::State {
  Child child;
  FileDescriptor wake;
  uint64_t memory_cap = 0;
  absl::Duration cpu_time_at_death;

  bool exists() const { return child.pid > 0; }
  // Not even waiting to be reaped: a worker may die between two tasks, of the system's hand.
  bool alive() const {
    siginfo_t info{};
    return exists() && waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }
  Death Reap();
  absl::Duration cpu_time() const { return exists() ? CpuTimeOf(child.pid) : cpu_time_at_death; }
  void Kill() {
    if (!exists()) return;
    kill(-child.pid, SIGKILL);
    Reap();
  }
  void ApplyCaps(const TaskLimits& caps);
  struct Ears {
    const OnProgress& on_progress;
    const OnCheckpoint& on_checkpoint;
  };
  WorkerOutcome Converse(const v1::WorkerRequest& request, const TaskLimits& caps, const Ears& ears);
  // Whom the worker is at work on, and until when.
  struct Watch {
    WorkerMark mark;
    CustomerClock clock;
  };
  WorkerOutcome Listen(Conversation& talk, const v1::WorkerRequest& request, const TaskLimits& caps, const Ears& ears,
                       Watch& watch);
  // What to make of one message: nothing if the task goes on.
  static std::optional<WorkerOutcome> Understand(const std::string& message, uint64_t request_id, const Ears& ears,
                                                 Watch& watch);
};

// Waits for the child, which must be dying, and forgets it.
Death WorkerProcess::State::Reap() {
  Death death{.wait_status = 0, .memory_peak = 0, .memory_cap = memory_cap, .last_words = {}};
  rusage usage{};
  while (wait4(child.pid, &death.wait_status, 0, &usage) < 0 && errno == EINTR) {
  }
  death.memory_peak = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
  cpu_time_at_death = absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
  child = Child{};
  return death;
}

void WorkerProcess::State::ApplyCaps(const TaskLimits& caps) {
  memory_cap = caps.memory;
  if (kMemoryIsCapped) SetSoftLimit(child.pid, RLIMIT_DATA, caps.memory + kMappedBeyondResident);
  const absl::Duration until = CpuTimeOf(child.pid) + caps.cpu_time;
  SetSoftLimit(child.pid, RLIMIT_CPU, static_cast<rlim_t>(absl::ToInt64Seconds(absl::Ceil(until, absl::Seconds(1)))));
}

std::optional<WorkerOutcome> WorkerProcess::State::Understand(const std::string& message, uint64_t request_id,
                                                              const Ears& ears, Watch& watch) {
  WorkerWord word = UnderstandWorker(message, request_id);
  if (auto* outcome = std::get_if<WorkerOutcome>(&word)) return std::move(*outcome);
  if (auto* mark = std::get_if<WorkerMark>(&word)) {
    watch.mark = std::move(*mark);
    watch.clock.Begin(watch.mark.customers.size());
  } else if (auto* checkpoint = std::get_if<v1::Checkpoint>(&word)) {
    if (ears.on_checkpoint) ears.on_checkpoint(*checkpoint);
    Wipe(checkpoint->mutable_piece()->data(), checkpoint->piece().size());
  } else if (ears.on_progress) {
    ears.on_progress(std::get<v1::Progress>(word));
  }
  return std::nullopt;
}

WorkerOutcome WorkerProcess::State::Converse(const v1::WorkerRequest& request, const TaskLimits& caps,
                                             const Ears& ears) {
  Conversation talk(child, ReplySizeMax(request), wake.get());
  talk.Send(request.SerializeAsString());
  Watch watch{.mark = {}, .clock = CustomerClock(child.pid, caps.OneCustomersTime())};
  WorkerOutcome outcome = Listen(talk, request, caps, ears, watch);
  if (!outcome.ok()) outcome.mark = std::move(watch.mark);
  return outcome;
}

WorkerOutcome WorkerProcess::State::Listen(Conversation& talk, const v1::WorkerRequest& request, const TaskLimits& caps,
                                           const Ears& ears, Watch& watch) {
  auto deadline = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(caps.wall_time);
  bool stopping = false;
  while (true) {
    const bool customer_first = watch.clock.look_at() < deadline;
    switch (talk.Wait(std::min(deadline, watch.clock.look_at()), !stopping)) {
      case Event::kMessage:
        if (auto outcome = Understand(talk.message(), request.request_id(), ears, watch)) {
          return *std::move(outcome);
        }
        break;
      case Event::kClosed: {
        kill(-child.pid, SIGKILL);  // Closing its output is no way to go on living.
        Death death = Reap();
        death.last_words = talk.last_words();
        return OutcomeOfDeath(death);
      }
      case Event::kBadFrame:
        return Ended(WorkerEnd::kBadFrame, fmt::format("the worker sent {}", MessageOf(talk.mistake())));
      case Event::kDeadline:
        if (customer_first && talk.HasMore()) {
          watch.clock.Postpone();
        } else if (customer_first) {
          if (!watch.clock.IsOver()) break;
          return Ended(WorkerEnd::kCustomerTimeCap,
                       fmt::format("one customer's rows kept the plan busy for more than {} ([limits] customer_time)",
                                   aisle::FormatDuration(caps.OneCustomersTime())));
        } else if (stopping) {
          return Ended(WorkerEnd::kStopped, "the task was stopped and its worker killed");
        } else {
          return Ended(WorkerEnd::kWallTimeCap,
                       fmt::format("the task took longer than its {} ([limits] wall_time, or the site policy's cap)",
                                   aisle::FormatDuration(caps.wall_time)));
        }
        break;
      case Event::kWoken: {
        stopping = true;
        v1::WorkerRequest stop;
        stop.mutable_stop();
        talk.Send(stop.SerializeAsString());
        deadline = std::min(deadline, std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(kStopGrace));
      }
    }
  }
}

WorkerProcess::WorkerProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}
WorkerProcess::~WorkerProcess() { Kill(); }

StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::string& program) {
  auto state = std::make_unique<State>();
  state->wake = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->wake.valid()) return ErrnoStatus(errno, "make", "an eventfd for the worker");
  AISLE_ASSIGN_OR_RETURN(state->child, Spawn(program, WorkerEnvironment()));
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(std::move(state)));
}

WorkerOutcome WorkerProcess::Run(const v1::WorkerRequest& request, const TaskLimits& caps,
                                 const OnProgress& on_progress, std::stop_token stop,
                                 const OnCheckpoint& on_checkpoint) {
  if (!alive()) {
    const std::string last_words = state_->exists() ? LastWords(state_->child) : "";
    Kill();
    WorkerOutcome gone = Ended(
        WorkerEnd::kNotStarted,
        fmt::format("this worker died before the task; start another{}{}", last_words.empty() ? "" : ": ", last_words));
    gone.killed = true;
    return gone;
  }
  if (request.ByteSizeLong() > kRequestFrameMax) {
    return Ended(WorkerEnd::kMemoryCap,
                 fmt::format("the task has {} of plan, weights and rows; the limit is {}",
                             FormatByteCount(request.ByteSizeLong()), FormatByteCount(kRequestFrameMax)));
  }
  uint64_t woken = 0;
  while (read(state_->wake.get(), &woken, sizeof woken) > 0) {
  }
  const std::stop_callback wake(stop, [this] { eventfd_write(state_->wake.get(), 1); });
  const auto began = std::chrono::steady_clock::now();
  const pid_t pid = state_->child.pid;
  const absl::Duration cpu_before = CpuTimeOf(pid);
  state_->ApplyCaps(caps);
  WorkerOutcome outcome = state_->Converse(request, caps, {on_progress, on_checkpoint});
  outcome.use.cpu_time = state_->cpu_time() - cpu_before;
  if (state_->exists()) outcome.use.memory_peak = ReadMemoryLine(pid, "VmHWM");
  outcome.use.wall_time = absl::FromChrono(std::chrono::steady_clock::now() - began);
  if (!outcome.worker_survives()) Kill();
  return outcome;
}

bool WorkerProcess::alive() const { return state_->alive(); }
void WorkerProcess::Kill() { state_->Kill(); }
uint64_t WorkerProcess::memory_resident() const { return alive() ? ReadMemoryLine(pid(), "VmRSS") : 0; }
int WorkerProcess::pid() const { return state_->child.pid; }

}  // namespace aisle

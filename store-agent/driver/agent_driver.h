// Carries out what AgentMachine decides: saves its record, asks headquarters, runs the steps of a task, moves bytes.
//
// Three executors, each with one concern: `own` owns the machine and all state here; `asking` holds the open check-in;
// `working` runs one step of a task at a time. The latter two post events back and touch nothing else.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/executor.h"
#include "base/random.h"
#include "store-agent/agent/agent_machine.h"
#include "store-agent/driver/record_file.h"
#include "store-agent/driver/sum_steps.h"
#include "store-agent/driver/task_steps.h"
#include "store-agent/metrics/agent_metrics.h"
#include "store-agent/transfer/blob_cache.h"
#include "store-agent/transfer/byte_meter.h"
#include "store-agent/transfer/fleet_link.h"
#include "store-agent/transfer/spool.h"

namespace aisle {

inline constexpr absl::Duration kClockSkewMax = absl::Minutes(5);  // Then the log warns.

struct AgentParts {
  Executor& own;
  Executor& asking;
  Executor& working;
  FleetLink& link;
  const BlobCache& cache;
  const Spool& spool;
  ByteMeter& meter;
  TaskSteps& steps;
  SumSteps& sum;
  Site& site;
  AgentMetrics& metrics;
  RandomSource& random;
  // Before each call of headquarters, on `asking` or `working`: renews the certificate when that is due. A store that
  // has something to deliver asks for nothing else, however long its link is down.
  std::function<void()> before_call = [] {};
};

struct AgentSettings {
  std::string record_path;
  std::string agent_version;
  uint64_t cache_size_max = uint64_t{1} << 30;     // Bytes of plans and weights kept.
  absl::Duration worker_idle = absl::Seconds(60);  // How long a worker is kept warm for the next round.
};

// All parts must outlive it, and the executors be shut down before it is destroyed.
class AgentDriver {
 public:
  AgentDriver(AgentParts parts, AgentSettings settings);

  // Takes up the task on the disk, or asks for one. Errors: the disk can't be read.
  Status Start();
  // Thread-safe: rows came in, the policy or its hours changed.
  void SiteChanged();
  // Thread-safe: ends the open check-in and the step in hand, so that the executors can be shut down. Nothing is lost:
  // the record continues it at the next start.
  void Stop();
  // Thread-safe: when headquarters last answered; InfinitePast if never.
  absl::Time last_answer() const { return absl::FromUnixSeconds(last_answer_.load()); }

 private:
  using Event = agent::Event;
  void Handle(Event event);
  void Carry(agent::Effects effects);
  void RunEffects();
  // False if the effect can't be begun now: it is tried again later.
  bool Run(agent::SaveRecord& effect);
  bool Run(agent::OpenCheckIn& effect);
  bool Run(agent::CloseCheckIn& effect);
  bool Run(agent::SetTimer& effect);
  bool Run(agent::ClearTimer& effect);
  bool Run(agent::FetchBlob& effect);
  bool Run(agent::VetPlan& effect);
  bool Run(agent::TrainUpdate& effect);
  bool Run(agent::ReleaseUpdate& effect);
  bool Run(agent::ReportOutcome& effect);
  bool Run(agent::UploadUpdate& effect);
  bool Run(agent::TakeSumStep& effect);
  bool Run(agent::StopTask& effect);
  bool Run(agent::DropSpool& effect);
  bool Run(agent::TellRoundBegun& effect);
  bool Run(agent::TellRoundEnded& effect);
  // As Work, for steps that call headquarters.
  void Call(std::function<Event(std::stop_token)> step);
  // Runs `step` on `working` and hands its event to the machine.
  void Work(std::function<Event(std::stop_token)> step);
  Event Sum(const agent::TakeSumStep& step, std::stop_token stop);
  CheckIn Describe(const agent::OpenCheckIn& effect) const;
  void Answered(const agent::CheckInAnswered& event);
  void LetWorkerGoWhenIdle();
  void Post(Event event);

  AgentParts parts_;
  const AgentSettings settings_;
  const RecordFile record_file_;
  const uint64_t instance_;
  std::optional<agent::AgentMachine> machine_;  // The last four lines are touched on `own` only.
  std::deque<agent::Effect> effects_;           // Not yet carried out.
  agent::Backoff disk_backoff_;
  bool waits_for_disk_ = false;
  bool warned_of_skew_ = false;
  std::optional<Executor::TimerId> timers_[2];
  std::optional<Executor::TimerId> idle_timer_;
  std::stop_source check_in_stop_{std::nostopstate};
  std::stop_source step_stop_{std::nostopstate};
  uint64_t upload_there_ = 0;  // TransferResult::there of the latest attempt. Touched on `working` only.
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> last_answer_ = std::numeric_limits<int64_t>::min();
};

}  // namespace aisle

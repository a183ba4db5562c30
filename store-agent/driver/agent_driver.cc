#include "store-agent/driver/agent_driver.h"

#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "store-agent/transfer/call_outcome.h"
#include "store-agent/transfer/transfers.h"

namespace aisle {
namespace {

agent::Event EndedEarly(agent::Ticket ticket, TaskEnd end) {
  if (auto* refused = std::get_if<Refused>(&end)) return agent::TaskRefused{ticket, std::move(*refused)};
  return agent::TaskFailed{ticket, std::get<Failed>(std::move(end))};
}

agent::Event DiskFailed(agent::Ticket ticket, const Status& status) {
  LogError("the task failed on the store's own disk: {}", MessageOf(status));
  return agent::TaskFailed{ticket, Failed{FailureReason::kStorage, std::string(MessageOf(status))}};
}

}  // namespace

AgentDriver::AgentDriver(AgentParts parts, AgentSettings settings)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      record_file_(settings_.record_path),
      instance_(parts_.random.Draw64() | 1) {}

Status AgentDriver::Start() {
  agent::Findings findings;
  AISLE_ASSIGN_OR_RETURN(findings.record, record_file_.Load());
  std::optional<RoundId> round;
  if (findings.record) round = RoundOf(*findings.record);
  AISLE_RETURN_IF_ERROR(parts_.spool.DropAllBut(round));
  AISLE_RETURN_IF_ERROR(parts_.sum.ForgetAllBut(round));
  AISLE_RETURN_IF_ERROR(parts_.steps.ForgetTrainingsBut(round));
  if (round) {
    AISLE_ASSIGN_OR_RETURN(findings.spooled, parts_.spool.Find(*round));
    LogInfo("taking up round {} again", *round);
  }
  parts_.own.Post([this, found = std::make_shared<agent::Findings>(std::move(findings))] {
    machine_.emplace(std::move(*found), parts_.random);
    Carry(machine_->Start(parts_.own.Now()));
  });
  return OkStatus();
}

void AgentDriver::SiteChanged() { Post(agent::SiteChanged{}); }

void AgentDriver::Stop() {
  stopping_ = true;
  parts_.own.Post([this] {
    check_in_stop_.request_stop();
    step_stop_.request_stop();
  });
}

void AgentDriver::Post(Event event) {
  parts_.own.Post([this, shared = std::make_shared<Event>(std::move(event))] { Handle(std::move(*shared)); });
}

void AgentDriver::Handle(Event event) {
  if (stopping_ || !machine_) return;
  if (const auto* answered = std::get_if<agent::CheckInAnswered>(&event)) Answered(*answered);
  const std::string_view before = NameOf(machine_->state());
  agent::Effects effects = machine_->Handle(std::move(event), parts_.own.Now());
  const std::string_view after = NameOf(machine_->state());
  if (before != after) LogDebug("{} -> {}", before, after);
  parts_.metrics.Transferred(parts_.meter.total_up(), parts_.meter.total_down());
  Carry(std::move(effects));
}

void AgentDriver::Carry(agent::Effects effects) {
  for (agent::Effect& effect : effects) effects_.push_back(std::move(effect));
  if (!waits_for_disk_) RunEffects();
}

void AgentDriver::RunEffects() {
  while (!effects_.empty() && !stopping_) {
    if (!std::visit([this](auto& effect) { return Run(effect); }, effects_.front())) return;
    effects_.pop_front();
  }
}

// What follows from a record may only happen once it is on the disk: a full disk halts the agent here, not its
// promises.
bool AgentDriver::Run(agent::SaveRecord& effect) {
  const Status saved = record_file_.Save(effect.record);
  if (saved.ok()) {
    disk_backoff_.Reset();
    return true;
  }
  const absl::Duration wait = disk_backoff_.Next(parts_.random);
  LogError("the task record can't be written: {}; trying again in {}", MessageOf(saved),
           aisle::FormatDuration(absl::Trunc(wait, absl::Milliseconds(1))));
  waits_for_disk_ = true;
  parts_.own.PostAt(parts_.own.Now() + wait, [this] {
    waits_for_disk_ = false;
    RunEffects();
  });
  return false;
}

CheckIn AgentDriver::Describe(const agent::OpenCheckIn& effect) const {
  const absl::Time now = parts_.own.Now();
  return {.agent_version = settings_.agent_version,
          .tables = parts_.site.tables(),
          .willing = parts_.site.IsWilling(now),
          .standing = effect.standing,
          .round = effect.round,
          .wait_max = kCheckInWaitMax,
          .clock = now,
          .declined_plans = effect.declined_plans,
          .agent_instance = instance_,
          .ledger = parts_.site.ledger()};
}

bool AgentDriver::Run(agent::OpenCheckIn& effect) {
  check_in_stop_ = std::stop_source();
  parts_.asking.Post([this, ticket = effect.ticket, check_in = Describe(effect), stop = check_in_stop_.get_token()] {
    if (stop.stop_requested()) return;
    parts_.before_call();
    StatusOr<CheckInAnswer> answer = parts_.link.AskForWork(check_in, stop);
    if (stop.stop_requested()) return;
    if (answer.ok()) {
      parts_.site.CompareLedger(answer->ledger_acknowledged);
      return Post(agent::CheckInAnswered{ticket, std::move(answer->instruction), answer->headquarters_clock});
    }
    parts_.metrics.CheckInFailed();
    LogWarning("check-in: {}", MessageOf(answer.status()));
    Post(agent::CheckInFailed{ticket, OutcomeOf(answer.status())});
  });
  return true;
}

bool AgentDriver::Run(agent::CloseCheckIn&) {
  check_in_stop_.request_stop();
  return true;
}

void AgentDriver::Answered(const agent::CheckInAnswered& event) {
  const absl::Time now = parts_.own.Now();
  const absl::Duration skew = event.headquarters_clock - now;
  last_answer_ = absl::ToUnixSeconds(now);
  parts_.metrics.CheckedIn(now, skew);
  const bool far_off = absl::AbsDuration(skew) > kClockSkewMax;
  if (far_off && !warned_of_skew_) {
    LogWarning("this store's clock is {} {} headquarters'; set it right, or certificates and hours will be misjudged",
               aisle::FormatDuration(absl::Trunc(absl::AbsDuration(skew), absl::Seconds(1))),
               skew > absl::ZeroDuration() ? "behind" : "ahead of");
  }
  warned_of_skew_ = far_off;
}

bool AgentDriver::Run(agent::SetTimer& effect) {
  std::optional<Executor::TimerId>& timer = timers_[static_cast<size_t>(effect.timer)];
  if (timer) parts_.own.Cancel(*timer);
  timer = parts_.own.PostAt(effect.due, [this, which = effect.timer] {
    timers_[static_cast<size_t>(which)].reset();
    Handle(agent::TimerRanOut{which});
  });
  return true;
}

bool AgentDriver::Run(agent::ClearTimer& effect) {
  std::optional<Executor::TimerId>& timer = timers_[static_cast<size_t>(effect.timer)];
  if (timer) parts_.own.Cancel(*timer);
  timer.reset();
  return true;
}

void AgentDriver::Call(std::function<Event(std::stop_token)> step) {
  Work([this, step = std::move(step)](std::stop_token stop) {
    parts_.before_call();
    return step(std::move(stop));
  });
}

void AgentDriver::Work(std::function<Event(std::stop_token)> step) {
  step_stop_ = std::stop_source();
  parts_.working.Post([this, step = std::move(step), stop = step_stop_.get_token()] {
    if (stop.stop_requested()) return;
    Event event = step(stop);
    if (!stop.stop_requested()) Post(std::move(event));
  });
}

bool AgentDriver::Run(agent::FetchBlob& effect) {
  Call([this, ticket = effect.ticket, blob = effect.blob](std::stop_token stop) -> Event {
    if (!parts_.cache.Has(blob)) {
      if (std::optional<TaskEnd> end = parts_.steps.AllowFetch(blob)) return EndedEarly(ticket, *std::move(end));
      const Status trimmed = parts_.cache.Trim(settings_.cache_size_max, {blob.digest});
      if (!trimmed.ok()) return DiskFailed(ticket, trimmed);
    }
    TransferResult result = Download(parts_.link, parts_.cache, parts_.meter, blob, stop);
    if (!result.disk.ok()) return DiskFailed(ticket, result.disk);
    return agent::BlobFetched{ticket, std::move(result.outcome)};
  });
  return true;
}

bool AgentDriver::Run(agent::VetPlan& effect) {
  Work([this, ticket = effect.ticket, task = effect.task](std::stop_token) -> Event {
    if (std::optional<TaskEnd> end = parts_.steps.Vet(task)) return EndedEarly(ticket, *std::move(end));
    return agent::PlanVetted{ticket};
  });
  return true;
}

bool AgentDriver::Run(agent::TrainUpdate& effect) {
  if (idle_timer_) parts_.own.Cancel(*idle_timer_);
  auto seed = std::make_shared<SecretBytes>(std::move(effect.seed));
  Work([this, ticket = effect.ticket, task = effect.task, deadline = effect.deadline,
        seed](std::stop_token stop) -> Event {
    std::optional<TaskEnd> end = parts_.steps.Train(task, *seed, deadline, stop);
    if (end) return EndedEarly(ticket, *std::move(end));
    return agent::UpdateTrained{ticket, parts_.steps.SumOf(task)};
  });
  return true;
}

bool AgentDriver::Run(agent::ReleaseUpdate& effect) {
  LetWorkerGoWhenIdle();
  Work([this, ticket = effect.ticket, task = effect.task](std::stop_token) -> Event {
    std::variant<BlobName, TaskEnd> released = parts_.steps.Release(task);
    if (auto* end = std::get_if<TaskEnd>(&released)) return EndedEarly(ticket, std::move(*end));
    return agent::UpdateReleased{ticket, std::get<BlobName>(released)};
  });
  return true;
}

bool AgentDriver::Run(agent::ReportOutcome& effect) {
  Call([this, ticket = effect.ticket, round = effect.round, outcome = effect.outcome](std::stop_token stop) -> Event {
    const Status reported = parts_.link.Report(round, outcome, stop);
    if (!reported.ok()) LogWarning("reporting round {}: {}", round, MessageOf(reported));
    return agent::OutcomeReported{ticket, OutcomeOf(reported)};
  });
  return true;
}

bool AgentDriver::Run(agent::UploadUpdate& effect) {
  Call([this, ticket = effect.ticket, header = UploadHeader{.round = effect.round, .update = effect.update},
        options = UploadOptions{.which = effect.masked ? SpooledVector::kMasked : SpooledVector::kUpdate,
                                .resume = effect.resume}](std::stop_token stop) mutable -> Event {
    options.known = options.resume ? upload_there_ : 0;
    TransferResult result = UploadSpooled(parts_.link, parts_.spool, parts_.meter, header, options, stop);
    upload_there_ = result.there;
    if (!result.disk.ok()) return DiskFailed(ticket, result.disk);
    if (result.outcome.verdict != agent::Verdict::kDone) {
      LogWarning("uploading for round {}: {}", header.round, result.outcome.detail);
    }
    return agent::UpdateUploaded{ticket, std::move(result.outcome)};
  });
  return true;
}

bool AgentDriver::Run(agent::TakeSumStep& effect) {
  Call([this, step = std::move(effect)](std::stop_token stop) -> Event {  // It is done with here, and large.
    Event event = Sum(step, std::move(stop));
    if (const auto* refused = std::get_if<agent::TaskRefused>(&event)) {
      LogWarning("round {}: refusing a step of the secure sum ({}): {}", step.terms.round,
                 NameOf(refused->refused.reason), refused->refused.detail);
    }
    return event;
  });
  return true;
}

AgentDriver::Event AgentDriver::Sum(const agent::TakeSumStep& step, std::stop_token stop) {
  if (std::holds_alternative<CollectInstruction>(step.instruction)) {
    auto masked = parts_.sum.Mask(step);
    if (auto* end = std::get_if<TaskEnd>(&masked)) return EndedEarly(step.ticket, std::move(*end));
    return agent::UpdateMasked{step.ticket, std::get<BlobName>(masked)};
  }
  auto said = parts_.sum.Say(step);
  if (auto* end = std::get_if<TaskEnd>(&said)) return EndedEarly(step.ticket, std::move(*end));
  const SumReport report{
      .round = step.terms.round, .attempt = step.terms.attempt, .message = std::get<SumMessage>(std::move(said))};
  const Status sent = parts_.link.SumStep(report, std::move(stop));
  if (!sent.ok()) LogWarning("a step of the secure sum of round {}: {}", report.round, MessageOf(sent));
  return agent::SumStepTaken{step.ticket, OutcomeOf(sent)};
}

bool AgentDriver::Run(agent::StopTask&) {
  step_stop_.request_stop();
  return true;
}

bool AgentDriver::Run(agent::DropSpool& effect) {
  parts_.working.Post([this, round = effect.round] {
    parts_.steps.ForgetUpdate();
    // The vector first: as long as it is there, it must be known what it was masked for.
    Status dropped = parts_.spool.Drop(round);
    if (dropped.ok()) dropped = parts_.sum.Forget(round);
    if (!dropped.ok()) LogWarning("{}; the next start tries again", MessageOf(dropped));
  });
  LetWorkerGoWhenIdle();
  return true;
}

bool AgentDriver::Run(agent::TellRoundBegun& effect) {
  parts_.metrics.RoundBegun();
  LogInfo("round {}: taking part", effect.round);
  return true;
}

bool AgentDriver::Run(agent::TellRoundEnded& effect) {
  parts_.metrics.RoundEnded(effect.result, effect.refusal);
  const std::string why = effect.detail.empty() ? "" : ": " + effect.detail;
  LogInfo("round {}: {}{}{}", effect.round, agent::NameOf(effect.result),
          effect.refusal ? fmt::format(" ({})", NameOf(*effect.refusal)) : "", why);
  return true;
}

void AgentDriver::LetWorkerGoWhenIdle() {
  if (idle_timer_) parts_.own.Cancel(*idle_timer_);
  idle_timer_ = parts_.own.PostAt(parts_.own.Now() + settings_.worker_idle, [this] {
    idle_timer_.reset();
    parts_.working.Post([this] { parts_.steps.LetWorkerGo(); });
  });
}

}  // namespace aisle

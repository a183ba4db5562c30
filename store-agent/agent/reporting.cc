// Reporting begins when a task has ended, well or not, and is on record. It repeats the report until headquarters has
// it. A finished vector is then held; otherwise the agent is idle again.
#include "base/cover.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::Report(const RoundId& round, TaskOutcome outcome) {
  const RoundId reported = round;
  Emit(ReportOutcome{OpenStep(), reported, outcome});
  state_ = Reporting{reported, std::move(outcome)};
}

void AgentMachine::On(const OutcomeReported& event) {
  if (!TakeStep(event.ticket)) return;
  switch (event.outcome.verdict) {
    case Verdict::kTryAgain:
    case Verdict::kStartOver:
      return RetryStep(event.outcome);
    case Verdict::kDone:
      return OnReportHeard();
    case Verdict::kRoundOver:
    case Verdict::kImpossible:
      AISLE_COVER("agent.report_turned_away");
      return EndUnheard(event.outcome);
  }
}

void AgentMachine::OnReportHeard() {
  conversation_.HeardOfHeadquarters();
  task_backoff_.Reset();
  const Reporting reporting = std::get<Reporting>(state_);
  if (const auto* trained = std::get_if<Trained>(&reporting.outcome)) {
    state_ = Holding{.round = reporting.round, .update = trained->update};
    return;
  }
  TellGivenUp(reporting);
  DropTask();
}

// Headquarters has no use for the report: the round went on, or never was.
void AgentMachine::EndUnheard(const CallOutcome& outcome) {
  const Reporting reporting = std::get<Reporting>(state_);
  if (std::holds_alternative<Trained>(reporting.outcome)) {
    const bool over = outcome.verdict == Verdict::kRoundOver;
    Emit(TellRoundEnded{.round = reporting.round,
                        .result = over ? RoundResult::kLeftOut : RoundResult::kFailed,
                        .detail = outcome.detail});
  } else {
    TellGivenUp(reporting);
  }
  DropTask();
}

void AgentMachine::TellGivenUp(const Reporting& reporting) {
  if (const auto* refused = std::get_if<Refused>(&reporting.outcome)) {
    Emit(TellRoundEnded{reporting.round, RoundResult::kRefused, refused->reason, refused->detail});
  } else {
    const auto& failed = std::get<Failed>(reporting.outcome);
    Emit(TellRoundEnded{.round = reporting.round,
                        .result = RoundResult::kFailed,
                        .detail = fmt::format("{}: {}", NameOf(failed.reason), failed.detail)});
  }
}

}  // namespace aisle::agent

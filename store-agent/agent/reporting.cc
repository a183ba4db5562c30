// Reporting begins when a task has ended, well or not, and is on record. It repeats the report until headquarters has
// it. A finished vector is then held; otherwise the agent is idle again.
#include "base/cover.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::Report(const RoundId& round, TaskOutcome outcome) {
  const RoundId reported = round;
  Emit(ReportOutcome{OpenStep(), reported, outcome});
  state_ = Reporting{.round = reported, .outcome = std::move(outcome)};
}

// A vector that is to be summed has no name at headquarters: even its digest would say something of it.
void AgentMachine::ReportHeld(HeldUpdate held) {
  const BlobName told{.digest = held.sum ? Digest() : held.update.digest, .size = held.update.size};
  const RoundId round = held.round;
  Report(round, Trained{told});
  std::get<Reporting>(state_).held = std::move(held);
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
  if (reporting.held) {
    state_ = Holding{.held = *reporting.held};
    return;
  }
  TellGivenUp(reporting);
  DropTask();
}

// Headquarters has no use for the report: the round went on, or never was.
void AgentMachine::EndUnheard(const CallOutcome& outcome) {
  const Reporting reporting = std::get<Reporting>(state_);
  if (reporting.held) {
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

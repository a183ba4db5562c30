#include "cli/watch.h"

#include <absl/time/clock.h>

#include "base/clock.h"
#include "cli/describe.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

constexpr absl::Duration kReconnectPause = absl::Seconds(1);

std::string EpsilonOf(const v1::Job& job) {
  return "epsilon " + EpsilonText(job.epsilon_floor(), job.privacy_unit(), job.delta());
}

std::string BytesOf(const v1::Round& round) {
  return fmt::format("up {}  down {}", FormatByteCount(round.bytes_up()), FormatByteCount(round.bytes_down()));
}

// Stores that are done with the present phase, of those that are in it.
std::string StoresIn(const v1::Round& round) {
  const std::string asked = fmt::format("stores {}/{}", round.stores_stepped(), round.stores_asked());
  switch (round.phase()) {
    case v1::ROUND_PHASE_SELECTING:
      return fmt::format("stores {} in", round.stores_selected());
    case v1::ROUND_PHASE_TRAINING:
      return fmt::format("stores {}/{} trained", round.stores_trained(), round.stores_selected());
    case v1::ROUND_PHASE_ADVERTISING:
      return asked + " showed keys";
    case v1::ROUND_PHASE_SHARING:
      return asked + " dealt";
    case v1::ROUND_PHASE_CONFIRMING:
      return asked + " signed";
    case v1::ROUND_PHASE_UNMASKING:
      return asked + " revealed";
    default:
      return fmt::format("stores {}/{} collected", round.stores_collected(), round.stores_selected());
  }
}

std::string MainMetricText(const v1::Round& round) {
  const auto [name, value] = MainMetric(round.metrics());
  return name.empty() ? "" : fmt::format("  {} {}", name, NumberText(value));
}

Status HowItEnded(const v1::Job& job) {
  if (job.state() == v1::JOB_STATE_FINISHED) return OkStatus();
  const std::string why = job.state_reason().empty() ? "no reason was given" : job.state_reason();
  if (job.state() == v1::JOB_STATE_CANCELLED) {
    return Cancelled("job {} was cancelled after {} of {} rounds: {}", job.id(), job.rounds_committed(),
                     job.rounds_total(), why);
  }
  return MakeStatus(StatusCode::kUnknown,
                    fmt::format("job {} failed after {} of {} rounds: {}; `aisle round show {}` "
                                "says what its stores did",
                                job.id(), job.rounds_committed(), job.rounds_total(), why, job.id()));
}

std::string Farewell(const v1::Job& job) {
  const std::string model =
      job.model_version() == 0 ? "no model published" : fmt::format("model {}@{}", job.id(), job.model_version());
  return fmt::format("{} is {}: {} of {} rounds committed, {} aborted, {}, {}", job.id(), StateText(job.state()),
                     job.rounds_committed(), job.rounds_total(), job.rounds_aborted(), model, EpsilonOf(job));
}

}  // namespace

absl::Duration TimeLeft(const v1::JobSnapshot& snapshot) {
  const v1::Job& job = snapshot.job();
  const uint32_t done = std::min(job.rounds_committed(), job.rounds_total());
  return absl::Seconds(snapshot.seconds_per_round()) * (job.rounds_total() - done);
}

std::string LiveText(const v1::JobSnapshot& snapshot) {
  const v1::Job& job = snapshot.job();
  const std::string head = fmt::format("{} {}/{}", job.id(), job.rounds_committed(), job.rounds_total());
  if (!snapshot.has_round() || snapshot.round().round().number() == 0) {
    return fmt::format("{}  {}, {} stores waiting", head, StateText(job.state()), snapshot.stores_waiting());
  }
  const v1::Round& round = snapshot.round();
  const absl::Duration left = TimeLeft(snapshot);
  return fmt::format("{}  {}  {}{}{}  {}  {}", head, PhaseText(round.phase()), StoresIn(round),
                     left > absl::ZeroDuration() ? "  ETA " + SpanText(left) : "", MainMetricText(round),
                     EpsilonOf(job), BytesOf(round));
}

std::string EndedRoundText(const v1::Round& round, const v1::Job& job) {
  const absl::Duration took =
      absl::FromUnixMillis(round.closed_unix_ms()) - absl::FromUnixMillis(round.opened_unix_ms());
  const std::string head = fmt::format("round {:>4}  {:<9}  stores {}/{}", round.round().number(),
                                       PhaseText(round.phase()), round.stores_collected(), round.stores_selected());
  if (round.phase() == v1::ROUND_PHASE_ABORTED) return fmt::format("{}  {}", head, round.abort_reason());
  const std::string metrics = MetricsText(round.metrics());
  const bool latest = round.model_version() == job.model_version();  // The job's epsilon is that of its latest model.
  return fmt::format("{}{}{}{}  {}  took {}", head, metrics.empty() ? "" : "  ", metrics,
                     latest ? "  " + EpsilonOf(job) : "", BytesOf(round), SpanText(took));
}

void WatchView::Tell(const v1::Round& round, const v1::Job& job) {
  line_.Clear();
  out_.Text(Printable(EndedRoundText(round, job)) + "\n");
  round_told_ = round.round().number();
}

void WatchView::Show(const v1::JobSnapshot& snapshot) {
  if (json_) return out_.JsonLine(snapshot);
  const v1::Round& round = snapshot.round();
  const uint32_t number = round.round().number();
  if (!round_told_ && number > 0) round_told_ = number - 1;
  for (uint32_t missed = round_told_.value_or(0) + 1; missed < number; ++missed) {
    round_told_ = missed;
    if (const StatusOr<v1::Round> found = look_up_(missed); found.ok()) Tell(*found, snapshot.job());
  }
  if (HasEnded(round.phase()) && number == round_told_.value_or(0) + 1) Tell(round, snapshot.job());
  line_.Show(LiveText(snapshot));
}

void WatchView::ShowWaiting(const Status& why) {
  if (json_) return;
  if (line_.enabled()) return line_.Show(fmt::format("waiting for the coordinator: {}", MessageOf(why)));
  out_.Note(fmt::format("aisle: waiting for the coordinator: {}", MessageOf(why)));
}

Status WatchUntilEnd(AdminClient& admin, const std::string& job, WatchFrom from, Output& out, bool json) {
  WatchView view(out, json, from, [&](uint32_t number) { return admin.GetRound(job, number); });
  v1::Job last;
  absl::Time heard_at = absl::InfinitePast();
  const auto seen = [&](const v1::JobSnapshot& snapshot) {
    heard_at = absl::Now();
    last = snapshot.job();
    view.Show(snapshot);
    return !HasEnded(last.state());
  };
  for (bool waiting = false;;) {
    const absl::Time asked_at = absl::Now();
    Status status = admin.WatchJob(job, seen);
    if (HasEnded(last.state())) break;
    if (status.ok()) status = Unavailable("the coordinator ended the stream before the job's end");
    if (status.code() != StatusCode::kUnavailable || absl::Now() - heard_at > kWatchPatience) return status;
    if (!waiting || heard_at >= asked_at) view.ShowWaiting(status);
    waiting = true;
    absl::SleepFor(kReconnectPause);
  }
  view.Clear();
  if (!json) out.Text(Printable(Farewell(last)) + "\n");
  return HowItEnded(last);
}

}  // namespace aisle::cli

#include "coordinator/metrics/coordinator_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <string>

#include "base/check.h"
#include "base/overloaded.h"

namespace aisle {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

Family<Counter>& Counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& Gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& Histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

const Histogram::BucketBoundaries kSeconds = {0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 14400};

}  // namespace

// Every series exists from the start, at zero: an alert on a rate must not wait for the first event.
struct CoordinatorMetrics::Series {
  explicit Series(std::shared_ptr<Registry> owner) : registry(std::move(owner)) {
    for (int i = 1; i <= kRefusalReasonCount; ++i) {
      refusals[static_cast<size_t>(i)] =
          &refusal_family.Add({{"reason", std::string(NameOf(static_cast<RefusalReason>(i)))}});
    }
    for (int i = 1; i <= kFailureReasonCount; ++i) {
      failures[static_cast<size_t>(i)] =
          &failure_family.Add({{"reason", std::string(NameOf(static_cast<FailureReason>(i)))}});
    }
    for (int i = 1; i <= kAbortReasonCount; ++i) {
      aborts[static_cast<size_t>(i)] =
          &abort_family.Add({{"reason", std::string(NameOf(static_cast<AbortReason>(i)))}});
    }
    for (size_t i = 1; i <= kPhaseCount; ++i) {
      const auto phase = static_cast<PhaseName>(i);
      if (phase == PhaseName::kCommitted || phase == PhaseName::kAborted) continue;  // They last for ever.
      phases[i] = &phase_family.Add({{"phase", std::string(NameOf(phase))}}, kSeconds);
    }
  }

  std::shared_ptr<Registry> registry;
  Counter& check_ins =
      Counters(*registry, "aisle_coordinator_check_ins_total", "Check-ins of stores that were let in.").Add({});
  Counter& callers_refused =
      Counters(*registry, "aisle_coordinator_callers_refused_total",
               "Calls refused because the store is unknown or revoked, or its key isn't the current one.")
          .Add({});
  Gauge& waiting = Gauges(*registry, "aisle_coordinator_stores_waiting", "Check-ins held right now.").Add({});
  Gauge& active_jobs = Gauges(*registry, "aisle_coordinator_jobs_active", "Jobs that aren't over.").Add({});
  Counter& upload_bytes =
      Counters(*registry, "aisle_coordinator_upload_bytes_total", "Update bytes that were verified and accepted.")
          .Add({});
  Counter& download_bytes =
      Counters(*registry, "aisle_coordinator_download_bytes_total", "Plan and weight bytes sent to stores.").Add({});
  Counter& trained =
      Counters(*registry, "aisle_coordinator_stores_trained_total", "Reports of finished training that were received.")
          .Add({});
  Family<Counter>& refusal_family =
      Counters(*registry, "aisle_coordinator_store_refusals_total", "Tasks that stores refused, by reason.");
  Family<Counter>& failure_family =
      Counters(*registry, "aisle_coordinator_store_failures_total", "Tasks that failed in a store, by reason.");
  Counter& committed =
      Counters(*registry, "aisle_coordinator_rounds_committed_total", "Rounds that published a model.").Add({});
  Family<Counter>& abort_family =
      Counters(*registry, "aisle_coordinator_rounds_aborted_total", "Rounds that ended without a model, by reason.");
  Histogram& round_seconds = Histograms(*registry, "aisle_coordinator_round_duration_seconds",
                                        "Committed rounds, from opening to publication.")
                                 .Add({}, kSeconds);
  Family<Histogram>& phase_family =
      Histograms(*registry, "aisle_coordinator_phase_duration_seconds", "How long a round stayed in each phase.");
  Gauge& last_commit = Gauges(*registry, "aisle_coordinator_last_commit_timestamp_seconds",
                              "When a model was last published, seconds since 1970; 0 if not since the start.")
                           .Add({});
  Counter& writes_lost = Counters(*registry, "aisle_coordinator_writes_lost_total",
                                  "Durable writes that failed and sent the coordinator back to its last state.")
                             .Add({});
  std::array<Counter*, kRefusalReasonCount + 1> refusals{};
  std::array<Counter*, kFailureReasonCount + 1> failures{};
  std::array<Counter*, kAbortReasonCount + 1> aborts{};
  std::array<Histogram*, kPhaseCount + 1> phases{};  // Null where no round stays.
};

CoordinatorMetrics::CoordinatorMetrics(std::shared_ptr<Registry> registry)
    : series_(std::make_unique<Series>(std::move(registry))) {}
CoordinatorMetrics::~CoordinatorMetrics() = default;

void CoordinatorMetrics::CheckedIn() { series_->check_ins.Increment(); }
void CoordinatorMetrics::CallerRefused() { series_->callers_refused.Increment(); }
void CoordinatorMetrics::SetWaiting(size_t stores) { series_->waiting.Set(static_cast<double>(stores)); }
void CoordinatorMetrics::SetActiveJobs(size_t jobs) { series_->active_jobs.Set(static_cast<double>(jobs)); }
void CoordinatorMetrics::Uploaded(uint64_t bytes) { series_->upload_bytes.Increment(static_cast<double>(bytes)); }
void CoordinatorMetrics::Downloaded(uint64_t bytes) { series_->download_bytes.Increment(static_cast<double>(bytes)); }
void CoordinatorMetrics::WriteLost() { series_->writes_lost.Increment(); }

void CoordinatorMetrics::OutcomeReported(const TaskOutcome& outcome) {
  std::visit(
      Overloaded{[&](const Trained&) { series_->trained.Increment(); },
                 [&](const Refused& refused) { series_->refusals[static_cast<size_t>(refused.reason)]->Increment(); },
                 [&](const Failed& failed) { series_->failures[static_cast<size_t>(failed.reason)]->Increment(); }},
      outcome);
}

void CoordinatorMetrics::PhaseEnded(PhaseName phase, absl::Duration took) {
  const auto index = static_cast<size_t>(phase);
  AISLE_CHECK(index < series_->phases.size() && series_->phases[index] != nullptr);
  series_->phases[index]->Observe(absl::ToDoubleSeconds(took));
}

void CoordinatorMetrics::RoundClosed(const Phase& phase, absl::Duration took) {
  if (const auto* aborted = std::get_if<Aborted>(&phase)) {
    return series_->aborts[static_cast<size_t>(aborted->reason)]->Increment();
  }
  series_->committed.Increment();
  series_->round_seconds.Observe(absl::ToDoubleSeconds(took));
  series_->last_commit.SetToCurrentTime();
}

}  // namespace aisle

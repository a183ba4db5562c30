#include "store-agent/metrics/agent_metrics.h"

#include <algorithm>
#include <limits>
#include <string>

namespace aisle {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;

prometheus::Family<prometheus::Counter>& Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Counter& NewCounter(prometheus::Registry& registry, const char* name, const char* help) {
  return Counters(registry, name, help).Add({});
}
prometheus::Gauge& NewGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

// Counters only grow; `total` may be told twice.
void RaiseTo(prometheus::Counter& counter, uint64_t total) {
  counter.Increment(std::max(0.0, static_cast<double>(total) - counter.Value()));
}

constexpr std::array<const char*, kIngestResultCount> kIngestNames = {"added", "known", "quarantined"};
constexpr std::array<const char*, 2> kTierNames = {"floor", "aggregate"};

}  // namespace

AgentMetrics::AgentMetrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      rounds_begun_(NewCounter(*registry_, "aisle_agent_rounds_begun_total", "Tasks that headquarters gave.")),
      noise_only_(NewCounter(*registry_, "aisle_agent_noise_only_total",
                             "Tasks whose plan couldn't cope with the store's rows: noise was sent instead.")),
      left_out_(NewCounter(*registry_, "aisle_agent_customers_left_out_total",
                           "Customers whose rows broke a plan off, by time, memory or a crash; they added nothing.")),
      bytes_up_(NewCounter(*registry_, "aisle_agent_sent_bytes_total", "Bytes of updates sent to headquarters.")),
      bytes_down_(NewCounter(*registry_, "aisle_agent_received_bytes_total", "Bytes of plans and weights fetched.")),
      check_ins_failed_(NewCounter(*registry_, "aisle_agent_check_ins_failed_total", "Check-ins without an answer.")),
      last_check_in_(NewGauge(*registry_, "aisle_agent_last_check_in_seconds",
                              "When headquarters last answered a check-in, seconds since 1970; 0 if never.")),
      clock_skew_(NewGauge(*registry_, "aisle_agent_clock_skew_seconds", "Headquarters' clock minus the store's.")),
      ledger_releases_(NewGauge(*registry_, "aisle_agent_ledger_releases", "Vectors that have left the store.")),
      ledger_halted_(NewGauge(*registry_, "aisle_agent_ledger_halted",
                              "1 if the privacy ledger was cut, edited or rolled back, so that nothing is spent.")),
      worker_peak_(NewGauge(*registry_, "aisle_agent_worker_peak_bytes", "Peak memory of the last worker.")),
      worker_seconds_(NewGauge(*registry_, "aisle_agent_worker_seconds", "Wall time of the last training.")),
      certificate_ends_(NewGauge(*registry_, "aisle_agent_certificate_expiry_seconds",
                                 "When the store's certificate ends, seconds since 1970.")) {
  auto& rounds = Counters(*registry_, "aisle_agent_rounds_total", "Rounds by how they ended for this store.");
  for (int i = 0; i < agent::kRoundResultCount; ++i) {
    rounds_[static_cast<size_t>(i)] =
        &rounds.Add({{"result", std::string(agent::NameOf(static_cast<agent::RoundResult>(i)))}});
  }
  auto& refusals = Counters(*registry_, "aisle_agent_refusals_total", "Tasks the store refused, by reason.");
  for (int i = 0; i < kRefusalReasonCount; ++i) {
    refusals_[static_cast<size_t>(i)] =
        &refusals.Add({{"reason", std::string(NameOf(static_cast<RefusalReason>(i + 1)))}});
  }
  auto& rows = Counters(*registry_, "aisle_agent_ingest_rows_total", "Rows read from the drop folder, by result.");
  auto& epsilon = BuildGauge()
                      .Name("aisle_agent_ledger_epsilon")
                      .Help("Epsilon spent within a year by the population that spent most, at the caps' delta.")
                      .Register(*registry_);
  auto& cap = BuildGauge()
                  .Name("aisle_agent_ledger_cap_epsilon")
                  .Help("Epsilon that no population may pass within a year.")
                  .Register(*registry_);
  for (size_t i = 0; i < kTierNames.size(); ++i) {
    ledger_epsilon_[i] = &epsilon.Add({{"tier", kTierNames[i]}});
    ledger_cap_[i] = &cap.Add({{"tier", kTierNames[i]}});
  }
  for (size_t i = 0; i < kIngestNames.size(); ++i) rows_[i] = &rows.Add({{"result", kIngestNames[i]}});
}

void AgentMetrics::RoundBegun() { rounds_begun_.Increment(); }

void AgentMetrics::RoundEnded(agent::RoundResult result, std::optional<RefusalReason> refusal) {
  rounds_[static_cast<size_t>(result)]->Increment();
  if (refusal) refusals_[static_cast<size_t>(*refusal) - 1]->Increment();
}

void AgentMetrics::CheckedIn(absl::Time at, absl::Duration clock_skew) {
  last_check_in_.Set(static_cast<double>(absl::ToUnixSeconds(at)));
  clock_skew_.Set(absl::ToDoubleSeconds(clock_skew));
}

void AgentMetrics::CheckInFailed() { check_ins_failed_.Increment(); }

void AgentMetrics::Transferred(uint64_t total_up, uint64_t total_down) {
  RaiseTo(bytes_up_, total_up);
  RaiseTo(bytes_down_, total_down);
}

void AgentMetrics::Ingested(IngestResult result, uint64_t rows) {
  rows_[static_cast<size_t>(result)]->Increment(static_cast<double>(rows));
}

void AgentMetrics::LedgerStands(const BudgetStanding& standing) {
  ledger_epsilon_[0]->Set(standing.floor_epsilon);
  ledger_epsilon_[1]->Set(standing.aggregate_epsilon);
  ledger_cap_[0]->Set(standing.floor_cap);
  ledger_cap_[1]->Set(standing.aggregate_cap);
  ledger_releases_.Set(static_cast<double>(standing.releases));
}

void AgentMetrics::LedgerHalted(bool halted) { ledger_halted_.Set(halted ? 1 : 0); }

void AgentMetrics::LeftOutCustomers(uint64_t count) { left_out_.Increment(static_cast<double>(count)); }

void AgentMetrics::SentNoiseOnly() { noise_only_.Increment(); }

void AgentMetrics::WorkerUsed(uint64_t memory_peak, absl::Duration wall_time) {
  worker_peak_.Set(static_cast<double>(memory_peak));
  worker_seconds_.Set(absl::ToDoubleSeconds(wall_time));
}

void AgentMetrics::CertificateEnds(absl::Time at) {
  certificate_ends_.Set(static_cast<double>(absl::ToUnixSeconds(at)));
}

}  // namespace aisle

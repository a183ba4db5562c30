// What the agent tells Prometheus. Labels come from closed enums only: never a job, a table or a store.
#pragma once

#include <absl/time/time.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/fleet.h"
#include "store-agent/agent/effects.h"

namespace aisle {

enum class IngestResult { kAdded, kKnown, kQuarantined };
inline constexpr int kIngestResultCount = 3;

// Of the year that ends now, and of the population that has spent most of it, by tier.
struct BudgetStanding {
  double floor_epsilon = 0;
  double floor_cap = 0;
  double aggregate_epsilon = 0;
  double aggregate_cap = 0;
  uint64_t releases = 0;  // Since the ledger began.
};

// Thread-safe.
class AgentMetrics {
 public:
  AgentMetrics();
  std::shared_ptr<prometheus::Registry> registry() const { return registry_; }

  void RoundBegun();
  void RoundEnded(agent::RoundResult result, std::optional<RefusalReason> refusal);
  void CheckedIn(absl::Time at, absl::Duration clock_skew);
  void CheckInFailed();
  void Transferred(uint64_t total_up, uint64_t total_down);  // Since the program began.
  void Ingested(IngestResult result, uint64_t rows);
  void LedgerStands(const BudgetStanding& standing);
  void LedgerHalted(bool halted);
  void SentNoiseOnly();  // The plan couldn't cope with the rows, and nobody may learn it from an absence.
  void LeftOutCustomers(uint64_t count);  // A worker died over them, and the others were taken without them.
  void WorkerUsed(uint64_t memory_peak, absl::Duration wall_time);
  void CertificateEnds(absl::Time at);

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Counter& rounds_begun_;
  prometheus::Counter& noise_only_;
  prometheus::Counter& left_out_;
  std::array<prometheus::Counter*, agent::kRoundResultCount> rounds_{};
  std::array<prometheus::Counter*, kRefusalReasonCount> refusals_{};
  std::array<prometheus::Counter*, kIngestResultCount> rows_{};
  prometheus::Counter& bytes_up_;
  prometheus::Counter& bytes_down_;
  prometheus::Counter& check_ins_failed_;
  prometheus::Gauge& last_check_in_;
  prometheus::Gauge& clock_skew_;
  std::array<prometheus::Gauge*, 2> ledger_epsilon_{};  // By tier: floor, aggregate. Likewise the caps.
  std::array<prometheus::Gauge*, 2> ledger_cap_{};
  prometheus::Gauge& ledger_releases_;
  prometheus::Gauge& ledger_halted_;
  prometheus::Gauge& worker_peak_;
  prometheus::Gauge& worker_seconds_;
  prometheus::Gauge& certificate_ends_;
};

}  // namespace aisle

// The steps of a task that need the site itself: its policy, rows, worker and ledger. AgentDriver calls them on its
// working thread, one at a time; SiteTaskSteps does them, and tests script them.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <stop_token>
#include <variant>
#include <vector>

#include "base/fleet.h"
#include "base/secret.h"
#include "base/status.h"

namespace aisle {

// A task's early end.
using TaskEnd = std::variant<Refused, Failed>;

class TaskSteps {
 public:
  virtual ~TaskSteps() = default;

  // At the agent's start, before anything else: what was kept of trainings for other rounds than this is dropped.
  // Errors: the disk.
  virtual Status ForgetTrainingsBut(const std::optional<RoundId>& /*round*/) { return OkStatus(); }
  // Before a blob is fetched: refuses if the day's transfer budget doesn't hold it.
  virtual std::optional<TaskEnd> AllowFetch(const BlobName& blob) = 0;
  // The plan is in the cache. Checks its signature, its sense, the site's consent and the privacy budget.
  virtual std::optional<TaskEnd> Vet(const TrainInstruction& task) = 0;
  // Plan and weights are in the cache. Afterwards a clean update is held in memory for Release. The same seed on the
  // same rows gives the same update; a training that was interrupted goes on, and gives what it would have given.
  virtual std::optional<TaskEnd> Train(const TrainInstruction& task, const SecretBytes& seed, absl::Time deadline,
                                       std::stop_token stop) = 0;
  // After Train: how the update is to be summed, by the store's own knowledge; `attempt` is the first. Nothing where
  // the plan has no secure sum.
  virtual std::optional<CohortTerms> SumOf(const TrainInstruction& task) const = 0;
  // Uses up the clean update: its norm is checked, the ledger debited durably, noise drawn, the spool written; in this
  // order.
  virtual std::variant<BlobName, TaskEnd> Release(const TrainInstruction& task) = 0;
  // The round is over or there was no training for a while.
  virtual void ForgetUpdate() = 0;
  virtual void LetWorkerGo() = 0;
};

// What a check-in says of the site.
class Site {
 public:
  virtual ~Site() = default;
  // Thread-safe.
  virtual std::vector<TableName> tables() const = 0;
  // Whether policy lets the store take a task now. Thread-safe.
  virtual bool IsWilling(absl::Time now) const = 0;
  // What a check-in says of the privacy ledger. Thread-safe.
  virtual std::optional<LedgerClaim> ledger() const { return std::nullopt; }
  // Headquarters answered a check-in, with the last head of the ledger that it knows, if any: told before anything else
  // of the answer is acted on. Thread-safe.
  virtual void CompareLedger(const std::optional<LedgerHead>& /*acknowledged*/) {}
};

}  // namespace aisle

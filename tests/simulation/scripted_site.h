// A store's site in a simulated world: its policy, its ledger and its release are the real ones; only the rows and the
// worker are scripted. Training takes virtual time and gives a vector that follows from store and seed.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/identity/signing.h"
#include "plans/plan.h"
#include "privacy/ledger_filter.h"
#include "store-agent/driver/task_steps.h"
#include "store-agent/task/release_and_spool.h"
#include "store-agent/transfer/blob_cache.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/process.h"
#include "tests/simulation/scenario.h"

namespace aisle::simulation {

class ScriptedSite final : public Site {
 public:
  ScriptedSite(LedgerFile& ledger, const bool& willing) : ledger_(ledger), willing_(willing) {}
  std::vector<TableName> tables() const override { return {*TableName::Parse("sales")}; }
  bool IsWilling(absl::Time) const override { return willing_ && !ledger_.halted(); }
  std::optional<LedgerClaim> ledger() const override { return ledger_.claim(); }
  void CompareLedger(const std::optional<LedgerHead>& acknowledged) override { ledger_.Compare(acknowledged); }

 private:
  LedgerFile& ledger_;
  const bool& willing_;
};

class ScriptedTrainer final : public TaskSteps {
 public:
  struct Parts {
    StoreId store;
    const Process& process;
    Lane& working;
    const BlobCache& cache;
    const Spool& spool;
    LedgerFile& ledger;
    SpendingCaps caps;
    VerifyKey plan_key;
    RandomSource& random;  // Of the noise.
    RandomSource& dice;    // Of how long training takes, and whether it fails.
    TrainingScript script;
    std::function<void(const Released&)> released;
  };
  explicit ScriptedTrainer(Parts parts) : parts_(std::move(parts)) {}

  std::optional<TaskEnd> AllowFetch(const BlobName&) override { return std::nullopt; }
  std::optional<TaskEnd> Vet(const TrainInstruction& task) override;
  std::optional<TaskEnd> Train(const TrainInstruction& task, const SecretBytes& seed, absl::Time deadline,
                               std::stop_token stop) override;
  std::optional<CohortTerms> SumOf(const TrainInstruction& task) const override;
  std::variant<BlobName, TaskEnd> Release(const TrainInstruction& task) override;
  void ForgetUpdate() override { clean_.reset(); }
  void LetWorkerGo() override {}

 private:
  struct CleanUpdate {
    RoundId round;
    Quantizer quantizer;
    SecretVector<int32_t> values;
  };
  Debit DebitFor(const TrainInstruction& task) const;
  bool Sleep(absl::Duration time, const std::stop_token& stop) const;  // False if it was stopped.

  Parts parts_;
  std::optional<Plan> plan_;
  std::optional<CleanUpdate> clean_;
};

}  // namespace aisle::simulation

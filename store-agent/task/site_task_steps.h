// The steps of a task on a real site: cache, policy, ledger, rows and worker put together. See driver/task_steps.h.
//
//   vetting.cc    signature -> plan -> site policy -> privacy budget
//   training.cc   weights -> rows -> worker -> clean update
//   here          the release (release_and_spool.h), and what is kept between the steps
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/clock.h"
#include "base/identity/signing.h"
#include "plans/bundle.h"
#include "store-agent/driver/task_steps.h"
#include "store-agent/ledger/ledger_file.h"
#include "store-agent/metrics/agent_metrics.h"
#include "store-agent/policy/evaluate.h"
#include "store-agent/policy/home_store.h"
#include "store-agent/supervisor/worker_process.h"
#include "store-agent/tables/table_store.h"
#include "store-agent/task/kept_training.h"
#include "store-agent/task/worker_task.h"
#include "store-agent/transfer/blob_cache.h"
#include "store-agent/transfer/byte_meter.h"
#include "store-agent/transfer/spool.h"

namespace aisle {

struct SiteParts {
  const BlobCache& cache;
  const Spool& spool;
  ByteMeter& meter;
  TableStore& tables;
  const Schema& schema;
  const SitePolicy& policy;
  LedgerFile& ledger;
  AgentMetrics& metrics;
  const Clock& clock;
  RandomSource& random;
  std::function<std::vector<VerifyKey>()> plan_keys;
  std::string worker_program;
  const HomeStore* home_store = nullptr;      // Null: every customer's rows are used.
  const TrainingFolder* trainings = nullptr;  // Null: a training that is interrupted is begun anew.
};

// One thread at a time: the agent's working thread.
class SiteTaskSteps final : public TaskSteps {
 public:
  explicit SiteTaskSteps(SiteParts parts) : parts_(std::move(parts)) { TellLedger(); }

  Status ForgetTrainingsBut(const std::optional<RoundId>& round) override;
  std::optional<TaskEnd> AllowFetch(const BlobName& blob) override;
  std::optional<TaskEnd> Vet(const TrainInstruction& task) override;
  std::optional<TaskEnd> Train(const TrainInstruction& task, const SecretBytes& seed, absl::Time deadline,
                               std::stop_token stop) override;
  std::optional<CohortTerms> SumOf(const TrainInstruction& task) const override;
  std::variant<BlobName, TaskEnd> Release(const TrainInstruction& task) override;
  void ForgetUpdate() override;
  void LetWorkerGo() override;

 private:
  struct VettedPlan {
    Digest digest;
    std::string bundle;  // Canonical bytes.
    Plan plan;
  };
  struct CleanUpdate {
    RoundId round;
    Quantizer quantizer;
    SecretVector<int32_t> values;
    bool noised = false;  // Mode local-sgd: paid for and noised already.
  };
  // vetting.cc
  std::variant<VettedPlan, TaskEnd> OpenPlan(const TrainInstruction& task) const;
  std::optional<TaskEnd> CheckPolicy(const VettedPlan& vetted, const TrainInstruction& task) const;
  std::optional<TaskEnd> CheckBudget(const VettedPlan& vetted, const TrainInstruction& task) const;
  StatusOr<SiteFacts> Facts() const;
  // training.cc
  // What is the same for all runs of one training.
  struct TrainingRun {
    const TrainInstruction& task;
    const SecretBytes& seed;
    const UpdateShape& shape;
    absl::Time deadline;
    std::stop_token stop;
    KeptTraining* kept;  // May be null.
  };
  using Clean = std::variant<SecretVector<int32_t>, TaskEnd>;
  // The noise key of mode local-sgd, paid for; empty in other modes.
  std::variant<SecretBytes, TaskEnd> PayForSteps(const TrainInstruction& task);
  Clean MakeUpdate(const TrainingRun& run, std::string weights);
  // An interrupted training, with what its worker was handed.
  Clean GoOn(const TrainingRun& run, v1::TrainTask kept, std::string weights);
  Clean BeginAnew(const TrainingRun& run, std::string weights);
  Clean RunWorker(const TrainingRun& run, v1::WorkerRequest& request);
  Clean WithoutRows(const TrainingRun& run, v1::WorkerRequest& request);
  // A debit that is paid must not be lost with this process, nor the rows that it was paid for.
  std::optional<TaskEnd> Freeze(const TrainingRun& run, const v1::TrainTask& task) const;
  // As often as it takes to leave out the customers who break the plan; `request` says so afterwards.
  WorkerOutcome Ask(const TrainingRun& run, v1::WorkerRequest& request);
  StatusOr<std::vector<ColumnTable>> ReadRows() const;
  StatusOr<std::vector<ColumnTable>> ReadNoRows() const;
  Status EnsureWorker();
  // One per population that a round of the plan concerns, alike in all else: spend them together. Steps of local-sgd
  // are releases, all paid for before the first. FailedPrecondition as PopulationsOf.
  StatusOr<std::vector<Debit>> DebitsFor(const Plan& plan, const TrainInstruction& task) const;
  void TellLedger() const;
  void DropTrainings();

  SiteParts parts_;
  std::optional<VettedPlan> vetted_;
  std::optional<CleanUpdate> clean_;
  std::unique_ptr<WorkerProcess> worker_;
};

}  // namespace aisle

// Training begins with plan and weights in the cache and ends with a clean update in memory: clipped and quantised by
// the worker, not yet noised. Only the plan's columns are read, and only they reach the worker.
#include <algorithm>

#include "aggregation/weights.h"
#include "base/log.h"
#include "plans/update_vector.h"
#include "privacy/release.h"
#include "store-agent/supervisor/customer_attempts.h"
#include "store-agent/supervisor/wipe_task.h"
#include "store-agent/task/plan_rows.h"
#include "store-agent/task/release_and_spool.h"
#include "store-agent/task/site_task_steps.h"
#include "store-agent/task/worker_task.h"

namespace aisle {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

TaskEnd PlanError(const Status& status) { return Failed{FailureReason::kPlanError, std::string(MessageOf(status))}; }

}  // namespace

std::optional<TaskEnd> SiteTaskSteps::Train(const TrainInstruction& task, const SecretBytes& seed, absl::Time deadline,
                                            std::stop_token stop) {
  if (!vetted_ || vetted_->digest != task.plan.digest) {
    return Failed{FailureReason::kPlanError, "the plan was not vetted"};
  }
  StatusOr<std::string> weights = parts_.cache.Read(task.weights);
  if (!weights.ok()) return Failed{FailureReason::kDownload, "the weights were damaged on the store's disk"};
  const StatusOr<Layout> layout = DecodeWeightsLayout(*weights);
  if (!layout.ok()) return PlanError(layout.status());
  const StatusOr<UpdateShape> shape = UpdateShapeOf(vetted_->plan, *layout);
  if (!shape.ok()) return PlanError(shape.status());
  StatusOr<Quantizer> quantizer = QuantizerOf(vetted_->plan, *shape);
  if (!quantizer.ok()) return PlanError(quantizer.status());
  auto key = PayForSteps(task);
  if (auto* end = std::get_if<TaskEnd>(&key)) return std::move(*end);
  WorkerInputs inputs{.bundle = vetted_->bundle,
                      .weights = *std::move(weights),
                      .threads = parts_.policy.threads,
                      .clip_norm = task.clip_norm,
                      .noise_seed = std::get<SecretBytes>(std::move(key))};
  auto trained = RunWorker(std::move(inputs), *shape, seed, deadline, stop);
  if (auto* end = std::get_if<TaskEnd>(&trained)) return std::move(*end);
  clean_.emplace(CleanUpdate{.round = task.round,
                             .quantizer = *std::move(quantizer),
                             .values = std::get<SecretVector<int32_t>>(std::move(trained)),
                             .noised = vetted_->plan.privacy.mode == PrivacyMode::kLocalSgd});
  return std::nullopt;
}

// Steps are noised as they are made, so their debit comes before the first. A training that is begun anew, after a
// crash or a stop, is a new debit with a new key: what the one before it drew is lost, and what it spent stays spent.
std::variant<SecretBytes, TaskEnd> SiteTaskSteps::PayForSteps(const TrainInstruction& task) {
  if (vetted_->plan.privacy.mode != PrivacyMode::kLocalSgd) return SecretBytes();
  const StatusOr<std::vector<Debit>> debits = DebitsFor(vetted_->plan, task);
  if (!debits.ok()) return TaskEnd(Refused{RefusalReason::kPrivacyUnit, std::string(MessageOf(debits.status()))});
  StatusOr<DebitReceipt> receipt = parts_.ledger.Spend(*debits, parts_.policy.caps, parts_.clock.Now());
  if (!receipt.ok()) return EndOfSpending(receipt.status());
  TellLedger();
  StatusOr<SecretBytes> key = NoiseKeyFor(*std::move(receipt), parts_.random);
  if (!key.ok()) return EndOfSpending(key.status());
  return *std::move(key);
}

std::variant<SecretVector<int32_t>, TaskEnd> SiteTaskSteps::RunWorker(WorkerInputs inputs, const UpdateShape& shape,
                                                                      const SecretBytes& seed, absl::Time deadline,
                                                                      std::stop_token stop) {
  const StatusOr<SiteFacts> facts = Facts();
  if (!facts.ok()) return TaskEnd(Failed{FailureReason::kStorage, "the store's tables can't be read"});
  const bool of_customers = vetted_->plan.privacy.unit() == PrivacyUnit::kCustomer;
  // Too few rows: the update is zero and gets its noise like any other. Staying away would tell of the rows.
  if (!of_customers && !HasRowsFor(vetted_->plan, *facts)) {
    LogInfo("fewer rows are here than the plan asks for: this store sends noise only");
    return SecretVector<int32_t>(shape.length());
  }
  StatusOr<std::vector<ColumnTable>> rows = ReadRows();
  const bool too_many = of_customers && rows.status().code() == StatusCode::kResourceExhausted;
  if (too_many) rows = ReadNoRows();
  if (!rows.ok()) {
    LogError("reading rows for a plan: {}", MessageOf(rows.status()));
    return TaskEnd(Failed{FailureReason::kStorage, "the store's rows can't be read"});
  }
  WipedRequest request(MakeTrainRequest(std::move(inputs), *std::move(rows), seed));
  if (too_many) return WithoutRows(*request, shape, deadline, stop);
  WorkerOutcome outcome = Ask(*request, deadline, stop);
  if (!outcome.ok()) {
    LogWarning("training ended: {}: {}", NameOf(outcome.end), outcome.detail);
    if (!of_customers || !MayDependOnRows(outcome.end)) return EndOf(outcome);
    return WithoutRows(*request, shape, deadline, stop);
  }
  const v1::TrainResult& trained = outcome.reply.trained();
  LogInfo(
      "trained on {} examples{} in {}, worker's peak {} MiB", trained.examples(),
      of_customers ? fmt::format(" of {} customers drawn from {}", trained.customers_drawn(), trained.customers()) : "",
      aisle::FormatDuration(absl::Trunc(outcome.use.wall_time, absl::Milliseconds(1))), outcome.use.memory_peak / kMiB);
  if (of_customers) LogInfo("customers' gradients were taken by {}", trained.gradients_way());
  return TakeUpdate(outcome, shape);
}

// One customer's rows mustn't decide whether a store takes part: where all customers' rows together are more than the
// task may take, it gets none, and noise is all that this store sends. Headquarters sees it, if at all, in the noised
// count of customers.
std::variant<SecretVector<int32_t>, TaskEnd> SiteTaskSteps::WithoutRows(v1::WorkerRequest& request,
                                                                        const UpdateShape& shape, absl::Time deadline,
                                                                        std::stop_token stop) {
  LogWarning("the plan can't cope with this store's rows: it sends noise only");
  parts_.metrics.SentNoiseOnly();
  if (vetted_->plan.privacy.mode != PrivacyMode::kLocalSgd) return SecretVector<int32_t>(shape.length());
  RemoveRows(request);
  WorkerOutcome outcome = Ask(request, deadline, stop);
  if (!outcome.ok()) return EndOf(outcome);
  return TakeUpdate(outcome, shape);
}

WorkerOutcome SiteTaskSteps::Ask(v1::WorkerRequest& request, absl::Time deadline, std::stop_token stop) {
  TaskLimits caps = vetted_->plan.limits;
  caps.wall_time = std::clamp(deadline - parts_.clock.Now(), absl::Seconds(1), caps.wall_time);
  CustomerAttempts attempts = RunWithoutWhoeverBreaksIt(worker_, parts_.worker_program, request, caps, stop);
  WorkerOutcome& outcome = attempts.outcome;
  if (attempts.left_out > 0) {
    LogWarning("{} customers' rows broke the plan off: they add nothing, the others do", attempts.left_out);
    parts_.metrics.LeftOutCustomers(attempts.left_out);
  }
  parts_.metrics.WorkerUsed(outcome.use.memory_peak, outcome.use.wall_time);
  // A stop that came too late to interrupt still counts: nobody wants this update any more.
  if (outcome.ok() && stop.stop_requested()) outcome.end = WorkerEnd::kStopped;
  return std::move(outcome);
}

StatusOr<std::vector<ColumnTable>> SiteTaskSteps::ReadNoRows() const {
  std::vector<ColumnTable> tables;
  for (const TableNeed& need : vetted_->plan.tables) {
    AISLE_ASSIGN_OR_RETURN(ColumnTable table, NoRowsFor(need, parts_.tables));
    tables.push_back(std::move(table));
  }
  return tables;
}

StatusOr<std::vector<ColumnTable>> SiteTaskSteps::ReadRows() const {
  std::vector<ColumnTable> tables;
  for (const TableNeed& need : vetted_->plan.tables) {
    AISLE_ASSIGN_OR_RETURN(ColumnTable table,
                           RowsFor(need, vetted_->plan.limits.memory, parts_.tables, parts_.home_store));
    tables.push_back(std::move(table));
  }
  return tables;
}

Status SiteTaskSteps::EnsureWorker() {
  if (worker_ != nullptr && worker_->alive()) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(worker_, WorkerProcess::Start(parts_.worker_program));
  return OkStatus();
}

}  // namespace aisle

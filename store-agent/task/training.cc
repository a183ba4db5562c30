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
  std::optional<KeptTraining> kept;
  if (parts_.trainings != nullptr) {
    kept.emplace(*parts_.trainings, task, seed, parts_.tables.ForgottenDigest(), parts_.random);
  }
  auto trained = MakeUpdate({.task = task,
                             .seed = seed,
                             .shape = *shape,
                             .deadline = deadline,
                             .stop = stop,
                             .kept = kept ? &*kept : nullptr},
                            *std::move(weights));
  if (auto* end = std::get_if<TaskEnd>(&trained)) {
    if (kept && !stop.stop_requested()) kept->Drop();
    return std::move(*end);
  }
  clean_.emplace(CleanUpdate{.round = task.round,
                             .quantizer = *std::move(quantizer),
                             .values = std::get<SecretVector<int32_t>>(std::move(trained)),
                             .noised = vetted_->plan.privacy.mode == PrivacyMode::kLocalSgd});
  return std::nullopt;
}

SiteTaskSteps::Clean SiteTaskSteps::MakeUpdate(const TrainingRun& run, std::string weights) {
  if (run.kept == nullptr) return BeginAnew(run, std::move(weights));
  std::optional<v1::TrainTask> kept = run.kept->TakeUp();
  if (!kept) return BeginAnew(run, std::move(weights));
  LogInfo("{}: taking up the training that was interrupted", run.task.round);
  return GoOn(run, *std::move(kept), std::move(weights));
}

SiteTaskSteps::Clean SiteTaskSteps::GoOn(const TrainingRun& run, v1::TrainTask kept, std::string weights) {
  WipedRequest request{v1::WorkerRequest()};
  request->set_request_id(1);
  *request->mutable_train() = std::move(kept);
  request->mutable_train()->set_bundle(vetted_->bundle);
  request->mutable_train()->set_weights(std::move(weights));
  request->mutable_train()->set_seed(std::string(run.seed.Reveal()));
  return RunWorker(run, *request);
}

// Steps are noised as they are made, so their debit comes before the first. Key and rows are on the disk before it,
// too: a training that is interrupted goes on with them. One that has to be begun anew is a new debit with a new key.
std::variant<SecretBytes, TaskEnd> SiteTaskSteps::PayForSteps(const TrainInstruction& task) {
  if (vetted_->plan.privacy.mode != PrivacyMode::kLocalSgd) return SecretBytes();
  if (std::optional<TaskEnd> end = CheckBudget(*vetted_, task)) return *std::move(end);
  const StatusOr<std::vector<Debit>> debits = DebitsFor(vetted_->plan, task);
  if (!debits.ok()) return TaskEnd(Refused{RefusalReason::kPrivacyUnit, std::string(MessageOf(debits.status()))});
  StatusOr<DebitReceipt> receipt = parts_.ledger.Spend(*debits, parts_.policy.caps, parts_.clock.Now());
  if (!receipt.ok()) return EndOfSpending(receipt.status());
  TellLedger();
  StatusOr<SecretBytes> key = NoiseKeyFor(*std::move(receipt), parts_.random);
  if (!key.ok()) return EndOfSpending(key.status());
  return *std::move(key);
}

SiteTaskSteps::Clean SiteTaskSteps::BeginAnew(const TrainingRun& run, std::string weights) {
  const StatusOr<SiteFacts> facts = Facts();
  if (!facts.ok()) return TaskEnd(Failed{FailureReason::kStorage, "the store's tables can't be read"});
  const bool of_customers = vetted_->plan.privacy.unit() == PrivacyUnit::kCustomer;
  // Too few rows: the update is zero and gets its noise like any other. Staying away would tell of the rows.
  if (!of_customers && !HasRowsFor(vetted_->plan, *facts)) {
    LogInfo("fewer rows are here than the plan asks for: this store sends noise only");
    return SecretVector<int32_t>(run.shape.length());
  }
  StatusOr<std::vector<ColumnTable>> rows = ReadRows();
  const bool too_many = of_customers && rows.status().code() == StatusCode::kResourceExhausted;
  if (too_many) rows = ReadNoRows();
  if (!rows.ok()) {
    LogError("reading rows for a plan: {}", MessageOf(rows.status()));
    return TaskEnd(Failed{FailureReason::kStorage, "the store's rows can't be read"});
  }
  auto key = PayForSteps(run.task);
  if (auto* end = std::get_if<TaskEnd>(&key)) return std::move(*end);
  WorkerInputs inputs{.bundle = vetted_->bundle,
                      .weights = std::move(weights),
                      .threads = parts_.policy.threads,
                      .clip_norm = run.task.clip_norm,
                      .noise_seed = std::get<SecretBytes>(std::move(key))};
  WipedRequest request(MakeTrainRequest(std::move(inputs), *std::move(rows), run.seed));
  if (too_many) return WithoutRows(run, *request);
  if (run.kept != nullptr && parts_.trainings->every() > absl::ZeroDuration()) {
    request->mutable_train()->set_checkpoint_ms(static_cast<uint32_t>(
        std::clamp<int64_t>(absl::ToInt64Milliseconds(parts_.trainings->every()), 0, UINT32_MAX)));
  }
  if (std::optional<TaskEnd> end = Freeze(run, request->train())) return *std::move(end);
  return RunWorker(run, *request);
}

std::optional<TaskEnd> SiteTaskSteps::Freeze(const TrainingRun& run, const v1::TrainTask& task) const {
  if (run.kept == nullptr || task.noise_seed().empty()) return std::nullopt;
  const Status frozen = run.kept->Freeze(task);
  if (frozen.ok()) return std::nullopt;
  LogError("a training can't be kept: {}", MessageOf(frozen));
  return Failed{FailureReason::kStorage, "the store's training folder can't be written"};
}

SiteTaskSteps::Clean SiteTaskSteps::RunWorker(const TrainingRun& run, v1::WorkerRequest& request) {
  const bool of_customers = vetted_->plan.privacy.unit() == PrivacyUnit::kCustomer;
  WorkerOutcome outcome = Ask(run, request);
  if (!outcome.ok()) {
    LogWarning("training ended: {}: {}", NameOf(outcome.end), outcome.detail);
    if (!of_customers || !MayDependOnRows(outcome.end)) return EndOf(outcome);
    return WithoutRows(run, request);
  }
  const v1::TrainResult& trained = outcome.reply.trained();
  LogInfo(
      "trained on {} examples{} in {}, worker's peak {} MiB", trained.examples(),
      of_customers ? fmt::format(" of {} customers drawn from {}", trained.customers_drawn(), trained.customers()) : "",
      aisle::FormatDuration(absl::Trunc(outcome.use.wall_time, absl::Milliseconds(1))), outcome.use.memory_peak / kMiB);
  if (of_customers) LogInfo("customers' gradients were taken by {}", trained.gradients_way());
  return TakeUpdate(outcome, run.shape);
}

// One customer's rows mustn't decide whether a store takes part: where all customers' rows together are more than the
// task may take, it gets none, and noise is all that this store sends. Headquarters sees it, if at all, in the noised
// count of customers.
SiteTaskSteps::Clean SiteTaskSteps::WithoutRows(const TrainingRun& run, v1::WorkerRequest& request) {
  LogWarning("the plan can't cope with this store's rows: it sends noise only");
  parts_.metrics.SentNoiseOnly();
  if (vetted_->plan.privacy.mode != PrivacyMode::kLocalSgd) return SecretVector<int32_t>(run.shape.length());
  RemoveRows(request);
  if (std::optional<TaskEnd> end = Freeze(run, request.train())) return *std::move(end);
  WorkerOutcome outcome = Ask(run, request);
  if (!outcome.ok()) return EndOf(outcome);
  return TakeUpdate(outcome, run.shape);
}

WorkerOutcome SiteTaskSteps::Ask(const TrainingRun& run, v1::WorkerRequest& request) {
  TaskLimits caps = vetted_->plan.limits;
  caps.wall_time = std::clamp(run.deadline - parts_.clock.Now(), absl::Seconds(1), caps.wall_time);
  CustomerAttempts attempts =
      RunWithoutWhoeverBreaksIt(worker_, parts_.worker_program, request, caps, run.stop, run.kept);
  WorkerOutcome& outcome = attempts.outcome;
  if (attempts.left_out > 0) {
    LogWarning("{} customers' rows broke the plan off: they add nothing, the others do", attempts.left_out);
    parts_.metrics.LeftOutCustomers(attempts.left_out);
  }
  parts_.metrics.WorkerUsed(outcome.use.memory_peak, outcome.use.wall_time);
  // A stop that came too late to interrupt still counts: nobody wants this update any more.
  if (outcome.ok() && run.stop.stop_requested()) outcome.end = WorkerEnd::kStopped;
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

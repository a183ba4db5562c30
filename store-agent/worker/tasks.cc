#include "store-agent/worker/tasks.h"

#include <chrono>
#include <utility>

#include "aggregation/norm.h"
#include "plans/bundle.h"
#include "plans/update_vector.h"
#include "privacy/clip.h"
#include "store-agent/worker/customers/customer_task.h"
#include "store-agent/worker/dry_run.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/evaluation.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/program.h"
#include "store-agent/worker/training.h"

namespace aisle {

namespace {

constexpr uint32_t kThreadsMax = 64;
constexpr uint32_t kPassesMax = 1000;
constexpr size_t kSeedSize = 32;
constexpr size_t kDetailSizeMax = 2000;
constexpr auto kProgressPause = std::chrono::milliseconds(200);

struct LoadedPlan {
  Digest bundle;
  Plan plan;
  std::unique_ptr<Program> program;
  std::optional<CustomerWays> customers;  // Once a task of the unit customer came.
};

StatusOr<LoadedPlan> Load(const std::string& bytes) {
  AISLE_ASSIGN_OR_RETURN(const PlanBundle bundle, PlanBundle::Decode(bytes));
  LoadedPlan loaded;
  loaded.bundle = Sha256::Of(bytes);
  StatusOr<Plan> plan = bundle.plan();
  if (!plan.ok()) return PlanInvalid("{}", MessageOf(plan.status()));
  loaded.plan = *std::move(plan);
  AISLE_ASSIGN_OR_RETURN(loaded.program, Program::FromBundle(bundle, loaded.plan));
  return loaded;
}

StatusOr<AesCtrStream*> CheckSeed(const std::string& seed, std::unique_ptr<AesCtrStream>& stream) {
  if (seed.size() != kSeedSize) return InvalidArgument("the seed has {} bytes; it must be {}", seed.size(), kSeedSize);
  stream = std::make_unique<AesCtrStream>(SecretBytes::CopyOf(seed), "aisle/worker/task");
  return stream.get();
}

// Where metrics are measured: on what was held out, or on everything if nothing was.
std::vector<int64_t> MeasuredExamples(const Examples& examples) {
  return examples.validation().empty() ? examples.all() : examples.validation();
}

std::string LittleEndian(std::span<const int32_t> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

// The clipped, quantised update of `program`, which was trained from `before`.
Status FillUpdate(const Program& program, const Plan& plan, std::vector<float> before, std::vector<double> metrics,
                  v1::TrainResult& result) {
  const std::vector<float> after = program.TrainableValues();
  for (size_t i = 0; i < after.size(); ++i) before[i] = after[i] - before[i];
  AISLE_ASSIGN_OR_RETURN(const UpdateShape shape, UpdateShapeOf(plan, program.layout()));
  if (plan.privacy.adaptive_clip) metrics.push_back(L2Norm(before) <= shape.parameter_clip() ? 0.5 : -0.5);
  AISLE_ASSIGN_OR_RETURN(const Quantizer quantizer, QuantizerOf(plan, shape));
  UpdateClipReport report;
  AISLE_ASSIGN_OR_RETURN(const SecretVector<float> clipped, ClippedUpdate(before, metrics, shape, &report));
  if (report.parameters.non_finite) return PlanError("training made parameters that aren't finite");
  const SecretVector<int32_t> quantized = quantizer.Quantize(clipped.Reveal());
  result.set_update(LittleEndian(quantized.Reveal()));
  result.set_clipped(report.parameters.clipped);
  return OkStatus();
}

// Printable text: LibTorch quotes what it was given, and a damaged archive quotes anything. Protobuf wants UTF-8.
std::string Printable(std::string_view text) {
  std::string printable(text.substr(0, kDetailSizeMax));
  for (char& c : printable) {
    if (c != '\n' && (c < ' ' || c > '~')) c = '?';
  }
  return printable;
}

v1::WorkerFailure FailureOf(const Status& status) {
  v1::WorkerFailure failure;
  failure.set_reason(WorkerReasonOf(status));
  failure.set_detail(Printable(MessageOf(status)));
  return failure;
}

// Lets a progress message through now and then.
class Pacer {
 public:
  bool Due() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return false;
    next_ = now + kProgressPause;
    return true;
  }

 private:
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace

v1::WorkerFailure::Reason WorkerReasonOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kFailedPrecondition:
    case StatusCode::kUnimplemented:
      return v1::WorkerFailure::REASON_PLAN_INVALID;
    case StatusCode::kOutOfRange:
      return v1::WorkerFailure::REASON_PLAN_ERROR;
    case StatusCode::kResourceExhausted:
      return v1::WorkerFailure::REASON_OUT_OF_MEMORY;
    case StatusCode::kCancelled:
      return v1::WorkerFailure::REASON_STOPPED;
    default:
      return v1::WorkerFailure::REASON_BAD_REQUEST;
  }
}

struct TaskRunner::State {
  std::optional<LoadedPlan> loaded;

  // The plan of `bundle`, from the last task if it is the same source. Archives may hold state, so they are loaded
  // anew.
  StatusOr<LoadedPlan*> Use(const std::string& bundle, const std::string& weights) {
    const bool same =
        loaded && loaded->bundle == Sha256::Of(bundle) && loaded->plan.program_kind == ProgramKind::kSource;
    if (!same) {
      loaded.reset();
      AISLE_ASSIGN_OR_RETURN(LoadedPlan fresh, Load(bundle));
      loaded = std::move(fresh);
    }
    AISLE_ASSIGN_OR_RETURN(const Weights decoded, DecodeWeights(weights));
    AISLE_RETURN_IF_ERROR(loaded->program->SetWeights(decoded));
    return &*loaded;
  }

  struct Ears {
    const OnProgress& on_progress;
    const OnMark& on_mark;
    const OnCheckpoint& on_checkpoint;
  };
  Status Train(const v1::TrainTask& task, const Ears& ears, const std::atomic<bool>& stop, v1::TrainResult& result);
  Status TrainOnCustomers(LoadedPlan& used, const v1::TrainTask& task, AesCtrStream& random, const TrainingHooks& hooks,
                          const OnMark& on_mark, v1::TrainResult& result);
  Status Evaluate(const v1::EvaluateTask& task, const std::atomic<bool>& stop, v1::EvaluateResult& result);
  Status Inspect(const v1::InspectTask& task, v1::InspectResult& result);
  Status Export(const v1::ExportTask& task, v1::ExportResult& result);
  Status Dispatch(const v1::WorkerRequest& request, const Ears& ears, const std::atomic<bool>& stop,
                  v1::WorkerReply& reply);
};

Status TaskRunner::State::Train(const v1::TrainTask& task, const Ears& ears, const std::atomic<bool>& stop,
                                v1::TrainResult& result) {
  const uint32_t passes = std::max<uint32_t>(task.passes(), 1);
  if (passes > kPassesMax || (passes > 1 && !task.keep_weights())) {
    return InvalidArgument("{} passes: more than one is for local-only models, and {} is the most", passes, kPassesMax);
  }
  if (task.threads() > kThreadsMax) return InvalidArgument("{} threads; the limit is {}", task.threads(), kThreadsMax);
  const auto began = std::chrono::steady_clock::now();
  std::unique_ptr<AesCtrStream> random;
  AISLE_RETURN_IF_ERROR(CheckSeed(task.seed(), random).status());
  AISLE_ASSIGN_OR_RETURN(LoadedPlan * used, Use(task.bundle(), task.weights()));
  const Plan plan = WithClipNorm(used->plan, task.clip_norm());
  const std::unique_ptr<Program>& program = used->program;
  PrepareEngine(random->Draw64(), std::max<uint32_t>(task.threads(), 1));
  Pacer pacer;
  const auto tell = [&](uint32_t step, uint32_t steps_total, double loss) {
    if (!ears.on_progress || (!pacer.Due() && step != steps_total)) return;
    v1::Progress progress;
    progress.set_step(step);
    progress.set_steps_total(steps_total);
    progress.set_loss(loss);
    ears.on_progress(progress);
  };
  Checkpoints checkpoints(task, ears.on_checkpoint);
  const TrainingHooks hooks{.on_step = tell, .stop = &stop, .checkpoints = &checkpoints};
  // A model for the store alone leaves no trace outside, so nothing is clipped or drawn for it.
  if (plan.privacy.unit() == PrivacyUnit::kCustomer && !task.keep_weights()) {
    return TrainOnCustomers(*used, task, *random, hooks, ears.on_mark, result);
  }
  AISLE_ASSIGN_OR_RETURN(const Examples examples, Examples::Prepare(*program, plan, ViewsOf(task.tables())));

  // Metrics are those of the weights that came, so that their mean over stores is the measure of one model version.
  std::vector<double> metrics;
  if (!plan.metrics.empty()) {
    AISLE_ASSIGN_OR_RETURN(const MetricSums sums, SumMetrics(*program, examples, MeasuredExamples(examples), &stop));
    AISLE_ASSIGN_OR_RETURN(metrics, MetricMeans(sums, plan));
  }
  const std::chrono::duration<double> until_training = std::chrono::steady_clock::now() - began;
  std::vector<float> before = program->TrainableValues();
  AISLE_ASSIGN_OR_RETURN(const TrainingReport report,
                         TrainLocally(*program, examples, plan.training, passes, *random, hooks));
  result.set_examples(examples.training().size());
  result.set_loss_before(report.loss_before);
  result.set_loss_after(report.loss_after);
  result.set_seconds_to_first_batch(until_training.count() + report.seconds_first_batch);
  result.set_seconds_training(report.seconds_training);
  if (task.keep_weights()) result.set_trained_weights(EncodeWeights(program->GetWeights()));
  if (plan.privacy.unit() == PrivacyUnit::kCustomer) return OkStatus();  // Only customers drawn make an update of it.
  return FillUpdate(*program, plan, std::move(before), std::move(metrics), result);
}

Status TaskRunner::State::TrainOnCustomers(LoadedPlan& used, const v1::TrainTask& task, AesCtrStream& random,
                                           const TrainingHooks& hooks, const OnMark& on_mark, v1::TrainResult& result) {
  if (!used.customers) {
    AISLE_ASSIGN_OR_RETURN(used.customers, CustomerWays::Of(*used.program, used.plan));
  }
  CustomerWatch watch(task, on_mark);
  const CustomerTask customer_task{.plan = WithClipNorm(used.plan, task.clip_norm()),
                                   .tables = task.tables(),
                                   .seed = task.seed(),
                                   .noise_seed = task.noise_seed(),
                                   .watch = watch};
  AISLE_ASSIGN_OR_RETURN(const SecretVector<int32_t> update,
                         RunCustomerTask(*used.program, customer_task, *used.customers, random, hooks, result));
  result.set_update(LittleEndian(update.Reveal()));
  return OkStatus();
}

Status TaskRunner::State::Evaluate(const v1::EvaluateTask& task, const std::atomic<bool>& stop,
                                   v1::EvaluateResult& result) {
  AISLE_ASSIGN_OR_RETURN(LoadedPlan * used, Use(task.bundle(), task.weights()));
  PrepareEngine(0, 1);
  AISLE_ASSIGN_OR_RETURN(const Examples examples,
                         Examples::Prepare(*used->program, used->plan, ViewsOf(task.tables())));
  const std::vector<int64_t> indices = task.split() == v1::EvaluateTask::SPLIT_TRAINING     ? examples.training()
                                       : task.split() == v1::EvaluateTask::SPLIT_VALIDATION ? examples.validation()
                                                                                            : examples.all();
  AISLE_ASSIGN_OR_RETURN(const MetricSums sums, SumMetrics(*used->program, examples, indices, &stop));
  for (const auto& [name, sum] : sums) (*result.mutable_metrics())[name] = sum;
  result.set_examples(indices.size());
  return OkStatus();
}

Status TaskRunner::State::Inspect(const v1::InspectTask& task, v1::InspectResult& result) {
  if (task.rows() > kDryRunRowsMax) {
    return InvalidArgument("{} made-up rows; the limit is {}", task.rows(), kDryRunRowsMax);
  }
  std::unique_ptr<AesCtrStream> random;
  AISLE_RETURN_IF_ERROR(CheckSeed(task.seed(), random).status());
  AISLE_ASSIGN_OR_RETURN(LoadedPlan * used, Use(task.bundle(), task.weights()));
  PrepareEngine(random->Draw64(), 1);
  const uint64_t rows = task.rows() > 0 ? task.rows() : kDryRunRows;
  AISLE_ASSIGN_OR_RETURN(result, DryRun(*used->program, used->plan, rows, *random));
  return OkStatus();
}

Status TaskRunner::State::Export(const v1::ExportTask& task, v1::ExportResult& result) {
  AISLE_ASSIGN_OR_RETURN(const std::unique_ptr<Program> program, Program::FromArchive(task.archive()));
  result.set_weights(EncodeWeights(program->GetWeights()));
  for (std::string& method : program->methods()) result.add_methods(std::move(method));
  return OkStatus();
}

Status TaskRunner::State::Dispatch(const v1::WorkerRequest& request, const Ears& ears, const std::atomic<bool>& stop,
                                   v1::WorkerReply& reply) {
  switch (request.task_case()) {
    case v1::WorkerRequest::kTrain:
      return Train(request.train(), ears, stop, *reply.mutable_trained());
    case v1::WorkerRequest::kEvaluate:
      return Evaluate(request.evaluate(), stop, *reply.mutable_evaluated());
    case v1::WorkerRequest::kInspect:
      return Inspect(request.inspect(), *reply.mutable_inspected());
    case v1::WorkerRequest::kExportArchive:
      return Export(request.export_archive(), *reply.mutable_exported());
    default:
      return InvalidArgument("a request without a task that this version knows");
  }
}

TaskRunner::TaskRunner() : state_(std::make_unique<State>()) {}
TaskRunner::~TaskRunner() = default;

v1::WorkerReply TaskRunner::Run(const v1::WorkerRequest& request, const OnProgress& on_progress,
                                const std::atomic<bool>& stop, const OnMark& on_mark,
                                const OnCheckpoint& on_checkpoint) {
  v1::WorkerReply reply;
  Status ended;
  const Status threw = Guarded("the task", [&] {
    ended = state_->Dispatch(request, {on_progress, on_mark, on_checkpoint}, stop, reply);
  });  // Our own allocations.
  const Status& status = threw.ok() ? ended : threw;
  if (!status.ok()) {
    *reply.mutable_failure() = FailureOf(status);
    state_->loaded.reset();
  }
  reply.set_request_id(request.request_id());
  return reply;
}

}  // namespace aisle

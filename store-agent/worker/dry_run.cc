#include "store-agent/worker/dry_run.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>

#include "plans/update_vector.h"
#include "store-agent/worker/customers/customer_rows.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/evaluation.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"
#include "store-agent/worker/training.h"

namespace aisle {

namespace {

constexpr size_t kCustomersTried = 16;
constexpr uint32_t kTimedSteps = 8;

void AppendNumber(std::string& bytes, double value, bool is_double) {
  const auto whole = static_cast<int64_t>(std::floor(value));
  const char* raw = is_double ? reinterpret_cast<const char*>(&value) : reinterpret_cast<const char*>(&whole);
  bytes.append(raw, sizeof value);
}

v1::ColumnData MakeColumn(const ColumnNeed& need, uint64_t rows, RandomSource& random) {
  v1::ColumnData column;
  column.set_name(need.name);
  if (need.type == ColumnType::kBytes) {
    std::string bytes(rows * need.width, '\0');
    random.Fill({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
    column.set_width(need.width);
    column.set_byte_values(std::move(bytes));
    return column;
  }
  const bool is_double = need.type == ColumnType::kDouble;
  const double width = need.range.max - need.range.min + (is_double ? 0 : 1);  // Whole numbers reach their maximum too.
  std::string& bytes = is_double ? *column.mutable_double_values() : *column.mutable_int64_values();
  for (uint64_t i = 0; i < rows; ++i) AppendNumber(bytes, need.range.min + width * random.Fraction(), is_double);
  return column;
}

StatusOr<at::Tensor> LossOf(Program& program, const Examples& examples, const std::vector<int64_t>& indices) {
  c10::IValue batch;
  c10::IValue result;
  examples.Gather(indices, batch);
  AISLE_RETURN_IF_ERROR(program.Call(kLoss, batch, result));
  return result.toTensor();
}

// Leaves half of the batch away: the losses of those who stay may not change.
Status CheckLossIsPerExample(Program& program, const Examples& examples) {
  const at::NoGradGuard no_grad;
  program.SetTraining(false);
  std::vector<int64_t> everyone = examples.all();
  if (everyone.size() > kLossSampleMax) everyone.resize(kLossSampleMax);
  const std::vector<int64_t> half(everyone.begin(), everyone.begin() + static_cast<int64_t>((everyone.size() + 1) / 2));
  AISLE_ASSIGN_OR_RETURN(const at::Tensor all, LossOf(program, examples, everyone));
  AISLE_ASSIGN_OR_RETURN(const at::Tensor some, LossOf(program, examples, half));
  if (all.dim() != 1 || all.size(0) != static_cast<int64_t>(everyone.size())) {
    return PlanError("loss returned [{}] for a batch of {} examples; one float per example is expected",
                     fmt::join(all.sizes().vec(), ", "), everyone.size());
  }
  bool same = false;
  bool finite = false;
  AISLE_RETURN_IF_ERROR(Guarded(kLoss, [&] {
    finite = at::isfinite(all).all().item<bool>();
    same = at::allclose(all.narrow(0, 0, static_cast<int64_t>(half.size())), some, 1e-3, 1e-4);
  }));
  if (!finite) return PlanError("loss isn't finite on rows within the ranges that plan.toml declares");
  if (!same) {
    return PlanError(
        "the loss of an example depends on the other examples of its batch; "
        "batch statistics mix examples and would leak them: use group_norm or layer_norm");
  }
  return OkStatus();
}

Status CheckPredictions(Program& program, const Examples& examples) {
  const at::NoGradGuard no_grad;
  program.SetTraining(false);
  c10::IValue batch;
  c10::IValue result;
  examples.Gather(examples.all(), batch);
  AISLE_RETURN_IF_ERROR(program.Call(kPredict, batch, result));
  const auto answers = result.toGenericDict();
  if (answers.empty()) return PlanError("predict returned nothing");
  for (const auto& entry : answers) {
    const at::Tensor answer = entry.value().toTensor();
    if (answer.dim() == 0 || answer.size(0) != examples.size()) {
      return PlanError("predict returned \"{}\" of shape [{}] for {} examples", entry.key().toStringRef(),
                       fmt::join(answer.sizes().vec(), ", "), examples.size());
    }
    if (answer.is_floating_point() && !at::isfinite(answer).all().item<bool>()) {
      return PlanError("predict returned \"{}\" with values that aren't finite", entry.key().toStringRef());
    }
  }
  return OkStatus();
}

// In a store, prepare() sees one customer's rows at a time: it must make examples of them, of the form it always makes.
Status CheckCustomers(Program& program, const Plan& plan, const TableRows& tables, const Examples& all) {
  AISLE_ASSIGN_OR_RETURN(const CustomerRows rows, CustomerRows::Group(tables, plan));
  if (rows.size() == 0)
    return PlanError("the made-up rows have no customer; declare a range from 0 up for that column");
  const std::string form = all.Form();
  int64_t made = 0;
  Status last;
  for (size_t i = 0; i < std::min(rows.size(), kCustomersTried); ++i) {
    const CustomerRows::Slice slice = rows.SliceOf(i);
    const StatusOr<Examples> examples = Examples::Prepare(program, plan, slice.views());
    if (!examples.ok()) {
      last = examples.status();
      continue;
    }
    if (examples->Form() != form) {
      return PlanError(
          "prepare makes \"{}\" of one customer's rows and \"{}\" of many: but for the number of examples, "
          "shapes and types must not depend on the rows",
          examples->Form(), form);
    }
    made += std::ranges::count(examples->OwnedByAUnit(), true);
  }
  if (made > 0) return OkStatus();
  if (!last.ok()) return PlanError("prepare fails on one customer's rows alone: {}", MessageOf(last));
  return PlanError("prepare made no example of any single customer's rows (\"unit\" negative means nobody's)");
}

}  // namespace

TableRows MakeTables(const Plan& plan, uint64_t rows, RandomSource& random) {
  TableRows tables;
  for (const TableNeed& need : plan.tables) {
    v1::TableData& table = *tables.Add();
    table.set_name(need.name);
    table.set_rows(need.dry_run_rows > 0 ? need.dry_run_rows : rows);
    for (const ColumnNeed& column : need.columns) *table.add_columns() = MakeColumn(column, table.rows(), random);
  }
  return tables;
}

StatusOr<v1::InspectResult> DryRun(Program& program, const Plan& plan, uint64_t rows, RandomSource& random) {
  AISLE_ASSIGN_OR_RETURN(const UpdateShape shape, UpdateShapeOf(plan, program.layout()));
  AISLE_RETURN_IF_ERROR(QuantizerOf(plan, shape).status());
  const TableRows tables = MakeTables(plan, rows, random);
  AISLE_ASSIGN_OR_RETURN(const Examples examples, Examples::Prepare(program, plan, ViewsOf(tables)));
  AISLE_RETURN_IF_ERROR(CheckLossIsPerExample(program, examples));
  AISLE_RETURN_IF_ERROR(CheckPredictions(program, examples));
  if (plan.privacy.unit() == PrivacyUnit::kCustomer)
    AISLE_RETURN_IF_ERROR(CheckCustomers(program, plan, tables, examples));
  AISLE_ASSIGN_OR_RETURN(const MetricSums sums, SumMetrics(program, examples, examples.all()));
  AISLE_RETURN_IF_ERROR(MetricMeans(sums, plan).status());

  LocalTraining schedule = plan.training;
  schedule.steps_max = std::min(schedule.steps_max, kTimedSteps);
  AISLE_ASSIGN_OR_RETURN(const TrainingReport report, TrainLocally(program, examples, schedule, 1, random, {}));

  v1::InspectResult result;
  result.set_parameters(program.layout().element_count());
  result.set_trainable(program.trainable_count());
  result.set_seconds_per_step(report.seconds_training / std::max<uint32_t>(report.steps, 1));
  for (const std::string& name : program.operators()) result.add_operators(name);
  return result;
}

}  // namespace aisle

#include "store-agent/task/worker_task.h"

#include <cstring>

#include "base/check.h"
#include "store-agent/supervisor/wipe_task.h"

namespace aisle {
namespace {

void Put(const Column& column, v1::ColumnData* out) {
  out->set_name(column.name());
  std::string bytes(column.bytes());
  switch (column.type()) {
    case ColumnType::kDouble:
      out->set_double_values(std::move(bytes));
      return;
    case ColumnType::kBytes:
      out->set_byte_values(std::move(bytes));
      out->set_width(column.width());
      return;
    default:
      out->set_int64_values(std::move(bytes));
  }
}

FailureReason ReasonOf(WorkerEnd end) {
  switch (end) {
    case WorkerEnd::kMemoryCap:
      return FailureReason::kMemoryCap;
    case WorkerEnd::kCpuTimeCap:
    case WorkerEnd::kWallTimeCap:
    case WorkerEnd::kCustomerTimeCap:
      return FailureReason::kTimeCap;
    case WorkerEnd::kSandbox:
      return FailureReason::kSandbox;
    case WorkerEnd::kPlanError:
    case WorkerEnd::kBadRequest:
      return FailureReason::kPlanError;
    default:
      return FailureReason::kWorkerCrash;
  }
}

}  // namespace

v1::WorkerRequest MakeTrainRequest(WorkerInputs inputs, std::vector<ColumnTable> tables, const SecretBytes& seed) {
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::TrainTask* task = request.mutable_train();
  task->set_bundle(std::move(inputs.bundle));
  task->set_weights(std::move(inputs.weights));
  task->set_seed(std::string(seed.Reveal()));
  task->set_threads(inputs.threads);
  task->set_clip_norm(inputs.clip_norm);
  task->set_noise_seed(std::string(inputs.noise_seed.Reveal()));
  for (ColumnTable& table : tables) {
    v1::TableData* out = task->add_tables();
    out->set_name(table.name);
    out->set_rows(table.rows);
    for (const Column& column : table.columns) Put(column, out->add_columns());
    table.columns.clear();
  }
  return request;
}

void RemoveRows(v1::WorkerRequest& request) {
  request.mutable_train()->clear_left_out();
  request.mutable_train()->clear_alone();
  request.mutable_train()->clear_resume();
  for (v1::TableData& table : *request.mutable_train()->mutable_tables()) {
    WipeRows(table);
    table.set_rows(0);
    for (v1::ColumnData& column : *table.mutable_columns()) {
      if (column.has_double_values()) column.set_double_values("");
      if (column.has_int64_values()) column.set_int64_values("");
      if (column.has_byte_values()) column.set_byte_values("");
    }
  }
}

bool MayDependOnRows(WorkerEnd end) {
  switch (end) {
    case WorkerEnd::kPlanError:
    case WorkerEnd::kMemoryCap:
    case WorkerEnd::kCpuTimeCap:
    case WorkerEnd::kWallTimeCap:
    case WorkerEnd::kCustomerTimeCap:
    case WorkerEnd::kSandbox:
    case WorkerEnd::kCrash:
      return true;
    default:
      return false;
  }
}

std::variant<SecretVector<int32_t>, TaskEnd> TakeUpdate(WorkerOutcome& outcome, const UpdateShape& shape) {
  std::string& bytes = *outcome.reply.mutable_trained()->mutable_update();
  SecretVector<int32_t> update(shape.length());
  const bool fits = bytes.size() == update.size() * sizeof(int32_t);
  if (fits) std::memcpy(update.Mutable().data(), bytes.data(), bytes.size());
  const size_t size = bytes.size();
  Wipe(bytes.data(), size);
  if (fits) return update;
  return TaskEnd(Failed{FailureReason::kPlanError, fmt::format("the worker's update has {} bytes, not {}", size,
                                                               shape.length() * sizeof(int32_t))});
}

TaskEnd EndOf(const WorkerOutcome& outcome) {
  AISLE_CHECK(!outcome.ok());
  const std::string said = fmt::format("the worker ended: {}", NameOf(outcome.end));
  if (outcome.end == WorkerEnd::kPlanInvalid) return Refused{RefusalReason::kPlanInvalid, said};
  return Failed{ReasonOf(outcome.end), said};
}

}  // namespace aisle

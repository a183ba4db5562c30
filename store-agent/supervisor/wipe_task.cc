#include "store-agent/supervisor/wipe_task.h"

#include "base/secret.h"

namespace aisle {
namespace {

void WipeBytes(std::string& bytes) { Wipe(bytes.data(), bytes.size()); }

}  // namespace

void WipeRows(v1::TableData& table) {
  for (v1::ColumnData& column : *table.mutable_columns()) {
    if (column.has_int64_values()) WipeBytes(*column.mutable_int64_values());
    if (column.has_double_values()) WipeBytes(*column.mutable_double_values());
    if (column.has_byte_values()) WipeBytes(*column.mutable_byte_values());
  }
}

void WipeTask(v1::WorkerRequest& request) {
  if (request.has_train()) {
    v1::TrainTask& task = *request.mutable_train();
    WipeBytes(*task.mutable_seed());
    WipeBytes(*task.mutable_noise_seed());
    WipeBytes(*task.mutable_resume());
    for (v1::TableData& table : *task.mutable_tables()) WipeRows(table);
  }
  if (request.has_evaluate()) {
    for (v1::TableData& table : *request.mutable_evaluate()->mutable_tables()) WipeRows(table);
  }
  request.Clear();
}

}  // namespace aisle

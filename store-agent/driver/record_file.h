// The task record on the disk: one small file, replaced whole.
#pragma once

#include <optional>
#include <string>

#include "base/status.h"
#include "store-agent/agent/task_record.h"

namespace aisle {

class RecordFile {
 public:
  explicit RecordFile(std::string path) : path_(std::move(path)) {}

  // Nullopt if there is no task. A damaged record is put aside as PATH.damaged and taken for none, with an error in the
  // log: the round loses this store, nothing else is lost.
  StatusOr<std::optional<agent::TaskRecord>> Load() const;
  // Durable when it returns OK. Mode 0600: the record may hold a training seed.
  Status Save(const std::optional<agent::TaskRecord>& record) const;

 private:
  std::string path_;
};

}  // namespace aisle

#include "store-agent/driver/record_file.h"

#include <filesystem>

#include "base/cover.h"
#include "base/log.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr uint64_t kRecordSizeMax = 64 << 10;

}  // namespace

StatusOr<std::optional<agent::TaskRecord>> RecordFile::Load() const {
  if (!FileExists(path_)) return std::optional<agent::TaskRecord>();
  AISLE_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path_, kRecordSizeMax));
  StatusOr<agent::TaskRecord> record = agent::DecodeRecord(bytes);
  Wipe(bytes.data(), bytes.size());
  if (record.ok()) return std::optional<agent::TaskRecord>(*std::move(record));
  AISLE_COVER("agent.record_damaged");
  LogError("{}: {}; it is put aside and its round goes on without this store", path_, MessageOf(record.status()));
  AISLE_RETURN_IF_ERROR(RenameDurably(path_, path_ + ".damaged"));
  return std::optional<agent::TaskRecord>();
}

Status RecordFile::Save(const std::optional<agent::TaskRecord>& record) const {
  AISLE_COVER("commit.task_record.before");
  if (record) {
    AISLE_RETURN_IF_ERROR(WriteFileDurably(path_, agent::EncodeRecord(*record).Reveal(), 0600));
  } else {
    AISLE_RETURN_IF_ERROR(RemoveFile(path_));
    AISLE_RETURN_IF_ERROR(SyncFolder(std::filesystem::path(path_).parent_path().string()));
  }
  AISLE_COVER("commit.task_record.after");
  return OkStatus();
}

}  // namespace aisle

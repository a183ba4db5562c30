// A backup, file by file in chunks: one write in flight, one chunk in memory.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <set>

#include "aisle/v1/admin.pb.h"
#include "base/ids.h"
#include "base/thread_pool.h"
#include "coordinator/backup/backup.h"

namespace aisle {

inline constexpr int kHaveBlobsMax = 65'536;  // Digests that a caller may name.

// Deletes itself when gRPC is done with it; the backup's hold on files ends with it. `disk` makes the copy.
class BackupStream final : public grpc::ServerWriteReactor<v1::BackUpResponse> {
 public:
  BackupStream(const Status& authorized, const v1::BackUpRequest& request, BackupDesk& desk, ThreadPool& disk,
               std::string chain, absl::Time now);
  void OnWriteDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  void Begin(StatusOr<std::unique_ptr<Backup>> backup);
  // The next message; false if all has been said. Errors name the file.
  StatusOr<bool> Next();
  Status ReadOn();
  void WriteNext();

  const std::string chain_;
  std::unique_ptr<Backup> backup_;
  v1::BackUpResponse message_;
  size_t file_ = 0;  // The one under way, or the next.
  uint64_t offset_ = 0;
  uint64_t sent_ = 0;
  FileDescriptor open_;
  bool ended_ = false;
};

}  // namespace aisle

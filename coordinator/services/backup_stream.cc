#include "coordinator/services/backup_stream.h"

#include <fcntl.h>

#include <algorithm>

#include "base/fleet.h"
#include "base/log.h"
#include "base/net/status_conversion.h"
#include "base/version.h"
#include "proto/convert/fleet.h"

namespace aisle {
namespace {

StatusOr<std::set<Digest>> HaveOf(const v1::BackUpRequest& request) {
  if (request.have_blobs_size() > kHaveBlobsMax) {
    return InvalidArgument("{} blobs are named; the limit is {}", request.have_blobs_size(), kHaveBlobsMax);
  }
  std::set<Digest> have;
  for (const std::string& bytes : request.have_blobs()) {
    AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestFromProto("have_blobs", bytes));
    have.insert(digest);
  }
  return have;
}

}  // namespace

BackupStream::BackupStream(const Status& authorized, const v1::BackUpRequest& request, BackupDesk& desk,
                           ThreadPool& disk, std::string chain, absl::Time now)
    : chain_(std::move(chain)) {
  StatusOr<std::set<Digest>> have = authorized.ok() ? HaveOf(request) : authorized;
  if (!have.ok()) {
    Finish(ToGrpc(have.status()));
    return;
  }
  disk.Post([this, &desk, have = *std::move(have), now] { Begin(desk.Begin(have, now)); });
}

void BackupStream::Begin(StatusOr<std::unique_ptr<Backup>> backup) {
  if (!backup.ok()) return Finish(ToGrpc(backup.status()));
  backup_ = *std::move(backup);
  LogInfo("a backup of {} files begins", backup_->files().size());
  v1::BackupBegun* begun = message_.mutable_begun();
  begun->set_chain(chain_);
  begun->set_version(std::string(Version()));
  begun->set_made_unix_us(absl::ToUnixMicros(backup_->made_at()));
  StartWrite(&message_);
}

Status BackupStream::ReadOn() {
  const Backup::File& file = backup_->files()[file_];
  const uint64_t size = std::min(kChunkSize, file.size - offset_);
  std::string& data = *message_.mutable_data();
  data.resize(size);
  AISLE_RETURN_IF_ERROR(ReadExactlyAt(open_.get(), data.data(), size, offset_, file.source));
  offset_ += size;
  sent_ += size;
  if (offset_ == file.size) {
    open_.Close();
    ++file_;
  }
  return OkStatus();
}

StatusOr<bool> BackupStream::Next() {
  if (open_.valid()) {
    AISLE_RETURN_IF_ERROR(ReadOn());
    return true;
  }
  if (file_ < backup_->files().size()) {
    const Backup::File& file = backup_->files()[file_];
    message_.mutable_file()->set_path(file.path);
    message_.mutable_file()->set_size_bytes(file.size);
    offset_ = 0;
    if (file.size == 0) {
      ++file_;
    } else {
      AISLE_ASSIGN_OR_RETURN(open_, OpenFile(file.source, O_RDONLY));
    }
    return true;
  }
  if (ended_) return false;
  ended_ = true;
  message_.mutable_ended()->set_files(backup_->files().size());
  message_.mutable_ended()->set_size_bytes(sent_);
  message_.mutable_ended()->set_blobs_kept(backup_->blobs_kept());
  return true;
}

void BackupStream::WriteNext() {
  const StatusOr<bool> more = Next();
  if (!more.ok()) {
    LogWarning("a backup broke off: {}", MessageOf(more.status()));
    return Finish(ToGrpc(more.status()));
  }
  if (*more) return StartWrite(&message_);
  LogInfo("a backup of {} files and {} bytes was sent", backup_->files().size(), sent_);
  Finish(grpc::Status::OK);
}

void BackupStream::OnWriteDone(bool ok) {
  if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the receiver hung up"));
  WriteNext();
}

}  // namespace aisle

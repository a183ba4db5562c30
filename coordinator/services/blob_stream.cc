#include "coordinator/services/blob_stream.h"

#include "base/pieces.h"

namespace aisle {

BlobStream::BlobStream(Coordinator& coordinator, const std::optional<StoreId>& store, uint64_t offset, bool careful,
                       Ended ended)
    : coordinator_(coordinator), offset_(offset), first_(offset), careful_(careful), ended_(std::move(ended)) {
  if (!store) return;
  transfer_ = coordinator_.BeginTransfer(*store, [this](const Status& why) {
    if (cut_off_.Cut(why)) Finish(ToGrpc(why));
  });
}

void BlobStream::Begin(StatusOr<std::shared_ptr<const BlobReader>> blob) {
  if (!blob.ok()) return Finish(ToGrpc(blob.status()));
  blob_ = *std::move(blob);
  if (offset_ > blob_->size()) {
    return Finish(ToGrpc(OutOfRange("offset {} lies beyond the blob's {} bytes", offset_, blob_->size())));
  }
  chunk_.set_total_size_bytes(blob_->size());
  WriteNext();
}

void BlobStream::WriteNext() {
  const uint64_t size = PieceSize(careful_, offset_ - first_);
  if (Status read = blob_->ReadAt(offset_, size, *chunk_.mutable_data()); !read.ok()) return Finish(ToGrpc(read));
  offset_ += chunk_.data().size();
  const Status cut = cut_off_.Wait([this] { StartWrite(&chunk_); });
  if (!cut.ok()) Finish(ToGrpc(cut));
}

void BlobStream::OnWriteDone(bool ok) {
  if (!cut_off_.Arrived()) return;
  if (!ok) return Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the receiver hung up"));
  if (offset_ >= blob_->size()) return Finish(grpc::Status::OK);
  chunk_.set_total_size_bytes(0);  // Said in the first message.
  WriteNext();
}

void BlobStream::OnDone() {
  ended_(offset_ - first_);
  if (transfer_ == 0) {
    delete this;
    return;
  }
  coordinator_.EndTransfer(transfer_, [this] { delete this; });
}

}  // namespace aisle

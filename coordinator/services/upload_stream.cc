#include "coordinator/services/upload_stream.h"

#include "base/net/status_conversion.h"
#include "base/reason.h"
#include "proto/convert/fleet.h"

namespace aisle {
namespace {

constexpr size_t kLargePiece = 64 << 10;  // Bytes.

}  // namespace

UploadStream::UploadStream(Coordinator& coordinator, StatusOr<Certificate> caller, ThreadPool& disk,
                           v1::UploadResponse* response, std::function<void()> ended)
    : coordinator_(coordinator),
      caller_(std::move(caller)),
      disk_(disk),
      response_(response),
      ended_(std::move(ended)) {
  StatusOr<StoreId> store = caller_.ok() ? StoreOf(caller_->identity()) : caller_.status();
  if (!store.ok()) {
    Fail(store.status());
    return;
  }
  transfer_ = coordinator_.BeginTransfer(*std::move(store), [this](const Status& why) {
    if (cut_off_.Cut(why)) Fail(why);
  });
  ReadOn();
}

void UploadStream::ReadOn() {
  const Status cut = cut_off_.Wait([this] { StartRead(&message_); });
  if (!cut.ok()) Fail(cut);
}

void UploadStream::OnReadDone(bool ok) {
  if (!cut_off_.Arrived()) return;
  if (upload_.session != nullptr) return ok ? TakeData() : End();
  if (!ok || !message_.has_header()) {
    return Fail(InvalidArgument("an upload begins with a header; this one didn't"));
  }
  Begin();
}

void UploadStream::Begin() {
  StatusOr<UploadHeader> header = FromProto(message_.header());
  if (!header.ok()) return Fail(header.status());
  header_ = *std::move(header);
  coordinator_.BeginUpload(*caller_, header_, [this](StatusOr<aisle::Upload> upload) {
    if (!upload.ok()) return Fail(upload.status());
    upload_ = *std::move(upload);
    TakeData();
  });
}

// A large piece waits for the disk, and is hashed and summed: not on a thread that all streams share.
void UploadStream::TakeData() {
  if (message_.data().size() < kLargePiece) return TakePiece();
  disk_.Post([this] { TakePiece(); });
}

void UploadStream::TakePiece() {
  if (message_.data().size() > kChunkSizeMax) {
    return Fail(WithReason(
        InvalidArgument("a message holds {} bytes of data; the limit is {}", message_.data().size(), kChunkSizeMax),
        Reason::kLimitExceeded));
  }
  if (Status taken = upload_.session->Append(message_.data()); !taken.ok()) return Fail(taken);
  ReadOn();
}

void UploadStream::End() {
  disk_.Post([this] {
    const StatusOr<UploadStatus> status = upload_.session->Finish();
    if (!status.ok()) return Fail(status.status());
    response_->set_received_bytes(status->received);
    if (!status->complete) return Finish(grpc::Status::OK);  // Cut: a later stream goes on.
    coordinator_.AcceptUpload(*caller_, header_, [this](const Status& accepted) {
      response_->set_complete(accepted.ok());
      Finish(ToGrpc(accepted));
    });
  });
}

void UploadStream::Fail(const Status& status) { Finish(ToGrpc(status)); }

void UploadStream::OnDone() {
  ended_();
  if (transfer_ == 0) {
    delete this;
    return;
  }
  coordinator_.EndTransfer(transfer_, [this] { delete this; });
}

}  // namespace aisle

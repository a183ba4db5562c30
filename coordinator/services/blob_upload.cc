#include "coordinator/services/blob_upload.h"

#include <algorithm>

#include "base/net/status_conversion.h"
#include "proto/convert/fleet.h"

namespace aisle {

BlobUpload::BlobUpload(const Status& authorized, BlobStore& blobs, ThreadPool& disk, v1::PutBlobResponse* response)
    : blobs_(blobs), disk_(disk), response_(response) {
  if (authorized.ok())
    StartRead(&message_);
  else
    Finish(ToGrpc(authorized));
}

void BlobUpload::OnReadDone(bool ok) {
  if (!ok && writer_ != nullptr) {
    return disk_.Post([this] {
      const Status stored = writer_->Finish();
      if (stored.ok()) ToProto(name_, response_->mutable_blob());
      Finish(ToGrpc(stored));
    });
  }
  Status taken = !ok ? InvalidArgument("the stream ended before it named its blob") : OkStatus();
  if (taken.ok() && writer_ == nullptr) taken = Begin();
  if (taken.ok()) taken = TakeData();
  if (!taken.ok()) return Finish(ToGrpc(taken));
  StartRead(&message_);
}

Status BlobUpload::Begin() {
  AISLE_ASSIGN_OR_RETURN(name_, FromProto(message_.blob()));
  AISLE_ASSIGN_OR_RETURN(writer_, blobs_.BeginWriting(name_));
  skip_ = writer_->received();
  return OkStatus();
}

Status BlobUpload::TakeData() {
  std::string_view data = message_.data();
  const size_t known = static_cast<size_t>(std::min<uint64_t>(skip_, data.size()));
  skip_ -= known;
  data.remove_prefix(known);
  return data.empty() ? OkStatus() : writer_->Append(data);
}

}  // namespace aisle

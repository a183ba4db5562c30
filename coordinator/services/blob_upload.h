// A blob from the data team, received in chunks and stored under its digest.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "aisle/v1/admin.pb.h"
#include "base/thread_pool.h"
#include "coordinator/blobs/blob_store.h"

namespace aisle {

// Deletes itself when gRPC is done with it. `disk` runs the final wait for the disk.
class BlobUpload final : public grpc::ServerReadReactor<v1::PutBlobRequest> {
 public:
  BlobUpload(const Status& authorized, BlobStore& blobs, ThreadPool& disk, v1::PutBlobResponse* response);
  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

 private:
  Status Begin();
  Status TakeData();

  BlobStore& blobs_;
  ThreadPool& disk_;
  v1::PutBlobResponse* response_;
  v1::PutBlobRequest message_;
  BlobName name_;
  std::unique_ptr<BlobWriter> writer_;
  uint64_t skip_ = 0;  // Bytes of this stream that are here already.
};

}  // namespace aisle

// A blob, sent in chunks: one write in flight, one chunk in memory.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "aisle/v1/fleet.pb.h"
#include "base/net/status_conversion.h"
#include "coordinator/blobs/blob_store.h"

namespace aisle {

// Starts when given its blob, or finishes when given an error; deletes itself. `ended` hears the bytes sent, once.
class BlobStream final : public grpc::ServerWriteReactor<v1::FetchBlobResponse> {
 public:
  using Ended = std::function<void(uint64_t bytes_sent)>;
  BlobStream(uint64_t offset, Ended ended) : offset_(offset), first_(offset), ended_(std::move(ended)) {}

  // Call exactly once, from any thread.
  void Begin(StatusOr<std::shared_ptr<const BlobReader>> blob);

  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  void WriteNext();

  std::shared_ptr<const BlobReader> blob_;
  v1::FetchBlobResponse chunk_;
  uint64_t offset_;
  const uint64_t first_;
  Ended ended_;
};

}  // namespace aisle

// A blob, sent in chunks: one write in flight, one chunk in memory.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>

#include "aisle/v1/fleet.pb.h"
#include "base/net/status_conversion.h"
#include "coordinator/driver/coordinator.h"
#include "coordinator/services/cut_off.h"

namespace aisle {

// Starts when given its blob, or finishes when given an error; deletes itself. `ended` hears the bytes sent, once.
class BlobStream final : public grpc::ServerWriteReactor<v1::FetchBlobResponse> {
 public:
  using Ended = std::function<void(uint64_t bytes_sent)>;
  // If a store is named and it is revoked, the stream ends at once. `careful`: see base/pieces.h.
  BlobStream(Coordinator& coordinator, const std::optional<StoreId>& store, uint64_t offset, bool careful, Ended ended);

  // Call exactly once, from any thread.
  void Begin(StatusOr<std::shared_ptr<const BlobReader>> blob);

  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  void WriteNext();

  Coordinator& coordinator_;
  std::shared_ptr<const BlobReader> blob_;
  v1::FetchBlobResponse chunk_;
  uint64_t offset_;
  const uint64_t first_;
  const bool careful_;
  Ended ended_;
  CutOff cut_off_;
  uint64_t transfer_ = 0;  // The coordinator's name for this stream; 0 if no store is named.
};

}  // namespace aisle

// A store that trains nothing: it downloads, says that it has trained, uploads a vector made beforehand, and waits.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aisle/v1/fleet.grpc.pb.h"
#include "base/fleet.h"
#include "base/identity/tls_identity.h"
#include "base/status.h"

namespace aisle {

// A vector whose bytes repeat one chunk: all stores share it, so that K of them don't need K times the memory.
class TrivialUpdate {
 public:
  explicit TrivialUpdate(uint64_t size);
  const BlobName& name() const { return name_; }
  const std::string& chunk() const { return chunk_; }

 private:
  std::string chunk_;  // kChunkSize bytes, or the whole update if it is smaller.
  BlobName name_;
};

// Where a store is in a round: what it is about to send, or has just heard.
enum class Moment { kHeardTask, kReporting, kHeardCollect, kUploading, kHeardClosed };

// One connection of its own. Calls block.
class TrivialStore {
 public:
  static StatusOr<std::unique_ptr<TrivialStore>> Connect(const std::string& address, const TlsIdentity& identity,
                                                         const TrivialUpdate& update);

  // One stream down, one stream up, as the bare server serves them.
  Status Download(const Digest& blob, uint64_t size);
  Status Upload(const RoundId& round);

  // Hears of each moment as it comes.
  void Watch(std::function<void(Moment)> watch) { watch_ = std::move(watch); }

  // Takes part in `rounds` rounds of the coordinator's; `closed` hears of each when it was committed.
  Status TakePart(uint32_t rounds, const std::function<void(uint32_t rounds_done)>& closed);

 private:
  TrivialStore(std::unique_ptr<v1::Fleet::Stub> stub, const TrivialUpdate& update)
      : stub_(std::move(stub)), update_(update) {}
  StatusOr<v1::CheckInResponse> CheckIn(v1::StoreStanding standing, const v1::RoundRef* round);
  Status TakePartInOne();
  Status Train(const v1::TrainInstruction& task);
  Status AwaitCommit(const v1::RoundRef& round);

  std::unique_ptr<v1::Fleet::Stub> stub_;
  const TrivialUpdate& update_;
  std::string plan_;  // Digest of the plan downloaded before.
  std::function<void(Moment)> watch_ = [](Moment) {};
};

}  // namespace aisle

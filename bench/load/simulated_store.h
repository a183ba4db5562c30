// One store of a load test: a connection of its own with its own certificate, the whole conversation of an agent, and a
// trainer that only waits. No thread of its own: ten thousand of them live in one process.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "aisle/v1/fleet.grpc.pb.h"
#include "base/executor.h"
#include "base/random.h"
#include "bench/load/tally.h"
#include "bench/loopback/trivial_store.h"
#include "store-agent/agent/backoff.h"

namespace aisle {

enum class Pace {
  kAsTold,  // As an agent: waits as long as headquarters likes, comes back when told to.
  kParked,  // Asks for nothing once its last call is answered.
  kEnding,  // The same, and gives up what it was at.
};

// What the stores of a run share. Outlives them.
struct StoreWorld {
  std::string address;
  const TrivialUpdate& update;
  absl::Duration training;  // How long the trainer takes.
  Executor& timers;
  Tally& tally;
  std::atomic<Pace> pace = Pace::kAsTold;
  // Nobody listens at the address. A try is then refused without gRPC: what it costs a store's own box to make ready
  // for a connection again and again would be ten thousand times this process's.
  std::atomic<bool> away = false;
  std::atomic<int64_t> calls = 0;      // In flight.
  std::atomic<uint32_t> era = 1;       // Raised to ask anew who has been answered.
  std::atomic<uint64_t> answered = 0;  // Stores with an answer to a check-in in this era.
};

class SimulatedStore {
 public:
  SimulatedStore(StoreWorld& world, std::shared_ptr<grpc::ChannelCredentials> credentials)
      : world_(world), credentials_(std::move(credentials)) {}

  // Makes ready to connect: what that costs is a store's own business, not the coordinator's.
  void Prepare() { Channel(); }
  // Begins to check in. Also wakes a store that is parked; others go on as they were.
  void Start();
  // Checks in beside whatever the store is at, and isn't held; `done` once it is answered.
  void Probe(bool willing, std::function<void()> done);
  // Neither in a round nor in the middle of a call: free for a probe that changes nothing.
  bool idle() const { return idle_; }

 private:
  class Fetching;
  class Uploading;
  template <typename Request, typename Response>
  struct Call;
  std::shared_ptr<grpc::Channel> Channel();
  v1::CheckInRequest Request(bool willing, absl::Duration wait_max) const;
  void After(absl::Duration wait, std::function<void()> act);
  // True if the call ended well. Otherwise it is counted, and where nobody answered `again` follows after a pause.
  bool EndedWell(const grpc::Status& status, const std::shared_ptr<grpc::Channel>& used, std::function<void()> again);
  void NoteAnswer();
  // True while nobody listens; then `again` follows after a pause.
  bool Refused(std::function<void()> again);
  void Ask();
  void Heard(const v1::CheckInResponse& answer);
  void Train();
  void Report();
  void Upload();

  StoreWorld& world_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_;  // Guarded by mutex_.
  std::atomic<bool> parked_ = true;
  std::atomic<bool> idle_ = false;
  std::atomic<uint32_t> era_ = 0;  // The last one in which it was answered.
  // Of the conversation, which is at one thing at a time.
  agent::Backoff backoff_;
  v1::StoreStanding standing_ = v1::STORE_STANDING_IDLE;
  v1::TrainInstruction task_;  // Of the round it is in.
};

}  // namespace aisle

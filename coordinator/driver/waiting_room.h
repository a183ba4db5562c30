// Check-ins that are being held: each gets its answer the moment there is one, or is told when to come back.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <map>
#include <vector>

#include "base/executor.h"
#include "base/fleet.h"
#include "base/status.h"

namespace aisle {

// Owned by the coordinator's executor; not thread-safe. One guest per store: a newer check-in takes the older one's
// place.
class WaitingRoom {
 public:
  using Reply = std::function<void(StatusOr<Instruction>)>;

  explicit WaitingRoom(Executor& executor) : executor_(executor) {}
  ~WaitingRoom();
  WaitingRoom(const WaitingRoom&) = delete;
  WaitingRoom& operator=(const WaitingRoom&) = delete;

  // Holds the check-in until Answer, or for `hold`: then replies with what `expired` gives. `call` names it for Leave.
  void Seat(const StoreId& store, uint64_t call, CheckIn check_in, Reply reply, absl::Duration hold,
            std::function<Instruction()> expired);
  // Null if the store isn't here. Valid until the room changes.
  const CheckIn* Find(const StoreId& store) const;
  void Answer(const StoreId& store, StatusOr<Instruction> answer);
  // The caller hung up.
  void Leave(const StoreId& store, uint64_t call);
  void AnswerAll(const Status& status);

  size_t size() const { return guests_.size(); }
  std::vector<StoreId> Stores() const;

 private:
  struct Guest {
    uint64_t call;
    CheckIn check_in;
    Reply reply;
    Executor::TimerId timer;
  };
  Executor& executor_;
  std::map<StoreId, Guest> guests_;
};

}  // namespace aisle

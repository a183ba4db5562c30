#include "coordinator/driver/waiting_room.h"

#include <utility>

namespace aisle {

WaitingRoom::~WaitingRoom() { AnswerAll(Unavailable("the coordinator is stopping; try again")); }

void WaitingRoom::Seat(const StoreId& store, uint64_t call, CheckIn check_in, Reply reply, absl::Duration hold,
                       std::function<Instruction()> expired) {
  Answer(store, ComeBack{});  // An older check-in of the same store has nobody to answer to.
  const auto timer = executor_.PostAt(executor_.Now() + hold, [this, store, call, expired = std::move(expired)] {
    const auto found = guests_.find(store);
    if (found != guests_.end() && found->second.call == call) Answer(store, expired());
  });
  guests_.emplace(store, Guest{call, std::move(check_in), std::move(reply), timer});
}

const CheckIn* WaitingRoom::Find(const StoreId& store) const {
  const auto found = guests_.find(store);
  return found == guests_.end() ? nullptr : &found->second.check_in;
}

void WaitingRoom::Answer(const StoreId& store, StatusOr<Instruction> answer) {
  const auto found = guests_.find(store);
  if (found == guests_.end()) return;
  const Guest guest = std::move(found->second);
  guests_.erase(found);
  executor_.Cancel(guest.timer);
  guest.reply(std::move(answer));
}

void WaitingRoom::Leave(const StoreId& store, uint64_t call) {
  const auto found = guests_.find(store);
  if (found != guests_.end() && found->second.call == call) {
    Answer(store, MakeStatus(StatusCode::kCancelled, "the store hung up"));
  }
}

void WaitingRoom::AnswerAll(const Status& status) {
  for (const StoreId& store : Stores()) Answer(store, status);
}

std::vector<StoreId> WaitingRoom::Stores() const {
  std::vector<StoreId> stores;
  for (const auto& [store, guest] : guests_) stores.push_back(store);
  return stores;
}

}  // namespace aisle

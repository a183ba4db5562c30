#include "bench/load/fleet.h"

#include <thread>

#include "base/net/credentials.h"

namespace aisle {
namespace {

constexpr std::chrono::milliseconds kLookEvery{20};

}  // namespace

LoadFleet::LoadFleet(const std::string& address, const TrivialUpdate& update, absl::Duration training)
    : world_{.address = address, .update = update, .training = training, .timers = timers_, .tally = tally_} {}

StatusOr<std::unique_ptr<LoadFleet>> LoadFleet::Make(const std::string& address,
                                                     const std::vector<TlsIdentity>& identities,
                                                     const TrivialUpdate& update, absl::Duration training) {
  std::unique_ptr<LoadFleet> fleet(new LoadFleet(address, update, training));
  for (const TlsIdentity& identity : identities) {
    AISLE_ASSIGN_OR_RETURN(auto credentials, MakeChannelCredentials(identity));
    fleet->stores_.push_back(std::make_unique<SimulatedStore>(fleet->world_, std::move(credentials)));
    fleet->stores_.back()->Prepare();
  }
  return fleet;
}

LoadFleet::~LoadFleet() {
  End();
  timers_.Shutdown();
  while (world_.calls > 0) std::this_thread::sleep_for(kLookEvery);
}

void LoadFleet::StartOver(absl::Duration duration) {
  const absl::Time now = timers_.Now();
  for (size_t i = 0; i < stores_.size(); ++i) {
    const absl::Duration turn = duration * (static_cast<double>(i) / static_cast<double>(stores_.size()));
    timers_.PostAt(now + turn, [store = stores_[i].get()] { store->Start(); });
  }
}

StatusOr<std::chrono::duration<double>> LoadFleet::AwaitAllAnswered(std::chrono::seconds limit) {
  world_.answered = 0;
  ++world_.era;
  const auto begin = Tally::Clock::now();
  while (world_.answered < size()) {
    if (Tally::Clock::now() - begin > limit) {
      return Unavailable("{} of {} stores had no answer within {} s", size() - world_.answered, size(), limit.count());
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return Tally::Clock::now() - begin;
}

void LoadFleet::Probe(const Probing& probing) {
  const auto end = Tally::Clock::now() + std::chrono::duration_cast<Tally::Clock::duration>(probing.duration);
  std::atomic<size_t> lines = probing.at_once;
  for (size_t i = 0; i < probing.at_once; ++i) ProbeNext(probing, end, i * size() / probing.at_once, lines);
  while (lines > 0) std::this_thread::sleep_for(kLookEvery);
}

// One line of probes: the store numbered `from`, or the first after it that is free; then the next.
void LoadFleet::ProbeNext(const Probing& probing, Tally::Clock::time_point end, size_t from,
                          std::atomic<size_t>& lines) {
  if (Tally::Clock::now() >= end) {
    --lines;
    return;
  }
  size_t turn = from % size();
  for (size_t looked = 0; probing.idle_only && looked < size() && !stores_[turn]->idle(); ++looked) {
    turn = (turn + 1) % size();
  }
  stores_[turn]->Probe(!probing.idle_only, [this, &probing, end, turn, &lines] {
    if (probing.pause == absl::ZeroDuration()) return ProbeNext(probing, end, turn + 1, lines);
    timers_.PostAt(timers_.Now() + probing.pause,
                   [=, this, &probing, &lines] { ProbeNext(probing, end, turn + 1, lines); });
  });
}

}  // namespace aisle

// What was said, or spent, stays so: over kill -9, power cuts and whatever else comes.
#include "aisle/v1/fleet.pb.h"
#include "coordinator/catalog/record_codec.h"
#include "coordinator/round/phase.h"
#include "proto/convert/fleet.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

class LedgerCheck final : public Check {
 public:
  std::string_view name() const override { return "the ledger holds"; }

  void OnReleased(World& world, const Released& released) override {
    StoreMachine& store = world.store(released.store);
    const LedgerFile& ledger = *store.ledger();
    spent_[released.store] = ledger.head().entries;
    const std::string path = store.disk().File("ledger/ledger");
    if (store.disk().Synced(path) != store.disk().Content(path)) {
      world.Fail(name(),
                 fmt::format("{} drew noise before its debit for {} was durable", released.store, released.round));
    }
    const SpendingCaps caps = store.caps();
    const Spending spending = ledger.MostSpent(caps.delta, store.clock().Now());
    if (spending.floor_epsilon > caps.floor_per_year || spending.aggregate_epsilon > caps.aggregate_per_year) {
      world.Fail(name(), fmt::format("{} has spent epsilon {:.3f}, over its cap of {:.3f}", released.store,
                                     spending.floor_epsilon, caps.floor_per_year));
    }
  }

  void OnStarted(World& world, const StoreId& id) override {
    const LedgerFile& ledger = *world.store(id).ledger();
    if (const auto why = ledger.halted()) return world.Fail(name(), fmt::format("{}'s is halted: {}", id, *why));
    if (ledger.head().entries < spent_[id]) {
      world.Fail(name(),
                 fmt::format("{}'s has {} entries; {} were in it before", id, ledger.head().entries, spent_[id]));
    }
  }

 private:
  std::map<StoreId, uint64_t> spent_;  // Entries under which something was released.
};

class PromiseCheck final : public Check {
 public:
  std::string_view name() const override { return "promises are kept"; }

  void OnSent(World& world, const Sent& sent) override {
    if (sent.method == Method::kUpload) sent.up ? OnUpload(sent) : OnUploadAnswered(sent);
    if (sent.method == Method::kCheckIn && !sent.up) OnInstructed(world, sent);
  }

  void OnCommitted(World& world, const StateChange& change) override {
    for (const StateChange::Write& write : change.writes()) {
      if (write.table != StateTable::kRounds || !write.value) continue;
      const RoundRecord round = DecodeRecord<RoundRecord>(*write.value).value();
      if (round.phase == RoundPhase::kCommitted) CheckRound(world, round);
      // All that was accepted is in some file, and what the next model needs of the last one is, too.
      if (round.abort_reason.starts_with(NameOf(AbortReason::kCommitFailed))) {
        world.Fail(name(), fmt::format("{} has all its updates and can't be summed: {}", round.id, round.abort_reason));
      }
    }
  }

 private:
  struct Begun {
    RoundId round;
    StoreId store;
  };

  void OnUpload(const Sent& sent) {
    v1::UploadRequest message;
    if (!message.ParseFromArray(sent.bytes.data(), static_cast<int>(sent.bytes.size())) || !message.has_header())
      return;
    const StatusOr<UploadHeader> header = FromProto(message.header());
    if (header.ok()) uploads_.insert_or_assign(sent.call, Begun{header->round, sent.store});
  }
  void OnUploadAnswered(const Sent& sent) {
    v1::UploadResponse message;
    const auto upload = uploads_.find(sent.call);
    if (upload == uploads_.end()) return;
    if (message.ParseFromArray(sent.bytes.data(), static_cast<int>(sent.bytes.size())) && message.complete()) {
      accepted_[upload->second.round].insert(upload->second.store);
    }
    uploads_.erase(upload);
  }

  // A store that was told of a version can count on it.
  void OnInstructed(World& world, const Sent& sent) {
    v1::CheckInResponse message;
    if (!message.ParseFromArray(sent.bytes.data(), static_cast<int>(sent.bytes.size()))) return;
    const StatusOr<Instruction> instruction = FromProto(message);
    if (!instruction.ok()) return world.Fail(name(), "headquarters says what its own store couldn't read");
    const auto* closed = std::get_if<RoundClosed>(&*instruction);
    if (closed == nullptr || closed->outcome != RoundOutcome::kCommitted) return;
    const auto model = world.headquarters().state().FindModel(closed->round.job, closed->model_version);
    if (!model.ok() || !*model || (*model)->round != closed->round) {
      world.Fail(name(), fmt::format("{} was told that {} made version {}, which isn't there", sent.store,
                                     closed->round, closed->model_version));
    }
  }

  void CheckRound(World& world, const RoundRecord& round) {
    for (const StoreId& store : accepted_[round.id]) {
      const auto seat = std::ranges::find(round.stores, store, &StoreInRound::store);
      if (seat != round.stores.end() && seat->outcome == StoreOutcome::kCollected) continue;
      world.Fail(name(), fmt::format("{}'s update for {} was accepted, and is not in the sum", store, round.id));
    }
    accepted_.erase(round.id);
  }

  std::map<uint64_t, Begun> uploads_;  // By call.
  std::map<RoundId, std::set<StoreId>> accepted_;
};

}  // namespace

std::unique_ptr<Check> LedgerHolds() { return std::make_unique<LedgerCheck>(); }
std::unique_ptr<Check> PromisesAreKept() { return std::make_unique<PromiseCheck>(); }

std::vector<std::unique_ptr<Check>> AllChecks() {
  std::vector<std::unique_ptr<Check>> checks;
  checks.push_back(SumIsTheSurvivors());
  checks.push_back(VersionsOnlyGrow());
  checks.push_back(NothingUnmaskedIsSent());
  checks.push_back(OneKindOfShare());
  checks.push_back(LedgerHolds());
  checks.push_back(PromisesAreKept());
  return checks;
}

}  // namespace aisle::simulation

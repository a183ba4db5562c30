// What was committed, held against what the survivors had: worked out once more, from the vectors as their stores
// finished them, by way of nothing that the coordinator did.
#include "base/storage/files.h"
#include "coordinator/catalog/record_codec.h"
#include "coordinator/jobs/publication.h"
#include "coordinator/journal/entry_codec.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

// Who gave which vector to which round.
using Given = std::pair<RoundId, StoreId>;

template <typename T>
std::optional<T> Written(const StateChange::Write& write, StateTable table) {
  if (write.table != table || !write.value) return std::nullopt;
  return DecodeRecord<T>(*write.value).value();
}

class SumCheck final : public Check {
 public:
  std::string_view name() const override { return "the sum is the survivors'"; }

  void OnReleased(World&, const Released& released) override {
    vectors_[{released.round, released.store}][released.update.digest].assign(released.values.begin(),
                                                                              released.values.end());
  }

  void OnMasked(World&, const Masked& masked) override { bare_[masked.masked.digest] = masked.update.digest; }

  void OnCommitted(World& world, const StateChange& change) override {
    std::optional<RoundRecord> round;
    std::optional<ModelRecord> model;
    for (const StateChange::Write& write : change.writes()) {
      if (write.table == StateTable::kJournal && write.value) NoteEvent(world, write);
      if (auto record = Written<ModelRecord>(write, StateTable::kModels)) model = std::move(record);
    }
    if (!model) return;
    for (const StateChange::Write& write : change.writes()) {
      if (auto record = Written<RoundRecord>(write, StateTable::kRounds)) round = std::move(record);
    }
    if (!round || round->id != model->round || round->phase != RoundPhase::kCommitted) {
      return world.Fail(name(), fmt::format("version {} was published without its round's end", model->version));
    }
    CheckModel(world, *round, *model);
  }

 private:
  void NoteEvent(World& world, const StateChange::Write& write) {
    const StatusOr<JournalEntry> entry = DecodeJournalEntry(*write.value);
    if (!entry.ok()) return world.Fail(name(), "the journal holds what can't be read again");
    const auto* event = std::get_if<Event>(&entry->what);
    const auto* collected = event == nullptr ? nullptr : std::get_if<UpdateCollected>(event);
    if (collected == nullptr) return;
    accepted_[write.key.substr(0, write.key.size() - sizeof(uint64_t))].insert_or_assign(collected->store,
                                                                                         collected->digest);
  }

  void CheckModel(World& world, const RoundRecord& round, const ModelRecord& model) {
    const JobPlan& plan = world.headquarters().plan();
    std::optional<ModularSum> sum = SumOf(world, round);
    if (!sum) return;
    if (survivors_ != model.stores || survivors_ < plan.plan.privacy.cohort_min) {
      return world.Fail(name(), fmt::format("{} is of {} stores; {} gave an update, and {} are the fewest", round.id,
                                            model.stores, survivors_, plan.plan.privacy.cohort_min));
    }
    if (blobs_ == nullptr) Begin(world);
    const StatusOr<NextModel> next = MakeNextModel(plan, before_, *sum, survivors_, *blobs_);
    if (!next.ok()) return world.Fail(name(), std::string(MessageOf(next.status())));
    if (next->published != model.weights) {
      return world.Fail(
          name(), fmt::format("{} published other weights than its {} survivors' updates give", round.id, survivors_));
    }
    before_ = {.weights = next->weights,
               .optimizer_state = next->optimizer_state,
               .clip_norm = next->clip_norm,
               .version = model.version,
               .published = next->published};
  }

  std::optional<ModularSum> SumOf(World& world, const RoundRecord& round) {
    ModularSum sum(world.headquarters().plan().shape.length());
    const std::map<StoreId, Digest>& accepted = accepted_[RoundKey(round.id)];
    survivors_ = 0;
    for (const StoreInRound& seat : round.stores) {
      if (seat.outcome != StoreOutcome::kCollected) continue;
      ++survivors_;
      const auto given = accepted.find(seat.store);
      const std::vector<uint32_t>* vector =
          given == accepted.end() ? nullptr : Find({round.id, seat.store}, given->second);
      if (vector == nullptr) {
        world.Fail(name(), fmt::format("{} counts {}, who finished no such vector", round.id, seat.store));
        return std::nullopt;
      }
      const std::string_view bytes(reinterpret_cast<const char*>(vector->data()), vector->size() * sizeof(uint32_t));
      if (!sum.AddBytes(bytes, 0).ok()) return std::nullopt;
    }
    return sum;
  }

  // The finished vector behind what was sent: that itself, or what was masked.
  const std::vector<uint32_t>* Find(const Given& given, const Digest& sent) const {
    const auto bare = bare_.find(sent);
    const auto store = vectors_.find(given);
    if (store == vectors_.end()) return nullptr;
    const auto vector = store->second.find(bare == bare_.end() ? sent : bare->second);
    return vector == store->second.end() ? nullptr : &vector->second;
  }

  void Begin(World& world) {
    blobs_ = BlobStore::Open(disk_.File("blobs")).value();
    before_ = {.weights = blobs_->Put(world.headquarters().initial_weights()).value()};
    before_.published = before_.weights;
  }

  std::map<Given, std::map<Digest, std::vector<uint32_t>>> vectors_;
  std::map<Digest, Digest> bare_;                              // Of a masked vector.
  std::map<std::string, std::map<StoreId, Digest>> accepted_;  // By the round's key: as the journal has it.
  uint32_t survivors_ = 0;
  Disk disk_{"check"};
  std::unique_ptr<BlobStore> blobs_;
  ModelBefore before_;
};

class VersionCheck final : public Check {
 public:
  std::string_view name() const override { return "versions only grow"; }

  void OnCommitted(World& world, const StateChange& change) override {
    for (const StateChange::Write& write : change.writes()) {
      const std::optional<ModelRecord> model = Written<ModelRecord>(write, StateTable::kModels);
      if (!model) continue;
      if (model->version != versions_.size() + 1) {
        world.Fail(name(), fmt::format("version {} comes after {}", model->version, versions_.size()));
      }
      if (!rounds_.insert(model->round).second) world.Fail(name(), fmt::format("{} published twice", model->round));
      versions_.push_back(*write.value);
    }
  }

  void AtEnd(World& world) override {
    const JobId& job = world.headquarters().job();
    for (uint64_t version = 1; version <= versions_.size(); ++version) {
      const auto model = world.headquarters().state().FindModel(job, version);
      if (!model.ok() || !*model || EncodeRecord(**model) != versions_[version - 1]) {
        world.Fail(name(), fmt::format("version {} is not what it was when it was published", version));
      }
    }
  }

 private:
  std::vector<std::string> versions_;
  std::set<RoundId> rounds_;
};

}  // namespace

std::unique_ptr<Check> SumIsTheSurvivors() { return std::make_unique<SumCheck>(); }
std::unique_ptr<Check> VersionsOnlyGrow() { return std::make_unique<VersionCheck>(); }

}  // namespace aisle::simulation

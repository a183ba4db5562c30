// A batch of changes to the coordinator's state that happens as a whole or not at all.
//
//   StateChange change;
//   change.Publish(model).Put(job).Put(round).DropJournal(round.id);
//   AISLE_RETURN_IF_ERROR(state.Commit(change, Durability::kSynced));
//
// A change carries what it takes for granted (that a model version is new, that the journal ends where the writer
// believes) and is refused if that isn't so. That is what keeps two coordinators over one database from both being
// right.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "coordinator/catalog/records.h"

namespace aisle {

// The kinds of things kept, each in a table of its own.
enum class StateTable { kStores, kCodes, kJobs, kRounds, kModels, kJournal, kSettings };
inline constexpr int kStateTableCount = 7;
std::string_view NameOf(StateTable table);  // "stores": a family of RocksDB, a table of PostgreSQL.

inline constexpr size_t kJournalEventSizeMax = 1 << 20;  // Bytes of one event.
inline constexpr size_t kStateChangeSizeMax = 64 << 20;  // Bytes of keys and values in one change.
inline constexpr size_t kSettingSizeMax = 1 << 20;       // Bytes of one setting.

// Not thread-safe. Limits are checked by StateStore::Commit.
class StateChange {
 public:
  // Writes a record, or replaces the one of the same id.
  StateChange& Put(const StoreRecord& record);
  StateChange& Put(const JobRecord& record);
  StateChange& Put(const RoundRecord& record);
  // Models are immutable: a version that is there already makes Commit answer AlreadyExists.
  StateChange& Publish(const ModelRecord& record);
  StateChange& PutSetting(std::string_view name, std::string_view value);
  StateChange& Delete(const StoreId& store);
  StateChange& DeleteSetting(std::string_view name);

  // Events of a round number from 0. Commit answers Aborted if the journal doesn't end exactly before `first_sequence`:
  // somebody else has written it, or something was skipped.
  StateChange& AppendEvents(const RoundId& round, uint64_t first_sequence, std::span<const std::string> events);
  StateChange& AppendEvent(const RoundId& round, uint64_t sequence, const std::string& event) {
    return AppendEvents(round, sequence, {&event, 1});
  }
  StateChange& DropJournal(const RoundId& round);

  // Commit answers Aborted unless the setting has this value now (nullopt: isn't there). With PutSetting in the same
  // change this is compare-and-swap; with a lease's epoch as the setting it fences off a coordinator that lost it.
  StateChange& RequireSetting(std::string_view name, std::optional<std::string_view> expected);

  // For implementations of StateStore. --------------------------------------------------------------------------------
  struct Write {
    StateTable table;
    std::string key;
    std::optional<std::string> value;  // Nullopt: delete.
    bool whole_prefix = false;         // Delete every key that starts with `key`.
  };
  struct Requirement {
    enum class Kind { kAbsent, kPresent, kEquals };
    StateTable table;
    std::string key;
    Kind kind;
    std::string expected;                          // For kEquals.
    StatusCode refusal;                            // What Commit answers if it isn't met, with …
    std::string complaint;                         // … this message.
    bool IsMetBy(const std::string* value) const;  // Null: the key isn't there.
    Status Refusal() const { return MakeStatus(refusal, complaint); }
  };
  const std::vector<Write>& writes() const { return writes_; }  // In order: a later one wins.
  const std::vector<Requirement>& requirements() const { return requirements_; }
  bool empty() const { return writes_.empty() && requirements_.empty(); }
  // InvalidArgument naming the first limit that is passed.
  Status Check() const;

 private:
  void Add(StateTable table, std::string key, std::optional<std::string> value);
  void RequireEvent(const RoundId& round, uint64_t sequence);
  std::vector<Write> writes_;
  std::vector<Requirement> requirements_;
};

// The journal's and the tables' keys: big-endian numbers, so that byte order is number order.
std::string RoundKey(const RoundId& round);
std::string ModelKey(const JobId& job, uint64_t version);
std::string JournalKey(const RoundId& round, uint64_t sequence);
std::string JobPrefix(const JobId& job);  // Of a job's rounds, models and journals.

}  // namespace aisle

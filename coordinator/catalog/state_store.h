// Where the coordinator's state lives: records, settings, and the journal of every open round.
//
// One interface over RocksDB (one coordinator), memory (tests) and, later, PostgreSQL (several coordinators). Nothing
// here assumes that this process is the only writer: what a change takes for granted travels in the change and is
// checked with it, atomically. Reads see every commit that has returned to this process.
//
// Errors, of every call: Unavailable (try again), ResourceExhausted (disk full: free space, try again), DataLoss
// (restore a backup), FailedPrecondition (a record of a newer program). Nothing is half done after an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/storage/key_value_store.h"  // Durability.
#include "coordinator/catalog/records.h"
#include "coordinator/catalog/state_change.h"

namespace aisle {

// Thread-safe.
class StateStore {
 public:
  virtual ~StateStore() = default;

  // All of the change or nothing. With kSynced it is on the disk when this returns; with kBuffered it survives a crash
  // of the program but not of the machine, and every earlier change is at least as safe. Also answers InvalidArgument
  // (over a limit), and what the change's requirements say: AlreadyExists, Aborted.
  virtual Status Commit(const StateChange& change, Durability durability) = 0;

  // Nullopt: there is none.
  StatusOr<std::optional<StoreRecord>> FindStore(const StoreId& id) const;
  // The store whose latest code has this hash, be the code used, expired or not.
  StatusOr<std::optional<StoreRecord>> FindStoreByCode(const Digest& code_hash) const;
  StatusOr<std::optional<JobRecord>> FindJob(const JobId& id) const;
  StatusOr<std::optional<RoundRecord>> FindRound(const RoundId& id) const;
  StatusOr<std::optional<ModelRecord>> FindModel(const JobId& job, uint64_t version) const;
  StatusOr<std::optional<std::string>> FindSetting(std::string_view name) const;

  // Stores in order of their ids, from the first one after `after` on, `count_max` at the most.
  StatusOr<std::vector<StoreRecord>> ListStores(const StoreId& after = {}, size_t count_max = SIZE_MAX) const;
  StatusOr<std::vector<JobRecord>> ListJobs() const;  // In order of their ids.
  // A job's latest rounds, `count_max` at the most, oldest first.
  StatusOr<std::vector<RoundRecord>> ListRounds(const JobId& job, size_t count_max = SIZE_MAX) const;
  StatusOr<std::vector<ModelRecord>> ListModels(const JobId& job) const;  // Oldest first.
  StatusOr<std::vector<ModelRecord>> ListModels() const;                  // Of all jobs.

  // A round's events from 0 on, in order; empty if it has no journal. DataLoss if one is missing in between.
  StatusOr<std::vector<std::string>> ReadJournal(const RoundId& round) const;
  // Rounds that have a journal: the ones to resume after a restart.
  StatusOr<std::vector<RoundId>> ListJournals() const;

 protected:
  struct Row {
    std::string key;
    std::string value;
  };
  virtual StatusOr<std::optional<std::string>> Get(StateTable table, std::string_view key) const = 0;
  // Rows whose key starts with `prefix` and is greater than `after` (empty: all), in order, `count_max` at the most.
  struct Scan {
    StateTable table;
    std::string prefix;
    std::string after;
    size_t count_max = SIZE_MAX;
  };
  virtual StatusOr<std::vector<Row>> Read(const Scan& scan) const = 0;

 private:
  template <typename T>
  StatusOr<std::optional<T>> Find(StateTable table, std::string_view key) const;
  template <typename T>
  StatusOr<std::vector<T>> List(const Scan& scan) const;
};

}  // namespace aisle

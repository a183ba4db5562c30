#include "coordinator/catalog/state_change.h"

#include <algorithm>

#include "coordinator/catalog/record_codec.h"

namespace aisle {
namespace {

// '\0' ends a name in a key: no name can hold it, so no id is the beginning of another.
constexpr char kEndOfName = '\0';

template <typename T>
void AppendBigEndian(std::string& key, T number) {
  for (int shift = static_cast<int>(sizeof number) * 8 - 8; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(number >> shift));
  }
}

}  // namespace

std::string_view NameOf(StateTable table) {
  switch (table) {
    case StateTable::kStores:
      return "stores";
    case StateTable::kCodes:
      return "codes";
    case StateTable::kJobs:
      return "jobs";
    case StateTable::kRounds:
      return "rounds";
    case StateTable::kModels:
      return "models";
    case StateTable::kJournal:
      return "journal";
    case StateTable::kSettings:
      return "settings";
  }
  return "unknown";
}

std::string JobPrefix(const JobId& job) { return job.str() + kEndOfName; }

std::string RoundKey(const RoundId& round) {
  std::string key = JobPrefix(round.job);
  AppendBigEndian(key, round.number);
  return key;
}

std::string ModelKey(const JobId& job, uint64_t version) {
  std::string key = JobPrefix(job);
  AppendBigEndian(key, version);
  return key;
}

std::string JournalKey(const RoundId& round, uint64_t sequence) {
  std::string key = RoundKey(round);
  AppendBigEndian(key, sequence);
  return key;
}

StateChange& StateChange::Put(const StoreRecord& record) {
  if (record.code) Add(StateTable::kCodes, std::string(record.code->hash.view()), record.id.str());
  Add(StateTable::kStores, record.id.str(), EncodeRecord(record));
  return *this;
}

StateChange& StateChange::Put(const JobRecord& record) {
  Add(StateTable::kJobs, record.id.str(), EncodeRecord(record));
  return *this;
}

StateChange& StateChange::Put(const RoundRecord& record) {
  Add(StateTable::kRounds, RoundKey(record.id), EncodeRecord(record));
  return *this;
}

StateChange& StateChange::Publish(const ModelRecord& record) {
  std::string key = ModelKey(record.job, record.version);
  requirements_.push_back({.table = StateTable::kModels,
                           .key = key,
                           .kind = Requirement::Kind::kAbsent,
                           .refusal = StatusCode::kAlreadyExists,
                           .complaint = fmt::format("model {} version {} is published already and never changes",
                                                    record.job, record.version)});
  Add(StateTable::kModels, std::move(key), EncodeRecord(record));
  return *this;
}

StateChange& StateChange::PutSetting(std::string_view name, std::string_view value) {
  Add(StateTable::kSettings, std::string(name), std::string(value));
  return *this;
}

StateChange& StateChange::Delete(const StoreId& store) {
  Add(StateTable::kStores, store.str(), std::nullopt);
  return *this;
}

StateChange& StateChange::DeleteSetting(std::string_view name) {
  Add(StateTable::kSettings, std::string(name), std::nullopt);
  return *this;
}

StateChange& StateChange::AppendEvents(const RoundId& round, uint64_t first_sequence,
                                       std::span<const std::string> events) {
  if (events.empty()) return *this;
  std::string first = JournalKey(round, first_sequence);
  requirements_.push_back({.table = StateTable::kJournal,
                           .key = first,
                           .kind = Requirement::Kind::kAbsent,
                           .refusal = StatusCode::kAborted,
                           .complaint = fmt::format("event {} of round {} is in the journal already: another "
                                                    "coordinator works on this round",
                                                    first_sequence, round)});
  if (first_sequence > 0) RequireEvent(round, first_sequence - 1);
  for (const std::string& event : events) Add(StateTable::kJournal, JournalKey(round, first_sequence++), event);
  return *this;
}

void StateChange::RequireEvent(const RoundId& round, uint64_t sequence) {
  std::string key = JournalKey(round, sequence);
  const auto is_it = [&](const Write& write) { return write.table == StateTable::kJournal && write.key == key; };
  if (std::find_if(writes_.rbegin(), writes_.rend(), is_it) != writes_.rend()) return;  // Added by this very change.
  requirements_.push_back({.table = StateTable::kJournal,
                           .key = std::move(key),
                           .kind = Requirement::Kind::kPresent,
                           .refusal = StatusCode::kAborted,
                           .complaint = fmt::format("event {} of round {} is not in the journal, so the next can't be "
                                                    "appended",
                                                    sequence, round)});
}

StateChange& StateChange::DropJournal(const RoundId& round) {
  writes_.push_back({.table = StateTable::kJournal, .key = RoundKey(round), .value = {}, .whole_prefix = true});
  return *this;
}

StateChange& StateChange::RequireSetting(std::string_view name, std::optional<std::string_view> expected) {
  requirements_.push_back({.table = StateTable::kSettings,
                           .key = std::string(name),
                           .kind = expected ? Requirement::Kind::kEquals : Requirement::Kind::kAbsent,
                           .expected = std::string(expected.value_or("")),
                           .refusal = StatusCode::kAborted,
                           .complaint = fmt::format("setting '{}' has changed meanwhile", name)});
  return *this;
}

void StateChange::Add(StateTable table, std::string key, std::optional<std::string> value) {
  writes_.push_back({.table = table, .key = std::move(key), .value = std::move(value)});
}

bool StateChange::Requirement::IsMetBy(const std::string* value) const {
  switch (kind) {
    case Kind::kAbsent:
      return value == nullptr;
    case Kind::kPresent:
      return value != nullptr;
    case Kind::kEquals:
      return value != nullptr && *value == expected;
  }
  return false;
}

Status StateChange::Check() const {
  size_t total = 0;
  for (const Write& write : writes_) {
    const size_t size = write.value ? write.value->size() : 0;
    if (write.key.empty()) return InvalidArgument("a record of table {} has an empty id", NameOf(write.table));
    if (write.table == StateTable::kJournal && size > kJournalEventSizeMax) {
      return InvalidArgument("a journal event has {} bytes; the limit is {}", size, kJournalEventSizeMax);
    }
    if (write.table == StateTable::kSettings && size > kSettingSizeMax) {
      return InvalidArgument("setting '{}' has {} bytes; the limit is {}", write.key, size, kSettingSizeMax);
    }
    total += write.key.size() + size;
  }
  if (total > kStateChangeSizeMax) {
    return InvalidArgument("a change of state has {} bytes; the limit is {}", total, kStateChangeSizeMax);
  }
  return OkStatus();
}

}  // namespace aisle

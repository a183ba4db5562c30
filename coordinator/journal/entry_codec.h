// Journal entries to bytes and back: the journal's own door to protobuf.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "coordinator/round/event.h"
#include "coordinator/round/policy.h"

namespace aisle {

// The first entry of every round's journal.
struct RoundOpened {
  RoundPolicy policy;
  uint64_t seed = 0;
  bool operator==(const RoundOpened&) const = default;
};

struct JournalEntry {
  absl::Time at;  // Kept to the microsecond.
  std::variant<RoundOpened, Event> what;
};

std::string EncodeJournalEntry(const JournalEntry& entry);
// DataLoss if the bytes aren't an entry; FailedPrecondition if a newer program wrote an event this one doesn't know.
StatusOr<JournalEntry> DecodeJournalEntry(std::string_view bytes);

}  // namespace aisle

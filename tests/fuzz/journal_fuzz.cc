// A journal entry, as a damaged disk might give it back.
#include "base/check.h"
#include "coordinator/journal/entry_codec.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::journal {

void TryInput(std::string_view input) {
  const StatusOr<JournalEntry> entry = DecodeJournalEntry(input);
  if (entry.ok()) AISLE_CHECK(DecodeJournalEntry(EncodeJournalEntry(*entry)).ok());
}

std::vector<std::string> Seeds() {
  const absl::Time at = absl::FromUnixSeconds(1'700'000'000);
  const StatusOr<StoreId> store = StoreId::Parse("leeds-01");
  AISLE_CHECK(store.ok());
  return {EncodeJournalEntry({at, RoundOpened{.policy = {.cohort_min = 2, .cohort_target = 12}, .seed = 7}}),
          EncodeJournalEntry({at, Event(StoreOffered{.store = *store, .candidate = {.rounds_joined = 3}})}),
          EncodeJournalEntry({at, Event(UpdateCollected{.store = *store, .digest = Sha256::Of("vector")})}),
          EncodeJournalEntry({at, Event(RoundCancelled{.reason = "an administrator said so"})})};
}

}  // namespace aisle::fuzz::journal

AISLE_FUZZ_TARGET(journal);

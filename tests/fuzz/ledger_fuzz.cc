// The privacy ledger's file: cut, edited or made up, it must be refused and never crash.
#include "privacy/ledger.h"
#include "privacy/ledger_entry.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::ledger {

void TryInput(std::string_view input) {
  (void)Ledger::Load(input);
  (void)DecodeEntry(input);
}

std::vector<std::string> Seeds() {
  const StatusOr<StoreId> store = StoreId::Parse("leeds-01");
  return {std::string(Ledger::Open(*store, absl::FromUnixSeconds(1'700'000'000)).bytes)};
}

}  // namespace aisle::fuzz::ledger

AISLE_FUZZ_TARGET(ledger);

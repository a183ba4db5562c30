// One line of the privacy ledger: what was spent, by whom, on which plan.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/codec.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/status.h"
#include "privacy/contract.h"

namespace aisle {

// Whose privacy is spent: the customers (or the store itself) behind a set of tables, over all jobs that read them.
struct PopulationTag {
  static constexpr std::string_view kWhat = "population";
};
using Population = Name<PopulationTag>;

// A spending. `unit` kNone means a release without any bound: noise_multiplier is 0, its epsilon is infinite, and the
// entry says so for ever.
struct Debit {
  Population population;
  RoundId round;
  Digest plan;
  PrivacyUnit unit = PrivacyUnit::kStore;
  double noise_multiplier = 0;  // z_store; the release draws noise of at least this.
  double sampling_rate = 1;     // q; 1 for the unit store, whose participation is no secret.
  uint32_t releases = 1;        // Vectors released under it.
  double delta = 0;             // As the plan states it, for the record; the filter works at the site cap's delta.

  bool operator==(const Debit&) const = default;
};

// InvalidArgument naming the field and its range; Unimplemented for the unit customer.
Status Validate(const Debit& debit);

struct LedgerEntry {
  uint64_t number = 0;  // From 1; 0 is the opening.
  absl::Time at;        // Whole microseconds.
  Debit debit;
  Digest digest;  // Of the chain up to and with this entry.
};

// The entry's canonical bytes, without its digest.
std::string EncodeEntry(const LedgerEntry& entry);
StatusOr<LedgerEntry> DecodeEntry(std::string_view body);

}  // namespace aisle

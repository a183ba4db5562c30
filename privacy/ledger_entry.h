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

// In how many stores of the chain a customer can be, which decides what an epsilon says about a person who shops in
// several of them.
enum class Presence : uint8_t {
  kThisStore = 1,  // Nothing is known: every epsilon is that of a customer of this store, as if there were no other.
  kHomeStore = 2,  // The home-store rule: one store of the chain uses a customer, so this epsilon is the person's.
  kStoresMax = 3,  // A customer may be in up to `stores_max` stores; every debit is priced for all of them.
};
std::string_view ToString(Presence presence);  // "this_store", "home_store", "stores_max"

inline constexpr uint32_t kSumStoresMax = 1'000'000;
inline constexpr uint32_t kPresentStoresMax = 1000;

// A spending. `unit` kNone means a release without any bound: noise_multiplier is 0, its epsilon is infinite, and the
// entry says so for ever.
struct Debit {
  Population population;
  RoundId round;
  Digest plan;
  PrivacyUnit unit = PrivacyUnit::kStore;
  double noise_multiplier = 0;  // z_store; the release draws noise of at least this.
  double sampling_rate = 1;     // q in (0, 1] for the unit customer; 1 for the unit store, whose part is no secret.
  uint32_t releases = 1;        // Vectors released, or noisy steps made, under it.
  double delta = 0;             // As the plan states it, for the record; the filter works at the site's delta.
  // The only sum that anybody else sees holds the noise of at least so many stores: the smallest cohort under the
  // secure sum; 1 without it, as headquarters then sees every store's vector.
  uint32_t sum_stores = 1;
  Presence presence = Presence::kThisStore;
  uint32_t stores_max = 1;  // Of kStoresMax; else 1.

  bool operator==(const Debit&) const = default;
};

// InvalidArgument naming the field and its range.
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

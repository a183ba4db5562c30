// What the ledger's tests share: debits that are fine, and ledgers filled through the front door.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "privacy/ledger.h"

namespace aisle {

inline absl::Time TestTime(int64_t second) { return absl::FromUnixSeconds(1'800'000'000 + second); }

inline constexpr SpendingCaps kWideCap{.floor_per_year = 1e9, .delta = 1e-6};

inline Debit MakeDebit(double noise_multiplier = 1, uint32_t round = 1, std::string_view population = "sales") {
  return {.population = Population::Parse(population).value(),
          .round = {.job = JobId::Parse("demand").value(), .number = round},
          .plan = Sha256::Of("plan"),
          .unit = PrivacyUnit::kStore,
          .noise_multiplier = noise_multiplier,
          .sampling_rate = 1,
          .releases = 1,
          .delta = 1e-6};
}

inline Debit MakeCustomerDebit(double sampling_rate, double noise_multiplier = 1, uint32_t round = 1) {
  Debit debit = MakeDebit(noise_multiplier, round, "customers");
  debit.unit = PrivacyUnit::kCustomer;
  debit.sampling_rate = sampling_rate;
  return debit;
}

inline Debit MakeUnboundedDebit(uint32_t round = 1) {
  Debit debit = MakeDebit(0, round);
  debit.unit = PrivacyUnit::kNone;
  return debit;
}

inline Ledger::Opened OpenLedger(std::string_view owner = "store-1") {
  return Ledger::Open(StoreId::Parse(owner).value(), TestTime(0));
}

// Prepares, "writes" to `file`, commits.
inline StatusOr<DebitReceipt> Spend(Ledger& ledger, std::string& file, const Debit& debit,
                                    const SpendingCaps& cap = kWideCap) {
  AISLE_ASSIGN_OR_RETURN(PendingDebit pending, ledger.Prepare(debit, cap, TestTime(debit.round.number)));
  file += pending.bytes();
  return ledger.Commit(std::move(pending));
}

inline DebitReceipt ReceiptFor(const Debit& debit) {
  Ledger::Opened opened = OpenLedger();
  return Spend(opened.ledger, opened.bytes, debit).value();
}

}  // namespace aisle

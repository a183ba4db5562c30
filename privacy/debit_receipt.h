// The states of one spending, as types: PendingDebit has passed the filter, DebitReceipt is durably in the ledger.
//
// Only Ledger makes them, so code that holds a receipt has shown its debit to the filter and the disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "privacy/ledger_entry.h"

namespace aisle {

// Proof that a debit is in the durable ledger. Made by Ledger::Commit only, moved and never copied, good for one
// Release.
class DebitReceipt {
 public:
  DebitReceipt(DebitReceipt&& other) noexcept;
  DebitReceipt& operator=(DebitReceipt&& other) noexcept;
  DebitReceipt(const DebitReceipt&) = delete;
  DebitReceipt& operator=(const DebitReceipt&) = delete;

  const Debit& debit() const { return debit_; }
  uint64_t entry() const { return entry_; }
  bool spent() const { return spent_; }  // Moved from: worth nothing.

 private:
  friend class Ledger;
  DebitReceipt(Debit debit, uint64_t entry) : debit_(std::move(debit)), entry_(entry) {}
  Debit debit_;
  uint64_t entry_;
  bool spent_ = false;
};

// An entry that has passed the filter and is not in the ledger yet.
class PendingDebit {
 public:
  PendingDebit(PendingDebit&&) = default;
  PendingDebit& operator=(PendingDebit&&) = default;
  PendingDebit(const PendingDebit&) = delete;
  PendingDebit& operator=(const PendingDebit&) = delete;

  std::string_view bytes() const { return bytes_; }  // To append to the file.
  const LedgerEntry& entry() const { return entry_; }

 private:
  friend class Ledger;
  PendingDebit(LedgerEntry entry, std::string bytes) : entry_(std::move(entry)), bytes_(std::move(bytes)) {}
  LedgerEntry entry_;
  std::string bytes_;
};

}  // namespace aisle

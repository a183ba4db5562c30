// The privacy ledger on the store's disk: the file behind privacy/ledger.h, and the head that shows when it was cut.
//
//   FOLDER/ledger   the chain, only ever appended to
//   FOLDER/head     entries and digest of the chain as of the last debit: an anchor against a cut or rolled back file
//
// Whoever puts back an old copy of the whole folder puts back its head, too. Against that stands the head that
// headquarters acknowledged last: see Compare. Headquarters gains nothing by it: a lie can stop the store's spending,
// and never let it spend more.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/fleet.h"
#include "base/ids.h"
#include "base/storage/files.h"
#include "privacy/ledger.h"

namespace aisle {

// Thread-safe. Once halted it spends nothing until the agent is started anew over a ledger that is in order; Evaluate
// and Spend then give DataLoss with the reason.
class LedgerFile {
 public:
  // Opens, or begins, the ledger of `owner`. A torn last record, the trace of a power cut, is cut off: nothing ever
  // left under it. DataLoss if the chain is broken or misses its head: then nothing may be spent until a person has
  // looked. FailedPrecondition if it is another store's.
  static StatusOr<std::unique_ptr<LedgerFile>> Open(const std::string& folder, const StoreId& owner, absl::Time now);
  // As Open, but where that gives DataLoss, a halted ledger: the agent lives and says so.
  static StatusOr<std::unique_ptr<LedgerFile>> OpenOrHalt(const std::string& folder, const StoreId& owner,
                                                          absl::Time now);

  // As Ledger::Evaluate, of each of one release's debits (one per population that it concerns).
  Status Evaluate(std::span<const Debit> debits, const SpendingCaps& caps, absl::Time now) const;
  // All debits of one release are on the disk when this returns OK; whatever happens next, they stay spent. The receipt
  // is the first's. ResourceExhausted: one was over a cap, and nothing was spent. Any other error (Unavailable for the
  // disk's, a full one too): nothing may be released; debits may have been spent.
  StatusOr<DebitReceipt> Spend(std::span<const Debit> debits, const SpendingCaps& caps, absl::Time now);
  Status Evaluate(const Debit& debit, const SpendingCaps& caps, absl::Time now) const {
    return Evaluate(std::span(&debit, 1), caps, now);
  }
  StatusOr<DebitReceipt> Spend(const Debit& debit, const SpendingCaps& caps, absl::Time now) {
    return Spend(std::span(&debit, 1), caps, now);
  }

  // Holds the ledger against the head that headquarters acknowledged last, and halts it if the head isn't in it.
  // Nothing to compare with is no reason to halt.
  void Compare(const std::optional<LedgerHead>& acknowledged);
  // What a check-in says of the ledger.
  LedgerClaim claim() const;
  std::optional<std::string> halted() const;  // Why; empty if it isn't.

  // How often the store has released something for that plan within that job.
  uint64_t TimesSpentFor(const JobId& job, const Digest& plan) const;
  // The most that any population has spent within the year to `now`, by tier, and its releases; at `delta`.
  Spending MostSpent(double delta, absl::Time now) const;
  LedgerHead head() const;

 private:
  LedgerFile(std::string folder, Ledger ledger, FileDescriptor file, uint64_t size);
  Status Append(std::string_view bytes);
  Status CheckUsable() const;
  Status NoteHead() const;
  void Halt(std::string reason);

  const std::string folder_;
  mutable std::mutex mutex_;
  // All below is guarded by mutex_.
  Ledger ledger_;
  FileDescriptor file_;
  uint64_t size_ = 0;                   // Bytes of the file that are the chain.
  bool damaged_ = false;                // A failed append couldn't be cut back.
  std::string halted_;                  // Why nothing is spent; empty if all is well.
  std::optional<LedgerHead> verified_;  // Headquarters' head, found in the ledger.
};

}  // namespace aisle

// The privacy ledger on the store's disk: the file behind privacy/ledger.h, and the head that shows when it was cut.
//
//   FOLDER/ledger       the chain, only ever appended to
//   FOLDER/head         entries and digest of the chain as of the last debit: an anchor against a cut or rolled back
//   file
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/ids.h"
#include "base/storage/files.h"
#include "privacy/ledger.h"

namespace aisle {

// Thread-safe.
class LedgerFile {
 public:
  // Opens, or begins, the ledger of `owner`. A torn last record, the trace of a power cut, is cut off: nothing ever
  // left under it. DataLoss if the chain is broken or misses its head: then nothing may be spent until a person has
  // looked. FailedPrecondition if it is another store's.
  static StatusOr<std::unique_ptr<LedgerFile>> Open(const std::string& folder, const StoreId& owner, absl::Time now);

  // As Ledger::Evaluate.
  StatusOr<double> Evaluate(const Debit& debit, const SpendingCap& cap) const;
  // The debit is on the disk when this returns OK; whatever happens next, it stays spent. ResourceExhausted: over the
  // cap, nothing was spent. Any other error (Unavailable for the disk's, a full one too): nothing may be released; the
  // debit may have been spent.
  StatusOr<DebitReceipt> Spend(const Debit& debit, const SpendingCap& cap, absl::Time now);

  // Vectors released for that plan within that job.
  uint64_t ReleasesFor(const JobId& job, const Digest& plan) const;
  // The epsilon that the population which has spent most has spent, at `delta`.
  Spending MostSpent(double delta) const;
  LedgerHead head() const;

 private:
  LedgerFile(std::string folder, Ledger ledger, FileDescriptor file, uint64_t size);
  Status Append(std::string_view bytes);
  Status NoteHead() const;

  const std::string folder_;
  mutable std::mutex mutex_;
  Ledger ledger_;         // Guarded by mutex_.
  FileDescriptor file_;   // Guarded by mutex_.
  uint64_t size_ = 0;     // Bytes of the file that are the chain. Guarded by mutex_.
  bool damaged_ = false;  // A failed append couldn't be cut back. Guarded by mutex_.
};

}  // namespace aisle

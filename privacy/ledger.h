// The store's own account of what has left it, and the filter that says when to stop. Pure: it makes and reads bytes;
// the file and its fdatasync are store-agent/ledger's.
//
// Order of every release, which the types enforce:
//   Prepare (filter, refuse if the cap would be passed) -> bytes appended and durable -> Commit -> DebitReceipt
//   -> Release (release.h) draws noise. No receipt, no noise. A crash in between never refunds.
//
// Bytes: records of u32 body size, body, and the digest SHA-256("aisle/ledger/v2" 0 | previous digest | size | body).
// The first record is the opening (whose ledger, since when); its previous digest is zero.
//
// What a reader detects: an edited, inserted, removed or reordered record breaks the chain (DataLoss). A file cut at a
// record boundary, or rolled back to an old copy, or rewritten from the start is a perfect chain; it is detected only
// against a head that was noted elsewhere (the agent keeps one beside the file, HQ the last one it acknowledged).
//
// A torn tail, the traces of one last record that a power cut stopped half-way, may be dropped: Commit, and with it
// any noise, comes only after the whole record is durable, so nothing ever left under a record that is not whole.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ledger_head.h"
#include "privacy/debit_receipt.h"
#include "privacy/ledger_account.h"
#include "privacy/ledger_entry.h"
#include "privacy/ledger_filter.h"
#include "privacy/ledger_record.h"

namespace aisle {

// What a population has spent, by Renyi accounting. If `unbounded_releases` is not 0, its epsilon over everything is
// infinite and those given are of the bounded releases alone: show both.
struct Spending {
  double floor_epsilon = 0;
  double aggregate_epsilon = 0;
  double delta = 0;
  uint64_t releases = 0;
  uint64_t unbounded_releases = 0;
};

class Ledger {
 public:
  static constexpr size_t kEntriesMax = size_t{1} << 20;
  struct Opened;
  struct Loaded;

  // A new ledger and the bytes its file begins with. Write that file whole or not at all (temporary file, fsync,
  // rename).
  static Opened Open(const StoreId& owner, absl::Time at);

  // Reads a whole file. DataLoss, naming the record, if the chain is broken, or if it doesn't contain `anchor`: then
  // the file was cut or rolled back, and the agent must stop spending until a person has looked. NotFound if empty.
  static StatusOr<Loaded> Load(std::string_view file, const std::optional<LedgerHead>& anchor = std::nullopt);

  const StoreId& owner() const { return owner_; }
  absl::Time opened_at() const { return opened_at_; }
  const std::vector<LedgerEntry>& entries() const { return entries_; }
  LedgerHead head() const;
  std::vector<Population> populations() const;

  // OK if this chain has the point `head` in it; DataLoss saying how it doesn't: the file was cut or rolled back, or
  // rewritten, since the head was noted.
  Status CheckContains(const LedgerHead& head) const;

  // What `population` has spent after `since`, in epsilon at `delta`.
  Spending SpendingOf(const Population& population, double delta, absl::Time since = absl::InfinitePast()) const;

  // What the filter (ledger_filter.h) says of a debit at that time: where the population would stand, or
  // ResourceExhausted naming population, tier, spent, asked and cap. InvalidArgument as the Validates. All infinite for
  // the unit none, which no cap holds: whether it is allowed at all is site policy's to say before.
  StatusOr<Outlook> Evaluate(const Debit& debit, const SpendingCaps& caps, absl::Time at) const;

  // Evaluates, and makes the entry that continues this very chain. Times never run backwards in a ledger: an earlier
  // `at` is recorded, and judged, as the last entry's. Prepared and not committed entries leave no trace here.
  StatusOr<PendingDebit> Prepare(const Debit& debit, const SpendingCaps& caps, absl::Time at) const;

  // Call only when pending.bytes() is durable at the file's end (fdatasync returned). FailedPrecondition if another
  // entry was committed since Prepare. If writing failed instead, drop `pending` and cut the file back to its old
  // length before the next append; if even that fails, stop spending and load anew.
  StatusOr<DebitReceipt> Commit(PendingDebit pending);

 private:
  Ledger() = default;
  Status LoadRecords(std::string_view file, size_t& intact_size);
  Status LoadOpening(const ReadRecord& record);
  Status LoadEntry(const ReadRecord& record);
  absl::Time TimeOf(absl::Time at) const;
  void Book(LedgerEntry entry);

  StoreId owner_;
  absl::Time opened_at_;
  Digest opening_;
  std::vector<LedgerEntry> entries_;
  std::map<Population, LedgerAccount> accounts_;
};

struct Ledger::Opened {
  Ledger ledger;
  std::string bytes;
};

struct Ledger::Loaded {
  Ledger ledger;
  size_t intact_size = 0;  // Cut the file to this before appending.
  size_t torn_size = 0;    // Bytes of the torn last record; 0 if the file ended cleanly.
};

}  // namespace aisle

// The store's own account of what has left it, and the filter that says when to stop. Pure: it makes and reads bytes;
// the file and its fdatasync are store-agent/ledger's.
//
// Order of every release, which the types enforce:
//   Prepare (filter, refuse if the cap would be passed) -> bytes appended and durable -> Commit -> DebitReceipt
//   -> Release (release.h) draws noise. No receipt, no noise. A crash in between never refunds.
//
// Bytes: records of u32 body size, body, and the digest SHA-256("aisle/ledger/v1" 0 | previous digest | size | body).
// The first record is the opening (whose ledger, since when); its previous digest is zero.
//
// What a reader detects: an edited, inserted, removed or reordered record breaks the chain (DataLoss). A file cut at a
// record boundary, or rolled back to an old copy, or rewritten from the start is a perfect chain; it is detected only
// against a head that was noted elsewhere (the agent keeps one in its database and HQ keeps the last one reported).
//
// A torn tail, the traces of one last record that a power cut stopped half-way, may be dropped: Commit, and with it
// any noise, comes only after the whole record is durable, so nothing ever left under a record that is not whole.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "privacy/accounting/rdp.h"
#include "privacy/debit_receipt.h"
#include "privacy/ledger_entry.h"
#include "privacy/ledger_record.h"

namespace aisle {

// Site policy: no more than (epsilon, delta) per population, over all jobs and for ever. The floor tier.
struct SpendingCap {
  double epsilon = 0;
  double delta = 1e-6;
};

// A point of the chain to anchor elsewhere: so many entries were there, and they were these.
struct LedgerHead {
  uint64_t entries = 0;
  Digest digest;
  bool operator==(const LedgerHead&) const = default;
};

// What a population has spent. If `unbounded_releases` is not 0, its epsilon over everything is infinite and
// `epsilon` is that of the bounded releases alone: show both.
struct Spending {
  double epsilon = 0;
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

  // The epsilon of `population` at `delta`, by Renyi accounting over all its bounded releases.
  Spending SpendingOf(const Population& population, double delta) const;

  // What the filter would say: the epsilon after `debit` at the cap's delta, or ResourceExhausted naming population,
  // spent, asked and cap. InvalidArgument and Unimplemented as Validate(debit). Infinity for the unit none, which has
  // no cap: whether it is allowed at all is site policy's to say before.
  //
  // The filter is Feldman and Zrnic 2021 ("Individual Privacy Accounting via a Renyi Filter"): it stops before the sum
  // of Renyi costs at one order passes the budget the cap gives at that order, and so holds for debits chosen
  // adaptively. The order must not depend on outcomes: it is fixed by the cap and the population's first debit, as the
  // one that allows most repeats of that debit.
  StatusOr<double> Evaluate(const Debit& debit, const SpendingCap& cap) const;

  // Evaluates, and makes the entry that continues this very chain. Times never run backwards in a ledger: an earlier
  // `at` is recorded as the last entry's. Prepared and not committed entries leave no trace here.
  StatusOr<PendingDebit> Prepare(const Debit& debit, const SpendingCap& cap, absl::Time at) const;

  // Call only when pending.bytes() is durable at the file's end (fdatasync returned). FailedPrecondition if another
  // entry was committed since Prepare. If writing failed instead, drop `pending` and cut the file back to its old
  // length before the next append; if even that fails, stop spending and load anew.
  StatusOr<DebitReceipt> Commit(PendingDebit pending);

 private:
  struct Account {
    RdpCurve first;  // Of the first bounded debit: with the cap, it fixes the filter's order.
    RdpCurve total;
    uint64_t releases = 0;
    uint64_t unbounded_releases = 0;
  };
  Ledger() = default;
  Status LoadRecords(std::string_view file, size_t& intact_size);
  Status LoadOpening(const ReadRecord& record);
  Status LoadEntry(const ReadRecord& record);
  Status CheckAnchor(const LedgerHead& anchor) const;
  void Book(LedgerEntry entry);
  static RdpCurve CurveOf(const Debit& debit);

  StoreId owner_;
  absl::Time opened_at_;
  Digest opening_;
  std::vector<LedgerEntry> entries_;
  std::map<Population, Account> accounts_;
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

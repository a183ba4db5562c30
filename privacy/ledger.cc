#include "privacy/ledger.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/codec.h"
#include "base/cover.h"
#include "privacy/ledger_record.h"

namespace aisle {
namespace {

constexpr std::string_view kMagic = "AISLEL02";

std::string OpeningBody(const StoreId& owner, absl::Time at) {
  return ByteWriter().Raw(kMagic).String(owner.str()).I64(absl::ToUnixMicros(at)).Take();
}

absl::Time WholeMicros(absl::Time at) { return absl::FromUnixMicros(absl::ToUnixMicros(at)); }

}  // namespace

Ledger::Opened Ledger::Open(const StoreId& owner, absl::Time at) {
  AISLE_CHECK(!owner.empty());
  Opened opened;
  opened.ledger.owner_ = owner;
  opened.ledger.opened_at_ = WholeMicros(at);
  const LedgerRecord record = MakeRecord(Digest{}, OpeningBody(owner, at));
  opened.ledger.opening_ = record.digest;
  opened.bytes = record.bytes;
  return opened;
}

StatusOr<Ledger::Loaded> Ledger::Load(std::string_view file, const std::optional<LedgerHead>& anchor) {
  if (file.empty()) return NotFound("the privacy ledger is empty; a new store opens one, an old one has lost it");
  Loaded loaded;
  AISLE_RETURN_IF_ERROR(loaded.ledger.LoadRecords(file, loaded.intact_size));
  loaded.torn_size = file.size() - loaded.intact_size;
  if (anchor.has_value()) AISLE_RETURN_IF_ERROR(loaded.ledger.CheckContains(*anchor));
  return loaded;
}

Status Ledger::LoadRecords(std::string_view file, size_t& intact_size) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<ReadRecord> opening, ReadRecordAt(file, 0, Digest{}));
  if (!opening.has_value()) return DataLoss("the privacy ledger's opening record is cut short");
  AISLE_RETURN_IF_ERROR(LoadOpening(*opening));
  intact_size = opening->end;
  while (intact_size < file.size()) {
    auto record = ReadRecordAt(file, intact_size, head().digest);
    if (!record.ok()) return Annotate(record.status(), fmt::format("privacy ledger, entry {}", entries_.size() + 1));
    if (!record->has_value()) {
      AISLE_COVER("ledger.torn_tail");
      break;
    }
    AISLE_RETURN_IF_ERROR(LoadEntry(**record));
    intact_size = (*record)->end;
  }
  return OkStatus();
}

Status Ledger::LoadOpening(const ReadRecord& record) {
  ByteReader reader(record.body);
  if (reader.Raw(kMagic.size()) != kMagic) return DataLoss("these bytes are not a privacy ledger");
  const std::string_view owner = reader.String(kNameLengthMax);
  opened_at_ = absl::FromUnixMicros(reader.I64());
  AISLE_RETURN_IF_ERROR(reader.Finish("the privacy ledger's opening record"));
  AISLE_ASSIGN_OR_RETURN(owner_, StoreId::Parse(owner));
  opening_ = record.digest;
  return OkStatus();
}

Status Ledger::LoadEntry(const ReadRecord& record) {
  const uint64_t number = entries_.size() + 1;
  auto entry = DecodeEntry(record.body);
  if (!entry.ok()) return Annotate(entry.status(), fmt::format("privacy ledger, entry {}", number));
  if (entry->number != number) return DataLoss("privacy ledger: entry {} calls itself {}", number, entry->number);
  if (number > kEntriesMax) return ResourceExhausted("the privacy ledger has over {} entries", kEntriesMax);
  if (entry->at < TimeOf(absl::InfinitePast())) {
    return DataLoss("privacy ledger: entry {} is earlier than the one before", number);
  }
  entry->digest = record.digest;
  Book(*std::move(entry));
  return OkStatus();
}

Status Ledger::CheckContains(const LedgerHead& anchor) const {
  if (anchor.entries > entries_.size()) {
    return DataLoss(
        "the privacy ledger ends at entry {}, but entry {} was noted elsewhere: the file was cut or rolled "
        "back; restore it before anything more is spent",
        entries_.size(), anchor.entries);
  }
  const Digest& there = anchor.entries == 0 ? opening_ : entries_[anchor.entries - 1].digest;
  if (there == anchor.digest) return OkStatus();
  return DataLoss(
      "the privacy ledger's entry {} is not the one noted elsewhere: the file was rewritten; restore it "
      "before anything more is spent",
      anchor.entries);
}

LedgerHead Ledger::head() const {
  return {.entries = entries_.size(), .digest = entries_.empty() ? opening_ : entries_.back().digest};
}

std::vector<Population> Ledger::populations() const {
  std::vector<Population> names;
  for (const auto& [name, account] : accounts_) names.push_back(name);
  return names;
}

Spending Ledger::SpendingOf(const Population& population, double delta, absl::Time since) const {
  Spending spending{.delta = delta};
  const auto found = accounts_.find(population);
  if (found == accounts_.end()) return spending;
  const LedgerAccount& account = found->second;
  spending.releases = account.releases();
  spending.unbounded_releases = account.unbounded_releases();
  if (!account.OldestSince(since)) return spending;
  spending.floor_epsilon = EpsilonOf(account.SpentSince(Tier::kFloor, since), delta).epsilon;
  spending.aggregate_epsilon = EpsilonOf(account.SpentSince(Tier::kAggregate, since), delta).epsilon;
  return spending;
}

absl::Time Ledger::TimeOf(absl::Time at) const {
  const absl::Time latest = entries_.empty() ? opened_at_ : entries_.back().at;
  return at > latest ? WholeMicros(at) : latest;
}

StatusOr<Outlook> Ledger::Evaluate(const Debit& debit, const SpendingCaps& caps, absl::Time at) const {
  AISLE_RETURN_IF_ERROR(Validate(debit));
  AISLE_RETURN_IF_ERROR(Validate(caps));
  constexpr double kUnbounded = std::numeric_limits<double>::infinity();
  if (debit.unit == PrivacyUnit::kNone) return Outlook{kUnbounded, kUnbounded, kUnbounded};
  const auto found = accounts_.find(debit.population);
  return PassFilter(found == accounts_.end() ? LedgerAccount() : found->second, debit, caps, TimeOf(at));
}

StatusOr<PendingDebit> Ledger::Prepare(const Debit& debit, const SpendingCaps& caps, absl::Time at) const {
  AISLE_RETURN_IF_ERROR(Evaluate(debit, caps, at).status());
  if (entries_.size() >= kEntriesMax) return ResourceExhausted("the privacy ledger is full at {} entries", kEntriesMax);
  LedgerEntry entry{.number = entries_.size() + 1, .at = TimeOf(at), .debit = debit, .digest = {}};
  LedgerRecord record = MakeRecord(head().digest, EncodeEntry(entry));
  entry.digest = record.digest;
  return PendingDebit(std::move(entry), std::move(record.bytes));
}

StatusOr<DebitReceipt> Ledger::Commit(PendingDebit pending) {
  LedgerEntry& entry = pending.entry_;
  // The digest binds the entry to this chain's head: a stale, foreign or used-up pending debit can't have it.
  if (MakeRecord(head().digest, EncodeEntry(entry)).digest != entry.digest) {
    return FailedPrecondition("this debit was prepared for another state of the privacy ledger; prepare it again");
  }
  DebitReceipt receipt(entry.debit, entry.number);
  Book(std::move(entry));
  return receipt;
}

void Ledger::Book(LedgerEntry entry) {
  accounts_[entry.debit.population].Book(entry.debit, entry.at);
  entries_.push_back(std::move(entry));
}

}  // namespace aisle

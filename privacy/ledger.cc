#include "privacy/ledger.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/codec.h"
#include "base/cover.h"
#include "privacy/ledger_record.h"

namespace aisle {
namespace {

constexpr std::string_view kMagic = "AISLEL01";

std::string OpeningBody(const StoreId& owner, absl::Time at) {
  return ByteWriter().Raw(kMagic).String(owner.str()).I64(absl::ToUnixMicros(at)).Take();
}

absl::Time WholeMicros(absl::Time at) { return absl::FromUnixMicros(absl::ToUnixMicros(at)); }

Status CheckCap(const SpendingCap& cap) {
  if (!(cap.epsilon >= 0)) return InvalidArgument("the site's epsilon cap is {}; it must be at least 0", cap.epsilon);
  if (!(cap.delta > 0 && cap.delta < 1)) {
    return InvalidArgument("the site's delta is {}; it must be over 0 and under 1", cap.delta);
  }
  return OkStatus();
}

// The index of the one order the filter watches: where the cap pays for most repeats of the first debit. Nothing that
// was drawn goes into this choice.
size_t FilterOrder(const SpendingCap& cap, const RdpCurve& first) {
  const std::span<const double> orders = RdpOrders();
  size_t best = 0;
  double repeats_max = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < orders.size(); ++i) {
    const double repeats = RdpBudgetAt(orders[i], cap.epsilon, cap.delta) / first.values()[i];
    if (repeats > repeats_max) {
      repeats_max = repeats;
      best = i;
    }
  }
  return best;
}

bool WithinCap(const SpendingCap& cap, const RdpCurve& first, const RdpCurve& total) {
  const size_t order = FilterOrder(cap, first);
  return total.values()[order] <= RdpBudgetAt(RdpOrders()[order], cap.epsilon, cap.delta);
}

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
  if (anchor.has_value()) AISLE_RETURN_IF_ERROR(loaded.ledger.CheckAnchor(*anchor));
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
  entry->digest = record.digest;
  Book(*std::move(entry));
  return OkStatus();
}

Status Ledger::CheckAnchor(const LedgerHead& anchor) const {
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

Spending Ledger::SpendingOf(const Population& population, double delta) const {
  const auto found = accounts_.find(population);
  if (found == accounts_.end()) return {.delta = delta};
  const Account& account = found->second;
  return {.epsilon = account.releases == 0 ? 0 : EpsilonOf(account.total, delta).epsilon,
          .delta = delta,
          .releases = account.releases,
          .unbounded_releases = account.unbounded_releases};
}

RdpCurve Ledger::CurveOf(const Debit& debit) {
  auto curve = RdpCurve::SampledGaussian(debit.sampling_rate, debit.noise_multiplier);
  AISLE_CHECK(curve.ok(), "a validated debit has no curve: {}", MessageOf(curve.status()));
  return *curve * debit.releases;
}

StatusOr<double> Ledger::Evaluate(const Debit& debit, const SpendingCap& cap) const {
  AISLE_RETURN_IF_ERROR(Validate(debit));
  AISLE_RETURN_IF_ERROR(CheckCap(cap));
  if (debit.unit == PrivacyUnit::kNone) return std::numeric_limits<double>::infinity();
  const auto found = accounts_.find(debit.population);
  RdpCurve total = CurveOf(debit);
  const RdpCurve first = found == accounts_.end() || found->second.releases == 0 ? total : found->second.first;
  if (found != accounts_.end()) total += found->second.total;
  const double after = EpsilonOf(total, cap.delta).epsilon;
  if (!WithinCap(cap, first, total)) {
    AISLE_COVER("ledger.refused_over_cap");
    return ResourceExhausted(
        "population {} has spent epsilon {:.3f}; this would make it {:.3f}, over the site's cap of "
        "{} at delta {}",
        debit.population, SpendingOf(debit.population, cap.delta).epsilon, after, cap.epsilon, cap.delta);
  }
  return after;
}

StatusOr<PendingDebit> Ledger::Prepare(const Debit& debit, const SpendingCap& cap, absl::Time at) const {
  AISLE_ASSIGN_OR_RETURN(const double epsilon_after, Evaluate(debit, cap));
  if (entries_.size() >= kEntriesMax) return ResourceExhausted("the privacy ledger is full at {} entries", kEntriesMax);
  const absl::Time latest = entries_.empty() ? opened_at_ : entries_.back().at;
  LedgerEntry entry{
      .number = entries_.size() + 1, .at = std::max(WholeMicros(at), latest), .debit = debit, .digest = {}};
  LedgerRecord record = MakeRecord(head().digest, EncodeEntry(entry));
  entry.digest = record.digest;
  return PendingDebit(std::move(entry), std::move(record.bytes), epsilon_after);
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
  const Debit& debit = entry.debit;
  Account& account = accounts_[debit.population];
  if (debit.unit == PrivacyUnit::kNone) {
    account.unbounded_releases += debit.releases;
  } else {
    const RdpCurve curve = CurveOf(debit);
    if (account.releases == 0) account.first = curve;
    account.total += curve;
    account.releases += debit.releases;
  }
  entries_.push_back(std::move(entry));
}

}  // namespace aisle

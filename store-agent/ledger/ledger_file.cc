#include "store-agent/ledger/ledger_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/codec.h"
#include "base/cover.h"
#include "base/log.h"

namespace aisle {
namespace {

constexpr std::string_view kHeadMagic = "AISLELH1";
constexpr uint64_t kLedgerSizeMax = uint64_t{512} << 20;
constexpr unsigned kMode = 0600;

std::string LedgerPath(const std::string& folder) { return folder + "/ledger"; }
std::string HeadPath(const std::string& folder) { return folder + "/head"; }

std::string EncodeHead(const LedgerHead& head) {
  ByteWriter out;
  out.Raw(kHeadMagic).U64(head.entries).Put(head.digest);
  return out.Take();
}

StatusOr<std::optional<LedgerHead>> ReadHead(const std::string& folder) {
  const std::string path = HeadPath(folder);
  if (!FileExists(path)) return std::optional<LedgerHead>();
  AISLE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, 4096));
  ByteReader in(bytes);
  const bool known = in.Raw(kHeadMagic.size()) == kHeadMagic;
  LedgerHead head{.entries = in.U64()};
  head.digest = in.ReadDigest();
  if (!known || !in.Finish("ledger head").ok()) {
    return DataLoss("{} is damaged: the ledger can't be checked against it; restore it from a backup", path);
  }
  return std::optional<LedgerHead>(head);
}

StatusOr<Ledger::Loaded> LoadOrBegin(const std::string& folder, const StoreId& owner, absl::Time now) {
  const std::string path = LedgerPath(folder);
  AISLE_ASSIGN_OR_RETURN(const std::optional<LedgerHead> anchor, ReadHead(folder));
  if (FileExists(path)) {
    AISLE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLedgerSizeMax));
    StatusOr<Ledger::Loaded> loaded = Ledger::Load(bytes, anchor);
    if (!loaded.ok()) return Annotate(loaded.status(), path);
    return loaded;
  }
  if (anchor) {
    return DataLoss("{} is gone, though its head in {} is there: restore it from a backup", path, HeadPath(folder));
  }
  Ledger::Opened opened = Ledger::Open(owner, now);
  AISLE_RETURN_IF_ERROR(WriteFileDurably(path, opened.bytes, kMode));
  return Ledger::Loaded{.ledger = std::move(opened.ledger), .intact_size = opened.bytes.size()};
}

}  // namespace

LedgerFile::LedgerFile(std::string folder, Ledger ledger, FileDescriptor file, uint64_t size)
    : folder_(std::move(folder)), ledger_(std::move(ledger)), file_(std::move(file)), size_(size) {}

StatusOr<std::unique_ptr<LedgerFile>> LedgerFile::Open(const std::string& folder, const StoreId& owner,
                                                       absl::Time now) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  AISLE_ASSIGN_OR_RETURN(Ledger::Loaded loaded, LoadOrBegin(folder, owner, now));
  const std::string path = LedgerPath(folder);
  if (loaded.ledger.owner() != owner) {
    return FailedPrecondition("{} is the ledger of {}, not of {}: this data folder belongs to another store", path,
                              loaded.ledger.owner(), owner);
  }
  AISLE_ASSIGN_OR_RETURN(FileDescriptor file, OpenFile(path, O_RDWR | O_CLOEXEC, kMode));
  if (loaded.torn_size > 0) {
    AISLE_COVER("ledger.torn_tail_cut");
    LogWarning("{}: cut off {} bytes of a debit that a power cut stopped half-way; nothing left under it", path,
               loaded.torn_size);
    if (ftruncate(file.get(), static_cast<off_t>(loaded.intact_size)) != 0) {
      return ErrnoStatus(errno, "can't cut", path);
    }
  }
  // A killed program may have left its last debit in memory only. The head is about to count it: it must outlive that.
  AISLE_RETURN_IF_ERROR(SyncData(file.get(), path));
  std::unique_ptr<LedgerFile> ledger(
      new LedgerFile(folder, std::move(loaded.ledger), std::move(file), loaded.intact_size));
  AISLE_RETURN_IF_ERROR(ledger->NoteHead());
  return ledger;
}

StatusOr<std::unique_ptr<LedgerFile>> LedgerFile::OpenOrHalt(const std::string& folder, const StoreId& owner,
                                                             absl::Time now) {
  StatusOr<std::unique_ptr<LedgerFile>> opened = Open(folder, owner, now);
  if (opened.status().code() != StatusCode::kDataLoss) return opened;
  AISLE_COVER("ledger.halted_at_start");
  std::unique_ptr<LedgerFile> halted(new LedgerFile(folder, Ledger::Open(owner, now).ledger, FileDescriptor(), 0));
  halted->Halt(std::string(MessageOf(opened.status())));
  return halted;
}

void LedgerFile::Halt(std::string reason) {
  LogError("the privacy ledger is not what it was, so nothing is spent and no task is taken: {}", reason);
  halted_ = std::move(reason);
}

Status LedgerFile::CheckUsable() const {
  if (!halted_.empty()) return DataLoss("{}", halted_);
  if (damaged_) {
    return Unavailable("{} could not be mended after a failed write; restart the agent", LedgerPath(folder_));
  }
  return OkStatus();
}

void LedgerFile::Compare(const std::optional<LedgerHead>& acknowledged) {
  const std::lock_guard lock(mutex_);
  if (!halted_.empty() || !acknowledged || acknowledged == verified_) return;
  const Status contained = ledger_.CheckContains(*acknowledged);
  if (contained.ok()) {
    verified_ = acknowledged;
    return;
  }
  AISLE_COVER("ledger.halted_by_acknowledged_head");
  Halt(fmt::format("{}: {} (headquarters acknowledged that entry)", LedgerPath(folder_), MessageOf(contained)));
}

LedgerClaim LedgerFile::claim() const {
  const std::lock_guard lock(mutex_);
  return {.head = ledger_.head(), .verified = verified_, .halted = !halted_.empty()};
}

std::optional<std::string> LedgerFile::halted() const {
  const std::lock_guard lock(mutex_);
  return halted_.empty() ? std::nullopt : std::optional(halted_);
}

Status LedgerFile::Evaluate(std::span<const Debit> debits, const SpendingCaps& caps, absl::Time now) const {
  const std::lock_guard lock(mutex_);
  AISLE_RETURN_IF_ERROR(CheckUsable());
  for (const Debit& debit : debits) AISLE_RETURN_IF_ERROR(ledger_.Evaluate(debit, caps, now).status());
  return OkStatus();
}

StatusOr<DebitReceipt> LedgerFile::Spend(std::span<const Debit> debits, const SpendingCaps& caps, absl::Time now) {
  const std::lock_guard lock(mutex_);
  AISLE_CHECK(!debits.empty());
  AISLE_RETURN_IF_ERROR(CheckUsable());
  // All or nothing, as far as caps go: each is asked before any is spent. One alone is asked where it is spent.
  for (const Debit& debit : debits.subspan(debits.size() > 1 ? 0 : 1)) {
    AISLE_RETURN_IF_ERROR(ledger_.Evaluate(debit, caps, now).status());
  }
  std::optional<DebitReceipt> first;
  for (const Debit& debit : debits) {
    AISLE_ASSIGN_OR_RETURN(PendingDebit pending, ledger_.Prepare(debit, caps, now));
    // A full disk is not an empty budget: disk errors are all Unavailable here.
    const Status appended = Append(pending.bytes());
    if (!appended.ok()) return Unavailable("the debit could not be written: {}", MessageOf(appended));
    AISLE_ASSIGN_OR_RETURN(DebitReceipt receipt, ledger_.Commit(std::move(pending)));
    if (!first) first.emplace(std::move(receipt));
  }
  const Status noted = NoteHead();
  if (!noted.ok()) return Unavailable("the ledger's head could not be written: {}", MessageOf(noted));
  AISLE_COVER("commit.ledger_head.after");
  return *std::move(first);
}

// After a failed write the file is cut back, so that the next debit continues the same chain.
Status LedgerFile::Append(std::string_view bytes) {
  const std::string path = LedgerPath(folder_);
  AISLE_COVER("commit.ledger.before");
  Status written = WriteAllAt(file_.get(), bytes, size_, path);
  AISLE_COVER("commit.ledger.written");
  if (written.ok()) written = SyncData(file_.get(), path);
  if (written.ok()) {
    AISLE_COVER("commit.ledger.after");
    size_ += bytes.size();
    return OkStatus();
  }
  AISLE_COVER("ledger.append_failed");
  damaged_ = ftruncate(file_.get(), static_cast<off_t>(size_)) != 0 || !SyncData(file_.get(), path).ok();
  return written;
}

Status LedgerFile::NoteHead() const { return WriteFileDurably(HeadPath(folder_), EncodeHead(ledger_.head()), kMode); }

uint64_t LedgerFile::TimesSpentFor(const JobId& job, const Digest& plan) const {
  const std::lock_guard lock(mutex_);
  std::map<Population, uint64_t> times;  // A release that concerns several populations is one release.
  uint64_t most = 0;
  for (const LedgerEntry& entry : ledger_.entries()) {
    const Debit& debit = entry.debit;
    if (debit.round.job == job && debit.plan == plan) most = std::max(most, ++times[debit.population]);
  }
  return most;
}

Spending LedgerFile::MostSpent(double delta, absl::Time now) const {
  const std::lock_guard lock(mutex_);
  Spending most{.delta = delta};
  for (const Population& population : ledger_.populations()) {
    const Spending spending = ledger_.SpendingOf(population, delta, now - kSpendingYear);
    most.floor_epsilon = std::max(most.floor_epsilon, spending.floor_epsilon);
    most.aggregate_epsilon = std::max(most.aggregate_epsilon, spending.aggregate_epsilon);
    most.releases = std::max(most.releases, spending.releases);
    most.unbounded_releases = std::max(most.unbounded_releases, spending.unbounded_releases);
  }
  return most;
}

LedgerHead LedgerFile::head() const {
  const std::lock_guard lock(mutex_);
  return ledger_.head();
}

}  // namespace aisle

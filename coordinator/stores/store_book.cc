#include "coordinator/stores/store_book.h"

#include <algorithm>
#include <utility>

#include "base/cover.h"
#include "base/log.h"
#include "base/reason.h"

namespace aisle {
namespace {

// How far the disk's idea of when a store was last seen may lag.
constexpr absl::Duration kPresenceLag = absl::Minutes(10);
constexpr absl::Duration kClockSkewMax = absl::Minutes(5);  // As stores judge their own.

EnrolmentRecord CodeOf(const StoreRecord& record) {
  EnrolmentRecord code{.code_hash = record.code->hash, .store = record.id, .expires_at = record.code->expires};
  if (record.code->used && record.code->used_by)
    code.redeemed = {.key = *record.code->used_by, .at = *record.code->used};
  return code;
}

void SetKeys(const AcceptedKeys& keys, StoreRecord& record) {
  record.key_current = keys.current;
  record.key_next = keys.next;
}

}  // namespace

StatusOr<std::optional<EnrolmentRecord>> StoreBook::FindCode(const Digest& code_hash) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<StoreRecord> record, state_.FindStoreByCode(code_hash));
  if (!record || !record->code) return std::optional<EnrolmentRecord>();
  return std::optional(CodeOf(*record));
}

StatusOr<std::optional<EnrolmentRecords::KnownStore>> StoreBook::FindStore(const StoreId& store) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<StoreRecord> record, state_.FindStore(store));
  if (!record) return std::optional<KnownStore>();
  KnownStore known{.revoked = record->state == StoreState::kRevoked,
                   .certificate_expires = record->certificate_not_after};
  if (!known.revoked && !record->key_current) return std::optional<KnownStore>();  // Invited, not yet here.
  if (record->key_current) known.keys = {.current = *record->key_current, .next = record->key_next};
  return std::optional(known);
}

Status StoreBook::PutCode(const EnrolmentRecord& code) {
  AISLE_ASSIGN_OR_RETURN(StoreRecord record, FindOrNew(code.store));
  record.code = EnrolmentCode{.hash = code.code_hash, .expires = code.expires_at};
  return Write(record, Durability::kSynced);
}

Status StoreBook::PutRedemption(const EnrolmentRecord& code, const AcceptedKeys& keys, absl::Time certificate_expires) {
  AISLE_ASSIGN_OR_RETURN(StoreRecord record, FindOrNew(code.store));
  record.code = EnrolmentCode{.hash = code.code_hash, .expires = code.expires_at};
  if (code.redeemed) {
    record.code->used = code.redeemed->at;
    record.code->used_by = code.redeemed->key;
  }
  SetKeys(keys, record);
  record.certificate_not_after = certificate_expires;
  if (record.state == StoreState::kInvited) record.state = StoreState::kEnrolled;
  if (const auto old_box = presence_.find(code.store); old_box != presence_.end()) {
    heard_.Forget(old_box->second.last_seen);
    presence_.erase(old_box);  // A new box: its agent's instances begin anew.
  }
  return Write(record, Durability::kSynced);
}

Status StoreBook::PutKeys(const StoreId& store, const AcceptedKeys& keys,
                          std::optional<absl::Time> certificate_expires) {
  AISLE_ASSIGN_OR_RETURN(StoreRecord record, Find(store));
  SetKeys(keys, record);
  if (certificate_expires) record.certificate_not_after = *certificate_expires;
  return Write(record, Durability::kSynced);
}

Status StoreBook::PutAdopted(const StoreId& store, const AcceptedKeys& keys, absl::Time certificate_expires) {
  AISLE_ASSIGN_OR_RETURN(StoreRecord record, FindOrNew(store));
  LogInfo("store {} is known again by a certificate that was issued after the backup", store);
  SetKeys(keys, record);
  record.certificate_not_after = certificate_expires;
  if (record.state == StoreState::kInvited) record.state = StoreState::kEnrolled;
  if (const auto before = presence_.find(store); before != presence_.end()) {
    heard_.Forget(before->second.last_seen);
    presence_.erase(before);
  }
  return Write(record, Durability::kSynced);
}

StatusOr<StoreRecord> StoreBook::Find(const StoreId& store) const {
  AISLE_ASSIGN_OR_RETURN(std::optional<StoreRecord> record, state_.FindStore(store));
  if (!record) return NotFound("the chain has no store {}; add it with 'aisle store add {}'", store, store);
  AddPresence(*record);
  return *std::move(record);
}

StatusOr<StoreRecord> StoreBook::FindOrNew(const StoreId& store) const {
  AISLE_ASSIGN_OR_RETURN(std::optional<StoreRecord> record, state_.FindStore(store));
  return record ? *std::move(record) : StoreRecord{.id = store};
}

StatusOr<std::vector<StoreRecord>> StoreBook::List() const {
  AISLE_ASSIGN_OR_RETURN(std::vector<StoreRecord> records, state_.ListStores());
  for (StoreRecord& record : records) AddPresence(record);
  return records;
}

StatusOr<StoreRecord> StoreBook::Revoke(const StoreId& store, const std::string& reason) {
  AISLE_ASSIGN_OR_RETURN(StoreRecord record, Find(store));
  record.state = StoreState::kRevoked;
  record.revoke_reason = reason.empty() ? "no reason given" : reason;
  AISLE_RETURN_IF_ERROR(Write(record, Durability::kSynced));
  return record;
}

StatusOr<StoreRecord> StoreBook::Reinstate(const StoreId& store) {
  AISLE_ASSIGN_OR_RETURN(StoreRecord record, Find(store));
  if (record.state != StoreState::kRevoked) {
    return FailedPrecondition("store {} isn't revoked but {}", store, NameOf(record.state));
  }
  record.state = StoreState::kInvited;
  record.revoke_reason.clear();
  record.code.reset();
  record.key_current.reset();
  record.key_next.reset();
  AISLE_RETURN_IF_ERROR(Write(record, Durability::kSynced));
  return record;
}

StoreBook::Presence& StoreBook::PresenceOf(const StoreId& store) {
  const auto [entry, is_new] = presence_.try_emplace(store);
  if (is_new) {
    const StatusOr<std::optional<StoreRecord>> record = state_.FindStore(store);
    if (record.ok() && *record) entry->second.rounds_selected = (*record)->rounds_selected;
  }
  return entry->second;
}

Status StoreBook::Present(const StoreId& store, const CheckIn& check_in) {
  Presence& presence = PresenceOf(store);
  AISLE_RETURN_IF_ERROR(presence.instances.Observe(check_in.agent_instance));
  const absl::Time now = clock_.Now();
  heard_.Note(std::exchange(presence.last_seen, now), now);
  presence.latest = check_in;
  LookAtClock(store, presence);
  if (presence.last_seen - presence.last_written < kPresenceLag) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(StoreRecord record, Find(store));
  if (!record.first_seen) record.first_seen = presence.last_seen;
  presence.last_written = presence.last_seen;
  return Write(record, Durability::kBuffered);
}

void StoreBook::LookAtClock(const StoreId& store, Presence& presence) {
  const absl::Duration ahead = presence.latest.clock - presence.last_seen;
  const bool off = absl::AbsDuration(ahead) > kClockSkewMax && presence.latest.clock != absl::UnixEpoch();
  if (off && !presence.clock_is_off) {
    LogWarning("the clock of store {} is {} {} ours; set it right, or certificates and hours will be misjudged there",
               store, aisle::FormatDuration(absl::Trunc(absl::AbsDuration(ahead), absl::Seconds(1))),
               ahead > absl::ZeroDuration() ? "ahead of" : "behind");
  }
  presence.clock_is_off = off;
}

StatusOr<LedgerStanding> StoreBook::NoteLedger(const StoreId& store, const std::optional<LedgerClaim>& claim) {
  Presence& presence = PresenceOf(store);
  if (!presence.ledger) {
    AISLE_ASSIGN_OR_RETURN(const StoreRecord record, Find(store));
    presence.ledger = LedgerStanding{.acknowledged = record.ledger, .trouble = record.ledger_trouble};
  }
  if (claim) {
    const LedgerStanding now = Judge(*presence.ledger, *claim);
    if (now != *presence.ledger) {
      AISLE_ASSIGN_OR_RETURN(StoreRecord record, Find(store));
      if (record.ledger != now.acknowledged) record.ledger_at = clock_.Now();
      record.ledger = now.acknowledged;
      record.ledger_trouble = now.trouble;
      AISLE_RETURN_IF_ERROR(Write(record, Durability::kBuffered));
      if (!now.trouble.empty()) LogWarning("store {}: {}", store, now.trouble);
      presence.ledger = now;
    }
  }
  if (!presence.ledger->trouble.empty()) presence.latest.willing = false;
  return *presence.ledger;
}

size_t StoreBook::CountPresent(absl::Duration window) const { return heard_.CountSince(clock_.Now() - window); }

std::vector<uint64_t> StoreBook::RoundsOfPresent(
    absl::Duration window, const std::function<bool(const StoreId&, const CheckIn&)>& may_come) const {
  const absl::Time since = clock_.Now() - window;
  std::vector<uint64_t> rounds;
  for (const auto& [store, presence] : presence_) {
    if (presence.last_seen >= since && may_come(store, presence.latest)) rounds.push_back(presence.rounds_selected);
  }
  return rounds;
}

uint64_t StoreBook::RoundsSelected(const StoreId& store) const {
  if (const auto found = presence_.find(store); found != presence_.end()) return found->second.rounds_selected;
  const StatusOr<std::optional<StoreRecord>> record = state_.FindStore(store);
  return record.ok() && *record ? (*record)->rounds_selected : 0;
}

template <typename Change>
void StoreBook::Update(const std::vector<StoreId>& stores, Change change) {
  StateChange batch;
  for (const StoreId& store : stores) {
    if (StatusOr<StoreRecord> record = Find(store); record.ok()) {
      change(*record);
      batch.Put(*record);
    }
  }
  if (Status written = state_.Commit(batch, Durability::kBuffered); !written.ok()) {
    LogWarning("stores' statistics were not written: {}", MessageOf(written));
  }
}

void StoreBook::CountSelected(const std::vector<StoreId>& stores) {
  for (const StoreId& store : stores) {
    if (const auto present = presence_.find(store); present != presence_.end()) ++present->second.rounds_selected;
  }
  Update(stores, [](StoreRecord& record) { ++record.rounds_selected; });
}

void StoreBook::CountCollected(const std::vector<StoreId>& stores) {
  Update(stores, [](StoreRecord& record) { ++record.rounds_collected; });
}

void StoreBook::NoteRefusal(const StoreId& store, const std::string& refusal) {
  Update({store}, [&](StoreRecord& record) { record.last_refusal = refusal; });
}

void StoreBook::NoteCallRefused(const StoreId& store, const Status& why) {
  if (ReasonOf(why) != Reason::kRevoked && ReasonOf(why) != Reason::kDuplicateIdentity) return;
  const StatusOr<std::optional<StoreRecord>> known = state_.FindStore(store);
  if (!known.ok() || !*known) return;
  const std::string text(MessageOf(why));
  const absl::Time now = clock_.Now();
  if ((*known)->call_refused == text && now - (*known)->call_refused_at.value_or(absl::InfinitePast()) < kPresenceLag) {
    return;
  }
  Update({store}, [&](StoreRecord& record) {
    record.call_refused = text;
    record.call_refused_at = now;
  });
}

StoreBook::Heard StoreBook::HeardOf(const StoreId& store) const {
  const auto found = presence_.find(store);
  if (found == presence_.end() || found->second.last_seen == absl::Time()) return {};
  return {.latest = &found->second.latest, .last_seen = found->second.last_seen};
}

Status StoreBook::Write(const StoreRecord& record, Durability durability) {
  AISLE_COVER("commit.store_record.before");
  const Status written = state_.Commit(StateChange().Put(record), durability);
  AISLE_COVER("commit.store_record.after");
  return written;
}

void StoreBook::AddPresence(StoreRecord& record) const {
  const auto found = presence_.find(record.id);
  if (found == presence_.end()) return;
  record.last_seen = found->second.last_seen;
  record.agent_version = found->second.latest.agent_version;
}

}  // namespace aisle

// Every store the chain has: who is enrolled, with which key, when it was last heard of.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fleet.h"
#include "base/status.h"
#include "coordinator/catalog/state_store.h"
#include "coordinator/enrolment/agent_instances.h"
#include "coordinator/enrolment/enrolment_desk.h"
#include "coordinator/stores/heard_lately.h"
#include "coordinator/stores/ledger_standing.h"

namespace aisle {

// Owned by the coordinator's executor; not thread-safe. Records live in the state store; only presence is in memory, so
// that ten thousand stores checking in cost no disk writes.
class StoreBook final : public EnrolmentRecords {
 public:
  StoreBook(StateStore& state, const Clock& clock) : state_(state), clock_(clock) {}

  // EnrolmentRecords.
  StatusOr<std::optional<EnrolmentRecord>> FindCode(const Digest& code_hash) override;
  StatusOr<std::optional<KnownStore>> FindStore(const StoreId& store) override;
  Status PutCode(const EnrolmentRecord& record) override;
  Status PutRedemption(const EnrolmentRecord& record, const AcceptedKeys& keys,
                       absl::Time certificate_expires) override;
  Status PutKeys(const StoreId& store, const AcceptedKeys& keys,
                 std::optional<absl::Time> certificate_expires) override;
  Status PutAdopted(const StoreId& store, const AcceptedKeys& keys, absl::Time certificate_expires) override;

  // NotFound if the chain has no such store.
  StatusOr<StoreRecord> Find(const StoreId& store) const;
  // Records with the freshest presence put in.
  StatusOr<std::vector<StoreRecord>> List() const;
  // Durable. A revoked store is refused from its next call on.
  StatusOr<StoreRecord> Revoke(const StoreId& store, const std::string& reason);
  // Durable. The store may be invited again; its old keys and code stay void, for whoever has its box may have copied
  // them. FailedPrecondition if it isn't revoked.
  StatusOr<StoreRecord> Reinstate(const StoreId& store);

  // A store has checked in; the log says once if its clock is far off. FailedPrecondition if another agent with its
  // identity replaced this one.
  Status Present(const StoreId& store, const CheckIn& check_in);
  // Then what it says of its privacy ledger, if anything: judged against what is known, and kept. A store in trouble
  // counts as unwilling. Written at once and made durable by the next synced write: a power cut may cost the latest
  // head, and the one before it still tells.
  StatusOr<LedgerStanding> NoteLedger(const StoreId& store, const std::optional<LedgerClaim>& claim);
  // Stores heard of within `window`, to the second. Cheap.
  size_t CountPresent(absl::Duration window) const;
  // Of each store heard of within `window` that `may_come` likes by its latest check-in: the rounds it was selected
  // for.
  std::vector<uint64_t> RoundsOfPresent(absl::Duration window,
                                        const std::function<bool(const StoreId&, const CheckIn&)>& may_come) const;
  // Rounds the store was selected for, over all jobs.
  uint64_t RoundsSelected(const StoreId& store) const;

  // Statistics: written at once but not synced; a power cut may cost the latest.
  void CountSelected(const std::vector<StoreId>& stores);
  void CountCollected(const std::vector<StoreId>& stores);
  void NoteRefusal(const StoreId& store, const std::string& refusal);
  // A call with the store's name was refused as revoked, or for its key. Of calls alike, one in minutes is noted.
  void NoteCallRefused(const StoreId& store, const Status& why);

  // The store's latest check-in since this program started; null: none. Valid until its next.
  struct Heard {
    const CheckIn* latest = nullptr;
    absl::Time last_seen = absl::InfinitePast();
  };
  Heard HeardOf(const StoreId& store) const;

 private:
  struct Presence {
    absl::Time last_seen;
    absl::Time last_written = absl::InfinitePast();
    CheckIn latest;
    uint64_t rounds_selected = 0;  // As in the record, at hand for selection.
    AgentInstances instances;
    bool clock_is_off = false;             // And the log has said so.
    std::optional<LedgerStanding> ledger;  // As in the record; none: not read yet.
  };
  Status Write(const StoreRecord& record, Durability durability);
  static void LookAtClock(const StoreId& store, Presence& presence);
  StatusOr<StoreRecord> FindOrNew(const StoreId& store) const;
  Presence& PresenceOf(const StoreId& store);
  void AddPresence(StoreRecord& record) const;
  template <typename Change>
  void Update(const std::vector<StoreId>& stores, Change change);

  StateStore& state_;
  const Clock& clock_;
  std::map<StoreId, Presence> presence_;
  HeardLately heard_;  // The same stores, by when.
};

}  // namespace aisle

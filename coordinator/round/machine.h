// The life of one round. Events and the time go in; what must now be done comes out, in order.
// Does no I/O, holds no locks, never reads a clock: RoundDriver does those on its behalf.
// Not thread-safe; it has one owner.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/status.h"
#include "coordinator/round/effect.h"
#include "coordinator/round/event.h"
#include "coordinator/round/phase.h"
#include "coordinator/round/policy.h"

namespace aisle {

// What a store that is in the round should do now.
struct DutyTrain {
  absl::Time deadline;
};
struct DutyUpload {  // Under the secure sum: masked (sum_tasks.h has what with).
  absl::Time deadline;
};
struct DutyStep {};  // The secure sum's step of the present phase (sum_tasks.h).
struct DutyWait {};
struct DutyDone {
  RoundOutcome outcome = RoundOutcome::kAborted;
  std::string reason;
};
struct NoDuty {};  // The round doesn't know the store.
using Duty = std::variant<NoDuty, DutyTrain, DutyUpload, DutyStep, DutyWait, DutyDone>;

// How many stores have taken a step of the secure sum, of those that are asked to.
struct StepProgress {
  size_t taken = 0;
  size_t asked = 0;
};

class RoundMachine {
 public:
  // `seed` breaks ties between stores that served equally; written in the journal, like the policy and the time.
  RoundMachine(RoundId id, RoundPolicy policy, uint64_t seed, absl::Time opened_at);

  // The first effects of a round that has just opened: its deadline.
  Effects Open() const;

  // OK if the event may be given to Handle as things stand; else why the store's message is refused:
  //   NotFound: the store has no part in this round.
  //   FailedPrecondition: the round has moved on, or isn't there yet.
  //   InvalidArgument: digest or size isn't what it must be, or a step of the secure sum isn't well-formed.
  // Signatures are checked before: they need certificates, which have no place in here.
  // A store's mistake is answered to that store; only a fault of the whole round ends the round.
  Status Check(const Event& event) const;

  // Whether an event that Check takes would change nothing: said before, or too late to matter. It needs no place in a
  // journal, so that a store can't make that grow by saying the same thing again.
  bool IsRepeat(const Event& event) const;

  // A repeated event changes nothing. An event that Check refuses changes nothing either.
  Effects Handle(const Event& event, absl::Time now);

  Duty DutyOf(const StoreId& store) const;
  // Of the present step of the secure sum, masked uploads included; none in other phases.
  std::optional<StepProgress> Progress() const;
  bool Owes(const StoreId& store) const;  // That step.
  // True while the round would gain by the offer of such a store.
  bool Wants(const Candidate& candidate) const;
  // In which order stores should offer themselves: the lower first.
  Rank RankFor(const StoreId& store, const Candidate& candidate) const { return RankOf(seed_, store, candidate); }

  const RoundId& id() const { return id_; }
  const RoundPolicy& policy() const { return policy_; }
  const Phase& phase() const { return phase_; }
  absl::Time opened_at() const { return opened_at_; }
  bool closed() const { return IsClosed(phase_); }

 private:
  // selecting.cc
  void OnOffered(Selecting& selecting, const StoreOffered& event, absl::Time now, Effects& effects);
  bool IsFair(const Selecting& selecting) const;
  void CloseSelection(Selecting& selecting, absl::Time now, Effects& effects);
  // training.cc
  Status CheckOutcome(const OutcomeReported& event) const;
  bool IsRepeat(const OutcomeReported& event) const;
  void BeginTraining(Roster roster, absl::Time now, Effects& effects);
  void OnOutcome(Training& training, const OutcomeReported& event, absl::Time now, Effects& effects);
  void CloseTraining(Training& training, absl::Time now, Effects& effects);
  // advertising.cc
  void BeginAdvertising(Roster roster, uint32_t attempt, absl::Time now, Effects& effects);
  Status CheckAdvert(const SumStepTaken& event, const Advert& advert) const;
  void OnAdvert(Advertising& advertising, const StoreId& store, const Advert& advert, absl::Time now, Effects& effects);
  void OnLeft(Advertising& advertising, const StoreId& store, absl::Time now, Effects& effects);
  void EndIfAllAdvertised(Advertising& advertising, absl::Time now, Effects& effects);
  void Close(Advertising& advertising, absl::Time now, Effects& effects);
  // sharing.cc
  void BeginSharing(Roster roster, const Advertising& advertised, absl::Time now, Effects& effects);
  Status CheckDealt(const SumStepTaken& event, const DealtShares& dealt) const;
  void OnDealt(Sharing& sharing, const StoreId& store, const DealtShares& dealt, absl::Time now, Effects& effects);
  void OnLeft(Sharing& sharing, const StoreId& store, absl::Time now, Effects& effects);
  void EndIfAllDealt(Sharing& sharing, absl::Time now, Effects& effects);
  void Close(Sharing& sharing, absl::Time now, Effects& effects);
  // confirming.cc
  void BeginConfirming(Roster roster, DealtCohort sum, std::vector<MemberStatus> statuses, absl::Time now,
                       Effects& effects);
  Status CheckConfirmation(const SumStepTaken& event, const Confirmation& confirmation) const;
  void OnConfirmation(Confirming& confirming, const StoreId& store, const Confirmation& confirmation, absl::Time now,
                      Effects& effects);
  void EndIfAllConfirmed(Confirming& confirming, absl::Time now, Effects& effects);
  void Close(Confirming& confirming, absl::Time now, Effects& effects);
  // unmasking.cc
  void BeginUnmasking(Confirming& confirmed, absl::Time now, Effects& effects);
  Status CheckRevealed(const SumStepTaken& event, const RevealedShares& revealed) const;
  void OnRevealed(Unmasking& unmasking, const StoreId& store, const RevealedShares& revealed, Effects& effects);
  std::string NameWrongDealers(Unmasking& unmasking, Effects& effects) const;
  void EndIfEnoughRevealed(Unmasking& unmasking, Effects& effects);
  void Close(Unmasking& unmasking, Effects& effects);
  // collecting.cc
  Status CheckUpdate(const UpdateCollected& event) const;
  void BeginCollecting(Roster roster, std::optional<DealtCohort> sum, absl::Time now, Effects& effects);
  void OnCollected(Collecting& collecting, const UpdateCollected& event, absl::Time now, Effects& effects);
  void EndIfAllCollected(Collecting& collecting, absl::Time now, Effects& effects);
  void CloseCollecting(Collecting& collecting, absl::Time now, Effects& effects);
  void CloseMasked(Roster roster, DealtCohort sum, absl::Time now, Effects& effects);
  // committing.cc
  void BeginCommitting(Roster roster, std::shared_ptr<const secagg::Transcript> transcript, Effects& effects);
  void OnPublished(Committing& committing, const ModelPublished& event, Effects& effects);
  // stepping.cc: what all steps of the secure sum share.
  Status CheckStep(const SumStepTaken& event) const;
  StatusOr<uint32_t> PositionIn(const DealtCohort& sum, const SumStepTaken& event) const;
  bool IsPast(const SumStepTaken& event) const;
  bool IsKnown(const SumStepTaken& event) const;
  Status NotNow(const SumStepTaken& event) const;
  Status CheckLeaving(const StoreId& store, const Seat& seat, const TaskOutcome& outcome) const;
  void OnStep(const SumStepTaken& event, absl::Time now, Effects& effects);
  void OnLeaving(const OutcomeReported& event, absl::Time now, Effects& effects);
  bool OwesStep(const StoreId& store) const;
  void LeaveBehind(Roster& roster, const std::vector<StoreId>& silent, const char* why, Effects& effects) const;
  // machine.cc
  Status NoPart(const StoreId& store) const;
  void Expire(PhaseName phase, absl::Time now, Effects& effects);
  void Abort(Roster roster, AbortReason reason, std::string explanation, Effects& effects);
  void AbortFromAnyPhase(AbortReason reason, std::string explanation, Effects& effects);
  void MoveTo(Phase next);

  RoundId id_;
  RoundPolicy policy_;
  uint64_t seed_;
  absl::Time opened_at_;
  Phase phase_;
};

}  // namespace aisle

// The life of one round. Events and the time go in; what must now be done comes out, in order.
// Does no I/O, holds no locks, never reads a clock: RoundDriver does those on its behalf.
// Not thread-safe; it has one owner.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
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
struct DutyUpload {
  absl::Time deadline;
};
struct DutyWait {};
struct DutyDone {
  RoundOutcome outcome = RoundOutcome::kAborted;
  std::string reason;
};
struct NoDuty {};  // The round doesn't know the store.
using Duty = std::variant<NoDuty, DutyTrain, DutyUpload, DutyWait, DutyDone>;

class RoundMachine {
 public:
  // `seed` breaks ties between stores that served equally; written in the journal, like the policy and the time.
  RoundMachine(RoundId id, RoundPolicy policy, uint64_t seed, absl::Time opened_at);

  // The first effects of a round that has just opened: its deadline.
  Effects Open() const;

  // OK if the event may be given to Handle as things stand; else why the store's message is refused:
  //   NotFound: the store has no part in this round.
  //   FailedPrecondition: the round has moved on, or isn't there yet.
  //   InvalidArgument: digest or size isn't what it must be.
  // A store's mistake is answered to that store; only a fault of the whole round ends the round.
  Status Check(const Event& event) const;

  // A repeated event changes nothing. An event that Check refuses changes nothing either.
  Effects Handle(const Event& event, absl::Time now);

  Duty DutyOf(const StoreId& store) const;
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
  void BeginTraining(Roster roster, absl::Time now, Effects& effects);
  void OnOutcome(Training& training, const OutcomeReported& event, absl::Time now, Effects& effects);
  void CloseTraining(Training& training, absl::Time now, Effects& effects);
  // collecting.cc
  Status CheckUpdate(const UpdateCollected& event) const;
  void BeginCollecting(Roster roster, absl::Time now, Effects& effects);
  void OnCollected(Collecting& collecting, const UpdateCollected& event, Effects& effects);
  void CloseCollecting(Collecting& collecting, Effects& effects);
  // committing.cc
  void BeginCommitting(Roster roster, Effects& effects);
  void OnPublished(Committing& committing, const ModelPublished& event, Effects& effects);
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

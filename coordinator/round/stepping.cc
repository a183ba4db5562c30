// What all steps of the secure sum share: who may take one now, who owes one, and what it means if a store gives up on
// the way. The steps' own stories: advertising.cc, sharing.cc, collecting.cc, confirming.cc, unmasking.cc.
#include "base/overloaded.h"
#include "coordinator/round/machine.h"

namespace aisle {
namespace {

template <typename Value>
const Value* Find(const std::map<uint32_t, Value>& values, uint32_t position) {
  const auto found = values.find(position);
  return found == values.end() ? nullptr : &found->second;
}

}  // namespace

Status RoundMachine::CheckStep(const SumStepTaken& event) const {
  const Roster* roster = RosterOf(phase_);
  if (roster == nullptr || roster->Find(event.store) == nullptr) return NoPart(event.store);
  if (IsPast(event)) return OkStatus();
  return std::visit(Overloaded{[&](const Advert& advert) { return CheckAdvert(event, advert); },
                               [&](const DealtShares& dealt) { return CheckDealt(event, dealt); },
                               [&](const Confirmation& confirmation) { return CheckConfirmation(event, confirmation); },
                               [&](const RevealedShares& revealed) { return CheckRevealed(event, revealed); }},
                    event.report.message);
}

// A step that was taken before and is said again since the answer was lost, or a share more than were needed: it
// changes nothing.
bool RoundMachine::IsPast(const SumStepTaken& event) const {
  const secagg::Cohort* cohort = CohortOf(phase_);
  if (cohort == nullptr || cohort->terms().attempt != event.report.attempt) return false;
  const std::optional<uint32_t> position = cohort->PositionOf(event.store);
  if (!position) return false;
  return std::visit(
      Overloaded{[&](const Advert& advert) { return cohort->AdvertOf(*position) == advert; },
                 [&](const DealtShares& dealt) {  // The signature is over all of it, and what was sealed may be gone.
                   const DealtCohort* sum = SumOf(phase_);
                   const auto* known = sum == nullptr ? nullptr : Find(sum->dealt, *position);
                   return known != nullptr && known->signature == dealt.signature;
                 },
                 [&](const Confirmation& confirmation) {
                   const auto* unmasking = std::get_if<Unmasking>(&phase_);
                   const auto* known = unmasking == nullptr ? nullptr : Find(unmasking->confirmations, *position);
                   return known != nullptr && *known == confirmation;
                 },
                 [&](const RevealedShares&) {
                   const auto* committing = std::get_if<Committing>(&phase_);
                   return committing != nullptr &&
                          committing->transcript->statuses[*position] == MemberStatus::kSurvived;
                 }},
      event.report.message);
}

// A step of the present phase that the store has taken. Check let it through, so it says the same thing.
bool RoundMachine::IsKnown(const SumStepTaken& event) const {
  const auto said_by = [&](const DealtCohort& sum, const auto& said) {
    const std::optional<uint32_t> position = sum.cohort->PositionOf(event.store);
    return position && said.contains(*position);
  };
  return std::visit(
      Overloaded{[&](const Advertising& phase, const Advert&) { return phase.adverts.contains(event.store); },
                 [&](const Sharing& phase, const DealtShares&) { return said_by(phase.sum, phase.sum.dealt); },
                 [&](const Confirming& phase, const Confirmation&) { return said_by(phase.sum, phase.confirmations); },
                 [&](const Unmasking& phase, const RevealedShares&) { return said_by(phase.sum, phase.revealed); },
                 [](const auto&, const auto&) { return false; }},
      phase_, event.report.message);
}

std::optional<StepProgress> RoundMachine::Progress() const {
  using Maybe = std::optional<StepProgress>;
  return std::visit(
      Overloaded{[](const Advertising& phase) -> Maybe {
                   return StepProgress{.taken = phase.adverts.size(), .asked = phase.roster.Count<HoldsUpdate>()};
                 },
                 [](const Sharing& phase) -> Maybe {
                   return StepProgress{.taken = phase.sum.dealt.size(), .asked = phase.roster.Count<HoldsUpdate>()};
                 },
                 [](const Collecting& phase) -> Maybe {
                   if (!phase.sum) return std::nullopt;
                   const size_t gave = phase.roster.Count<GaveUpdate>();
                   return StepProgress{.taken = gave, .asked = gave + phase.roster.Count<HoldsUpdate>()};
                 },
                 [](const Confirming& phase) -> Maybe {
                   return StepProgress{.taken = phase.confirmations.size(), .asked = CountSurvivors(phase.statuses)};
                 },
                 [](const Unmasking& phase) -> Maybe {
                   return StepProgress{.taken = phase.revealed.size(), .asked = phase.confirmations.size()};
                 },
                 [](const auto&) -> Maybe { return std::nullopt; }},
      phase_);
}

bool RoundMachine::Owes(const StoreId& store) const {
  const auto* collecting = std::get_if<Collecting>(&phase_);
  if (collecting == nullptr) return OwesStep(store);
  const Seat* seat = collecting->roster.Find(store);
  return collecting->sum && seat != nullptr && std::holds_alternative<HoldsUpdate>(*seat);
}

Status RoundMachine::NotNow(const SumStepTaken& event) const {
  constexpr std::array<const char*, 4> kSteps = {"its keys", "the shares it dealt", "its confirmation",
                                                 "the shares it reveals"};
  static_assert(std::variant_size_v<SumMessage> == kSteps.size());
  return FailedPrecondition("round {} is {} and takes nothing of this kind from {} now: {} (attempt {})", id_,
                            NameOf(NameOfPhase(phase_)), event.store, kSteps[event.report.message.index()],
                            event.report.attempt);
}

StatusOr<uint32_t> RoundMachine::PositionIn(const DealtCohort& sum, const SumStepTaken& event) const {
  const std::optional<uint32_t> position = sum.cohort->PositionOf(event.store);
  if (!position || sum.cohort->terms().attempt != event.report.attempt) return NotNow(event);
  return *position;
}

void RoundMachine::OnStep(const SumStepTaken& event, absl::Time now, Effects& effects) {
  // What isn't of the present phase is a repeat of something past (Check let it through) and changes nothing.
  std::visit(
      Overloaded{
          [&](Advertising& phase, const Advert& advert) { OnAdvert(phase, event.store, advert, now, effects); },
          [&](Sharing& phase, const DealtShares& dealt) { OnDealt(phase, event.store, dealt, now, effects); },
          [&](Confirming& phase, const Confirmation& confirmation) {
            OnConfirmation(phase, event.store, confirmation, now, effects);
          },
          [&](Unmasking& phase, const RevealedShares& revealed) { OnRevealed(phase, event.store, revealed, effects); },
          [](auto&, const auto&) {}},
      phase_, event.report.message);
}

bool RoundMachine::OwesStep(const StoreId& store) const {
  const Roster* roster = RosterOf(phase_);
  const Seat* seat = roster == nullptr ? nullptr : roster->Find(store);
  if (seat == nullptr) return false;
  const bool holds = std::holds_alternative<HoldsUpdate>(*seat);
  const auto* gave = std::get_if<GaveUpdate>(seat);
  const bool survives = gave != nullptr && gave->left.empty();
  return std::visit(Overloaded{[&](const Advertising& phase) { return holds && !phase.adverts.contains(store); },
                               [&](const Sharing& phase) {
                                 return holds && !phase.sum.dealt.contains(*phase.sum.cohort->PositionOf(store));
                               },
                               [&](const Confirming& phase) {
                                 return survives && !phase.confirmations.contains(*phase.sum.cohort->PositionOf(store));
                               },
                               [&](const Unmasking& phase) {
                                 const uint32_t position = survives ? *phase.sum.cohort->PositionOf(store) : 0;
                                 return survives && phase.confirmations.contains(position) &&
                                        !phase.revealed.contains(position);
                               },
                               [](const auto&) { return false; }},
                    phase_);
}

Status RoundMachine::CheckLeaving(const StoreId& store, const Seat& seat, const TaskOutcome& outcome) const {
  if (std::holds_alternative<HoldsUpdate>(seat) || std::holds_alternative<GaveUpdate>(seat)) return OkStatus();
  const auto* refused = std::get_if<Refused>(&outcome);
  const auto* failed = std::get_if<Failed>(&outcome);
  const bool again = (refused != nullptr && seat == Seat(*refused)) || (failed != nullptr && seat == Seat(*failed));
  if (again) return OkStatus();  // Said before: nothing changes.
  return FailedPrecondition("round {} is {} and goes on without {}", id_, NameOf(NameOfPhase(phase_)), store);
}

void RoundMachine::OnLeaving(const OutcomeReported& event, absl::Time now, Effects& effects) {
  if (std::holds_alternative<Trained>(event.outcome)) return;
  auto& roster = const_cast<Roster&>(*RosterOf(phase_));
  const auto* refused = std::get_if<Refused>(&event.outcome);
  if (const auto* gave = std::get_if<GaveUpdate>(roster.Find(event.store))) {
    if (!gave->left.empty()) return;
    roster.Set(event.store, GaveUpdate{.update = gave->update, .left = DetailOf(event.outcome)});
  } else if (!std::holds_alternative<HoldsUpdate>(*roster.Find(event.store))) {
    return;
  } else {
    roster.Set(event.store, refused != nullptr ? Seat(*refused) : Seat(std::get<Failed>(event.outcome)));
  }
  std::visit(Overloaded{[&](Advertising& phase) { OnLeft(phase, event.store, now, effects); },
                        [&](Sharing& phase) { OnLeft(phase, event.store, now, effects); },
                        [&](Collecting& phase) { EndIfAllCollected(phase, now, effects); },
                        [&](Confirming& phase) { EndIfAllConfirmed(phase, now, effects); },
                        [&](Unmasking& phase) { EndIfEnoughRevealed(phase, effects); }, [](auto&) {}},
             phase_);
}

void RoundMachine::LeaveBehind(Roster& roster, const std::vector<StoreId>& silent, const char* why,
                               Effects& effects) const {
  for (const StoreId& store : silent) {
    roster.Set(store, LeftBehind{why});
    effects.push_back(Dismiss{.store = store, .outcome = RoundOutcome::kLeftOut, .reason = why});
  }
}

}  // namespace aisle

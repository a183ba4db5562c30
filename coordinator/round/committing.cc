// Committing begins when the survivors are fixed. It ends when one atomic write has published the model, charged the
// books and recorded this very event; or when the sum can't become a model at all.
#include "coordinator/round/machine.h"

namespace aisle {

void RoundMachine::BeginCommitting(Roster roster, std::shared_ptr<const secagg::Transcript> transcript,
                                   Effects& effects) {
  effects.push_back(ApplySum{.survivors = roster.StoresWith<GaveUpdate>(), .transcript = transcript});
  MoveTo(Committing{.roster = std::move(roster), .transcript = std::move(transcript)});
}

void RoundMachine::OnPublished(Committing& committing, const ModelPublished& event, Effects& effects) {
  Roster roster = std::move(committing.roster);
  for (const StoreId& store : roster.StoresWith<GaveUpdate>()) {
    effects.push_back(Dismiss{.store = store, .outcome = RoundOutcome::kCommitted, .reason = ""});
  }
  MoveTo(Committed{.roster = std::move(roster), .model_version = event.model_version});
  effects.push_back(CloseRound{});
}

}  // namespace aisle

// What must now be done, in order. The driver does it after the event is durable; a restart replays events, not
// effects.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <variant>
#include <vector>

#include "base/fleet.h"
#include "coordinator/round/phase.h"

namespace aisle {

struct SetDeadline {  // Post DeadlinePassed{phase} at this time.
  PhaseName phase = PhaseName::kSelecting;
  absl::Time at;
};
struct AskToTrain {
  StoreId store;
};
struct CallForUpdate {
  StoreId store;
};
struct Release {  // The store wasn't needed: it may serve another round.
  StoreId store;
};
struct Dismiss {  // The store's part in the round is over.
  StoreId store;
  RoundOutcome outcome = RoundOutcome::kAborted;
  std::string reason;
};
struct FoldUpdate {
  StoreId store;
  BlobName update;
};
struct ApplySum {  // Turn the survivors' sum into a model, publish it, and report ModelPublished in the same write.
  std::vector<StoreId> survivors;
};
struct CloseRound {  // Record how it ended and drop its spool.
};

using Effect = std::variant<SetDeadline, AskToTrain, CallForUpdate, Release, Dismiss, FoldUpdate, ApplySum, CloseRound>;
using Effects = std::vector<Effect>;

}  // namespace aisle

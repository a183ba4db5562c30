// What must now be done, in order. The driver does it after the event is durable; a restart replays events, not
// effects.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/fleet.h"
#include "coordinator/round/phase.h"
#include "privacy/secagg/unmask.h"

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
struct CallForStep {  // The store's next step of the secure sum is due.
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
  std::shared_ptr<const secagg::Transcript> transcript = {};  // What takes the masks off; null without the secure sum.
};
struct Distrust {  // The store spoilt a sum: later rounds do without it.
  StoreId store;
  std::string why;
};
struct CloseRound {  // Record how it ended and drop its spool.
};

using Effect = std::variant<SetDeadline, AskToTrain, CallForStep, CallForUpdate, Release, Dismiss, FoldUpdate, ApplySum,
                            Distrust, CloseRound>;
using Effects = std::vector<Effect>;

}  // namespace aisle

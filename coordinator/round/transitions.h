// The moves between phases that exist, in one table. A test draws it and compares it with docs/architecture.md.
#pragma once

#include <array>

#include "coordinator/round/phase.h"

namespace aisle {

struct Transition {
  PhaseName from;
  PhaseName to;
  const char* when;
};

inline constexpr std::array kTransitions = {
    Transition{PhaseName::kSelecting, PhaseName::kTraining, "enough stores offered themselves"},
    Transition{PhaseName::kSelecting, PhaseName::kAborted, "too few stores by the deadline, or cancelled"},
    Transition{PhaseName::kTraining, PhaseName::kCollecting, "enough stores have trained"},
    Transition{PhaseName::kTraining, PhaseName::kAborted, "too few can still train, or cancelled"},
    Transition{PhaseName::kCollecting, PhaseName::kCommitting, "enough updates are in"},
    Transition{PhaseName::kCollecting, PhaseName::kAborted, "too few updates by the deadline, or cancelled"},
    Transition{PhaseName::kCommitting, PhaseName::kCommitted, "the model is published"},
    Transition{PhaseName::kCommitting, PhaseName::kAborted, "the sum gives no model"},
};

bool IsAllowed(PhaseName from, PhaseName to);

}  // namespace aisle

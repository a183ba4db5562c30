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
    Transition{PhaseName::kTraining, PhaseName::kAdvertising, "enough stores have trained"},
    Transition{PhaseName::kTraining, PhaseName::kCollecting, "the same, without the secure sum"},
    Transition{PhaseName::kTraining, PhaseName::kAborted, "too few can still train, or cancelled"},
    Transition{PhaseName::kAdvertising, PhaseName::kSharing, "enough stores have shown their keys"},
    Transition{PhaseName::kAdvertising, PhaseName::kAborted, "too few showed keys, or cancelled"},
    Transition{PhaseName::kSharing, PhaseName::kCollecting, "enough stores have dealt shares"},
    Transition{PhaseName::kSharing, PhaseName::kAdvertising,
               "too many fell silent, a cohort is formed anew without them"},
    Transition{PhaseName::kSharing, PhaseName::kAborted, "too few dealt shares, or cancelled"},
    Transition{PhaseName::kCollecting, PhaseName::kConfirming, "enough masked updates are in"},
    Transition{PhaseName::kCollecting, PhaseName::kCommitting, "enough updates are in, without the secure sum"},
    Transition{PhaseName::kCollecting, PhaseName::kAborted, "too few updates by the deadline, or cancelled"},
    Transition{PhaseName::kConfirming, PhaseName::kUnmasking, "enough survivors have signed who survived"},
    Transition{PhaseName::kConfirming, PhaseName::kAborted, "too few signed, or cancelled"},
    Transition{PhaseName::kUnmasking, PhaseName::kCommitting, "enough shares of every secret are here"},
    Transition{PhaseName::kUnmasking, PhaseName::kAborted, "too few shares by the deadline, or cancelled"},
    Transition{PhaseName::kCommitting, PhaseName::kCommitted, "the model is published"},
    Transition{PhaseName::kCommitting, PhaseName::kAborted, "the sum gives no model"},
};

bool IsAllowed(PhaseName from, PhaseName to);

}  // namespace aisle

// Reads a compiled program before any of it runs.
#pragma once

#include <set>
#include <string>

#include "base/status.h"

namespace torch::jit {
struct Module;
}

namespace aisle {

// The four methods every plan has.
inline constexpr const char* kPrepare = "prepare";
inline constexpr const char* kLoss = "loss";
inline constexpr const char* kMetrics = "metrics";
inline constexpr const char* kPredict = "predict";

// Checks that the four methods are there with the right types, then walks each one's graph and whatever it
// calls, down to the last block. Returns the operators it uses. PlanInvalid lists every operator that isn't allowed,
// with its line; batch normalisation is allowed only where it provably doesn't look at the batch (training=False,
// written out).
StatusOr<std::set<std::string>> CheckProgram(const torch::jit::Module& module);

// Whether a checked program provably carries nothing from one call to the next: its loss and metrics write into no
// parameter or buffer, as far as alias analysis can tell, and nothing in it draws random numbers. Only then may several
// customers be worked on in one call; otherwise each gets a call, a seed and a clean state of its own.
bool KeepsUnitsApart(const torch::jit::Module& module, const std::set<std::string>& operators);

}  // namespace aisle

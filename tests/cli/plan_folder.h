// A small plan that is whole, for tests.
#pragma once

#include <string>

namespace aisle::cli {

// Writes FOLDER/plan.toml and FOLDER/tiny.py; `noise` is the contract's noise multiplier, 0 for the unit none.
void WriteTinyPlan(const std::string& folder, double noise = 1.5);

}  // namespace aisle::cli

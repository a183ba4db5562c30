// What a plan promises about privacy, in public numbers that stores and HQ read alike. The store checks the contract
// against its own site policy and is the only one who can spend under it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace aisle {

// What one clipped vector stands for, hence what every epsilon of the plan is an epsilon of.
enum class PrivacyUnit : uint8_t {
  kNone = 1,      // No guarantee. Must be written out in the plan and allowed by the site policy.
  kStore = 2,     // All data of one store: for data that holds no person.
  kCustomer = 3,  // One customer of a store. Parsed, and refused where a task would run: see CheckSupported.
};

std::string_view ToString(PrivacyUnit unit);  // "none", "store", "customer"
StatusOr<PrivacyUnit> ParsePrivacyUnit(std::string_view text);

struct PrivacyContract {
  PrivacyUnit unit = PrivacyUnit::kStore;
  double clip_norm = 1.0;         // C: the L2 bound of one update, in units of the parameters. In [1e-6, 1e6].
  double noise_multiplier = 0.0;  // z_store: each store's noise has std z * C. In [0.001, 256]; exactly 0 for kNone.
  double delta = 1e-6;            // Of every epsilon stated, in [1e-12, 0.01]. Ignored for kNone.
  uint32_t rounds_max = 1;        // A store takes part in at most so many. In [1, 1'000'000].
  uint32_t cohort_min = 1;        // Fewer updates than this are never summed. In [1, cohort_target].
  uint32_t cohort_target = 1;     // The divisor of the sum. In [1, 1'000'000].
  double metric_share = 0.1;      // s: the part of C that metrics may use. In [0, 0.9]; 0 if there are none.

  bool operator==(const PrivacyContract&) const = default;
};

// InvalidArgument listing every mistake at once, each with its range.
Status Validate(const PrivacyContract& contract);

// Unimplemented for a unit this release can't honour (kCustomer). Asked wherever a task would run.
Status CheckSupported(PrivacyUnit unit);

}  // namespace aisle

// What a plan promises about privacy, in public numbers that stores and HQ read alike. The store checks the contract
// against its own site policy and is the only one who can spend under it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"

namespace aisle {

// What one clipped vector stands for, hence what every epsilon of the plan is an epsilon of.
enum class PrivacyUnit : uint8_t {
  kNone = 1,      // No guarantee. Must be written out in the plan and allowed by the site policy.
  kStore = 2,     // All data of one store: for data that holds no person.
  kCustomer = 3,  // One customer of a store: all rows of a loyalty account or household.
};

std::string_view ToString(PrivacyUnit unit);  // "none", "store", "customer"
StatusOr<PrivacyUnit> ParsePrivacyUnit(std::string_view text);

// How the promise is kept: what is clipped, and where the noise goes.
enum class PrivacyMode : uint8_t {
  kNone = 1,      // Nothing is promised.
  kStore = 2,     // The store's whole update is clipped and noised.
  kCustomer = 3,  // Each sampled customer's vector is clipped; their sum is noised once a round.
  kLocalSgd = 4,  // DP-SGD in the store (Abadi et al. 2016): as kCustomer, at every one of `steps` local steps.
};

std::string_view ToString(PrivacyMode mode);  // "none", "store", "customer", "local-sgd"
StatusOr<PrivacyMode> ParsePrivacyMode(std::string_view text);

// The clipping norm follows a quantile of the units' norms (Andrew, Thakkar, McMahan, Ramaswamy 2021, "Differentially
// Private Learning with Adaptive Clipping", algorithm 1): after each round C *= exp(-learning_rate * (share of units
// whose norm was within C - quantile). The share rides in the noised vector, in a slot of its own.
struct AdaptiveClip {
  double quantile = 0.5;       // In [0.01, 0.99].
  double learning_rate = 0.2;  // In (0, 1].
  bool operator==(const AdaptiveClip&) const = default;
};

struct PrivacyContract {
  PrivacyMode mode = PrivacyMode::kStore;
  double clip_norm = 1.0;         // C: the L2 bound of one unit's vector, in units of the parameters. In [1e-6, 1e6].
  double noise_multiplier = 0.0;  // z_store: each store's noise has std z * C. In [0.001, 256]; exactly 0 for kNone.
  double delta = 1e-6;            // Of every epsilon stated, in [1e-12, 0.01]. Ignored for kNone.
  uint32_t rounds_max = 1;        // A store takes part in at most so many. In [1, 1'000'000].
  uint32_t cohort_min = 1;        // Fewer updates than this are never summed. In [1, cohort_target].
  uint32_t cohort_target = 1;     // In [1, 1'000'000].
  double metric_share = 0.1;      // s: the part of C that metrics may use. In [0, 0.9]; 0 if there are none.

  // The unit customer only.
  double sampling_rate = 1;                  // q: every customer is drawn independently and secretly. In (0, 1].
  uint32_t customers_per_store = 0;          // A public planning number, never counted. In [1, 100'000'000].
  uint32_t examples_per_customer_max = 256;  // A customer's further examples are left out. In [1, 1'000'000].
  uint32_t steps = 1;                        // kLocalSgd: noised steps in a round, in [1, 100'000]; else 1.
  double update_norm_max = 0;  // kLocalSgd: the finished update is clipped to it, for headroom only. In [1e-6, 1e6].

  std::optional<AdaptiveClip> adaptive_clip;  // kStore and kCustomer.

  // Headquarters sees the sum of a cohort only (privacy/secagg). Turning it off needs the site policy's consent.
  bool secure_sum = false;          // A plan that doesn't say has it on. Needs a cohort_min of at least 3.
  uint32_t corrupt_permille = 50;   // Stores assumed to collude with headquarters, of a thousand. In [0, 300].
  uint32_t dropout_permille = 100;  // Stores that may vanish while the sum is made, of a thousand. In [0, 300].

  bool operator==(const PrivacyContract&) const = default;

  PrivacyUnit unit() const;
  // Customers that all stores of a full cohort plan with: N_plan.
  double customers_planned() const { return static_cast<double>(customers_per_store) * cohort_target; }
  // The sum of a round is divided by this public constant, never by a realised count: q * N_plan for kCustomer, the
  // cohort target otherwise.
  double divisor() const;
  // Stores whose noise is surely in the only sum that anybody else sees: the honest ones of the smallest cohort under
  // the secure sum, one colluder counted at least; 1 without it, and for kLocalSgd, whose noise isn't added up.
  uint32_t honest_stores_min() const;
  // The L2 bound of what one store adds to the sum, where it is one vector: C, or update_norm_max for kLocalSgd.
  double vector_norm() const { return mode == PrivacyMode::kLocalSgd ? update_norm_max : clip_norm; }
};

// InvalidArgument listing every mistake at once, each with its range.
Status Validate(const PrivacyContract& contract);

}  // namespace aisle

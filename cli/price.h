// What a plan costs in privacy, as `aisle privacy price`, `aisle plan price` and `aisle job submit` tell it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/status.h"
#include "plans/plan.h"
#include "privacy/accounting/price.h"

namespace aisle::cli {

struct FleetPrice {
  uint32_t stores = 0;  // In each round's sum.
  Price price;
  double noise = 0;  // Std in each coordinate of the mean, in units of the parameters.
};

struct PlanPrice {
  std::string plan;
  PrivacyContract contract;
  uint32_t rounds = 0;
  std::vector<FleetPrice> fleets;  // Empty for the mode none, which promises nothing.
  FleetPrice smallest;             // With no more stores than the plan's smallest cohort.
  Price in_ledgers;                // As stores are charged: with no more noise than surely is in what others see.
};

// After `rounds` rounds (0: all that the contract allows), for every number of `stores`. InvalidArgument if the
// contract doesn't allow so many.
StatusOr<PlanPrice> PriceOfPlan(const Plan& plan, uint32_t rounds, const std::vector<uint32_t>& stores);

// "mode customer, unit customer".
std::string ModeText(const PrivacyContract& contract);
std::string PriceText(const PlanPrice& price);  // Several lines, for people.
std::string PriceLine(const PlanPrice& price);  // Of the first fleet, in one line.
nlohmann::ordered_json PriceJson(const PlanPrice& price);

// The plan of a plan file, or of a plan's folder or plan.toml, of which only plan.toml is read.
StatusOr<Plan> ReadPlan(const std::string& path);

}  // namespace aisle::cli

// A plan for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/plan_file.h"
#include "cli/table.h"
#include "privacy/accounting/price.h"

namespace aisle::cli {

std::string ShapeText(const std::vector<int64_t>& shape);  // "[64, 40]".
std::string SignatureText(const PlanFile& file);           // "by key 0123456789ab", "none", "does not verify".

StatusOr<Facts> DescribePlan(const PlanFile& file);
StatusOr<Table> DescribePlanTables(const PlanFile& file);
StatusOr<Table> DescribePlanTensors(const PlanFile& file);
StatusOr<nlohmann::ordered_json> PlanJson(const PlanFile& file);

}  // namespace aisle::cli

#include "coordinator/jobs/job_queue.h"

#include <algorithm>
#include <tuple>

namespace aisle {

bool CouldServe(const Opening& opening, const CheckIn& check_in) {
  const auto keeps = [&](const std::string& table) {
    return std::ranges::any_of(check_in.tables, [&](const TableName& kept) { return kept.str() == table; });
  };
  if (opening.secure_sum && check_in.protocol_minor < kSecureSumMinor) return false;
  return std::ranges::find(check_in.declined_plans, opening.plan) == check_in.declined_plans.end() &&
         std::ranges::all_of(opening.tables, keeps);
}

std::optional<size_t> Choose(std::span<const Opening> openings, const CheckIn& check_in) {
  const auto rank = [](const Opening& opening) {
    return std::make_tuple(UINT32_MAX - opening.priority, opening.stores_served, opening.job);
  };
  std::optional<size_t> best;
  for (size_t i = 0; i < openings.size(); ++i) {
    if (!CouldServe(openings[i], check_in)) continue;
    if (!best || rank(openings[i]) < rank(openings[*best])) best = i;
  }
  return best;
}

}  // namespace aisle

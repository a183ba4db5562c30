#include "coordinator/round/sum.h"

#include <algorithm>
#include <iterator>

namespace aisle {

std::vector<StoreId> WithTooFewNeighbours(const DealtCohort& sum, const std::vector<bool>& among) {
  std::vector<StoreId> lonely;
  for (const uint32_t position : sum.cohort->WithTooFewNeighbours(FlagsOf(sum, sum.dealt), among)) {
    lonely.push_back(sum.cohort->StoreAt(position));
  }
  return lonely;
}

std::vector<MemberStatus> StatusesOf(const DealtCohort& sum, const Roster& roster) {
  std::vector<MemberStatus> statuses(sum.cohort->size(), MemberStatus::kAbsent);
  for (const auto& [position, dealt] : sum.dealt) {
    const Seat* seat = roster.Find(sum.cohort->StoreAt(position));
    const bool gave = seat != nullptr && std::holds_alternative<GaveUpdate>(*seat);
    statuses[position] = gave ? MemberStatus::kSurvived : MemberStatus::kDropped;
  }
  return statuses;
}

size_t CountSurvivors(const std::vector<MemberStatus>& statuses) {
  return static_cast<size_t>(std::ranges::count(statuses, MemberStatus::kSurvived));
}

size_t CountLeft(const Roster& roster) {
  return static_cast<size_t>(std::ranges::count_if(roster.seats(), [](const auto& taken) {
    const auto* gave = std::get_if<GaveUpdate>(&taken.second);
    return gave != nullptr && !gave->left.empty();
  }));
}

std::vector<StoreId> GoneFrom(const Roster& roster) {
  std::vector<StoreId> gone = roster.StoresWith<Refused>();
  std::ranges::copy(roster.StoresWith<Failed>(), std::back_inserter(gone));
  std::ranges::sort(gone);
  return gone;
}

std::string NamesOf(const std::vector<StoreId>& stores) {
  if (stores.empty()) return "nobody";
  if (stores.size() == 1) return stores[0].str();
  if (stores.size() == 2) return fmt::format("{} and {}", stores[0], stores[1]);
  return fmt::format("{} and {} others", stores[0], stores.size() - 1);
}

}  // namespace aisle

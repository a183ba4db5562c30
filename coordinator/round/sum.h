// What a round knows of its secure sum once the cohort is formed (Bell et al. 2020): who is in it, who dealt, who
// survived. Values that phases hand on to each other; the protocol itself is privacy/secagg.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/secure_sum.h"
#include "coordinator/round/roster.h"
#include "privacy/secagg/cohort.h"

namespace aisle {

// A cohort and what its stores have dealt to each other so far.
struct DealtCohort {
  std::shared_ptr<const secagg::Cohort> cohort;      // Never null.
  std::map<uint32_t, DealtShares> dealt;             // By position.
  bool operator==(const DealtCohort& other) const {  // The root commits to all that a cohort is.
    return cohort->root() == other.cohort->root() && cohort->terms() == other.cohort->terms() && dealt == other.dealt;
  }
};

// Those that dealt and have fewer neighbours than the threshold among `among` (a flag by position). Nobody: every
// secret can be rebuilt by these.
std::vector<StoreId> WithTooFewNeighbours(const DealtCohort& sum, const std::vector<bool>& among);
// Flags by position of a map's keys.
template <typename Value>
std::vector<bool> FlagsOf(const DealtCohort& sum, const std::map<uint32_t, Value>& of) {
  std::vector<bool> flags(sum.cohort->size());
  for (const auto& [position, value] : of) flags[position] = true;
  return flags;
}

// By position: who dealt, and whose vector is here (the seats with GaveUpdate).
std::vector<MemberStatus> StatusesOf(const DealtCohort& sum, const Roster& roster);

size_t CountSurvivors(const std::vector<MemberStatus>& statuses);

// Whose vectors are here and who left the sum afterwards.
size_t CountLeft(const Roster& roster);
// Those that refused or failed.
std::vector<StoreId> GoneFrom(const Roster& roster);

// "leeds-01", "leeds-01 and york-02", "leeds-01 and 4 others"; "nobody" of none.
std::string NamesOf(const std::vector<StoreId>& stores);

}  // namespace aisle

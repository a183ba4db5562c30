// Rosters as a lying headquarters makes them: over any adverts at all, well signed, with the proofs and neighbours that
// follow. For cohorts of at most 32, where all are neighbours.
#pragma once

#include <vector>

#include "base/secure_sum.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::secagg {

std::vector<Advert> AdvertsOf(const PlayedCohort& played);  // By position.
void Resign(Advert& advert);                                // With the key of its certificate.
void Resign(RosterHead& head);                              // With headquarters'.

ShareInstruction ForgedRoster(const PlayedCohort& played, const std::vector<Advert>& adverts, uint32_t own);

}  // namespace aisle::secagg

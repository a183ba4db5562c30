// The last step at headquarters: from the shares that stores revealed to the masks that are left in the sum, and out of
// it with them (Bonawitz et al. 2017, section 4; Bell et al. 2020, algorithm 4, last round).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/secure_sum.h"
#include "base/status.h"
#include "privacy/secagg/cohort.h"
#include "privacy/secagg/mask.h"

namespace aisle::secagg {

// What a cohort said, by position. Everything in it passed the checks of cohort.h.
struct Transcript {
  std::shared_ptr<const Cohort> cohort;
  std::map<uint32_t, DealtShares> dealt;
  std::vector<MemberStatus> statuses;  // Of all.
  std::map<uint32_t, RevealedShares> revealed;
};

// Positions that dealt and of whose secret, the one their status calls for, `revealed` holds fewer shares than the
// threshold; ascending. Nobody: Reconstruct will not lack shares.
std::vector<uint32_t> StillHidden(const Transcript& transcript);

// The masks in the sum of the survivors' masked vectors: each survivor's own, and those that survivors share with
// drop-outs. (Those of two survivors cancelled.) Secret until the sum is out: a survivor's own mask is all that would
// be missing from its vector to somebody who had its pairs' as well. Const methods are thread-safe.
class RecoveredMasks {
 public:
  // Subtracts the masks' coordinates [first_coordinate, first_coordinate + sum.size()) from that piece of the sum. Any
  // pieces, each coordinate once; different pieces from different threads.
  void RemoveFrom(uint64_t first_coordinate, std::span<uint32_t> sum) const;

  // The two parts of that.
  std::span<const Mask> self_masks() const { return self_masks_; }
  std::span<const Mask> dropout_masks() const { return dropout_masks_; }

 private:
  friend StatusOr<RecoveredMasks> Reconstruct(const Transcript& transcript);
  std::vector<Mask> self_masks_;     // To be subtracted.
  std::vector<Mask> dropout_masks_;  // With the signs that take them out.
};

// Stores that dealt shares which each are as committed but don't make the secret that was committed to: what they
// signed proves it. Of those whose secrets enough shares came of.
std::vector<StoreId> WrongDealers(const Transcript& transcript);

// Where more shares came than the threshold and some are wrong, the right ones are looked for: 256 choices of them find
// them for certain (2^-29) if two of 23 are wrong and it takes 16.
// FailedPrecondition: too few shares, naming of whom. DataLoss: shares that each are as committed but don't make the
// secret that was committed to; the stores that dealt them are named. Takes some 40 µs for each pair of a drop-out and
// a survivor.
StatusOr<RecoveredMasks> Reconstruct(const Transcript& transcript);

}  // namespace aisle::secagg

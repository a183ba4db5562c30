// A store in one cohort of the secure sum: what it says at each step, and everything it refuses (Bell et al. 2020,
// algorithm 4, with Merkle roster and signed survivors; Bonawitz et al. 2017, figure 4). docs/secure-sum.md has the
// whole story. Headquarters is the adversary here: an instruction is believed only as far as it is proven.
//
// A value. Each step may change it; the caller makes Encode() durable before it sends what the step returned. From then
// on, whatever headquarters asks and however often the store restarts, the store never says a second thing at that
// step: the same instruction gives the same message, byte for byte, any other is refused. A refusal changes nothing.
//
//   Join -> Share -> Take -> Mask -> Confirm -> Reveal
//   member.cc  member_sharing.cc  member_masking.cc  member_confirming.cc  member_revealing.cc
//
// Does no I/O. Not thread-safe, not even the const methods; it has one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "base/secure_sum.h"
#include "base/status.h"
#include "privacy/secagg/answer.h"
#include "privacy/secagg/mask.h"
#include "privacy/secagg/member_state.h"
#include "privacy/secagg/trust.h"

namespace aisle::secagg {

class Member {
 public:
  // Step 1: draws the cohort's secret, from which all else follows, and signs the advert. `terms` are the store's own,
  // from its own plan; only the attempt is headquarters'. `cohort_min` is the larger of the plan's and of the site
  // policy's. Errors: InvalidArgument for terms out of range, and whatever `sign` returns.
  static StatusOr<Member> Join(CohortTerms terms, uint32_t cohort_min, StoreId self, const Credentials& credentials,
                               RandomSource& random);

  // What a restart goes on from. DataLoss if the bytes are damaged or contradict themselves.
  static StatusOr<Member> Decode(std::string_view bytes);
  // Holds secrets: to be kept as the store's keys are.
  SecretBytes Encode() const;

  const CohortTerms& terms() const { return state_.terms; }
  const StoreId& self() const { return state_.self; }
  const Advert& advert() const { return state_.advert; }
  MemberStep step() const { return state_.step(); }
  // The inbox is pinned: the masked vector may have left, and the vector under it is this cohort's for ever.
  bool masked() const { return state_.inbox.has_value(); }

  // Whether the store may join this attempt of the round instead, with the same vector: kVectorSpent once masked(),
  // kCohortReplayed for an attempt before its own. Nothing for its own attempt, which is no change, and for later ones.
  std::optional<Refused> RefusesAttempt(uint32_t attempt) const;

  // Step 2: checks the roster and its neighbours, pins the roster, and deals shares of its two secrets.
  // Refuses: kCohortReplayed, kTermsDiffer, kRosterForged, kCohortTooSmall, kNotInRoster, kNeighboursForged,
  // kNeighbourUnproven, kDuplicateKeys. An error is that of `sign`; nothing has changed then.
  StatusOr<Answer<DealtShares>> Share(const ShareInstruction& instruction, const Credentials& credentials,
                                      const Trust& trust);

  // Step 3: opens what neighbours dealt and pins it. Fewer than the threshold aren't taken: so few masks between stores
  // might all be known to headquarters. A dealer of wrong shares is masked with like the others, and nothing of it will
  // be revealed. Refuses: kCohortReplayed, kNeighboursForged, kCohortTooSmall, kShareWrong (naming a dealer) if fewer
  // than the threshold dealt right ones.
  std::optional<Refused> Take(const SharesInbox& inbox);
  std::vector<StoreId> WrongDealers() const;  // After Take.

  // Adds this store's masks to coordinates [first_coordinate, first_coordinate + values.size()) of its vector, which
  // must lie within terms().length. Each coordinate once, in any pieces. After Take, else it is our bug. Works out the
  // keys of all masks when first called: some 40 µs for each neighbour.
  void Mask(uint64_t first_coordinate, std::span<uint32_t> values) const;

  // Step 4: checks who is said to have survived, pins it, and signs it. Its masked vector is uploaded by then.
  // Refuses: kCohortReplayed, kSurvivorsForged, kSurvivorsTooFew, kSecondSurvivors, kOtherShareKind. An error is that
  // of `sign`; nothing has changed then.
  StatusOr<Answer<Confirmation>> Confirm(const ConfirmInstruction& instruction, const Credentials& credentials);

  // Step 5: once enough neighbours have signed the same survivors, one share of one secret of each neighbour.
  // Refuses: kCohortReplayed, kSecondSurvivors, kUnconfirmed.
  Answer<RevealedShares> Reveal(const UnmaskInstruction& instruction, const Trust& trust);

 private:
  explicit Member(MemberState state) : state_(std::move(state)) {}

  std::optional<Refused> IsForeign(const RoundId& round, uint32_t attempt) const;
  // All but the signature. `opening` gets the neighbours' (Neighbour::opening), in their order.
  StatusOr<DealtShares> Deal(const PinnedRoster& roster, std::vector<SecretBytes>& opening) const;

  MemberState state_;
  mutable std::vector<secagg::Mask> masks_;  // Made when first needed.
};

}  // namespace aisle::secagg

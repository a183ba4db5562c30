// One cohort of the secure sum as headquarters sees it: who is in it, who is whose neighbour, and whether what a store
// says has the right form. It holds no secret. The stores believe none of this; they check it (member.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/secure_sum.h"
#include "base/status.h"
#include "privacy/secagg/graph.h"
#include "privacy/secagg/merkle.h"
#include "privacy/secagg/parameters.h"
#include "privacy/secagg/statements.h"
#include "privacy/secagg/trust.h"

namespace aisle::secagg {

// Immutable, so safe to share between threads. Positions are below size(), else it is our bug. The same terms and
// adverts make the same cohort, so a restart can make it again.
class Cohort {
 public:
  // The adverts' signatures are taken as verified (VerifyAdvert).
  // InvalidArgument: an advert under another store's name or with other terms; or stores, named, that share a key.
  // FailedPrecondition: fewer stores than the terms' cohort_min, more than kCohortSizeMax, or no graph of at most
  // kNeighboursMax neighbours keeps the promise (FindParameters).
  static StatusOr<Cohort> Make(CohortTerms terms, std::map<StoreId, Advert> adverts);

  uint32_t size() const { return static_cast<uint32_t>(adverts_.size()); }
  const CohortTerms& terms() const { return terms_; }
  const CohortName& name() const { return name_; }
  const Digest& root() const { return name_.root; }
  SumParameters parameters() const { return parameters_; }
  std::optional<uint32_t> PositionOf(const StoreId& store) const;
  const Advert& AdvertOf(uint32_t position) const;
  const StoreId& StoreAt(uint32_t position) const { return AdvertOf(position).store; }
  std::vector<uint32_t> NeighboursOf(uint32_t position) const { return graph_.NeighboursOf(position); }

  // Those of `of` that have fewer than threshold() neighbours among `among`, ascending: nobody, if a phase may go on.
  // Both have a flag for each position.
  std::vector<uint32_t> WithTooFewNeighbours(const std::vector<bool>& of, const std::vector<bool>& among) const;

  // Step 2. The head has neither certificate nor signature; what is signed is RosterStatement(name()), with
  // kRosterDomain. `certificate_pem` and `signature` are the coordinator's to fill in.
  RosterHead UnsignedHead() const;
  RosterEntry EntryOf(uint32_t position) const;

  // Whether shares are dealt to exactly the dealer's neighbours, in the right sizes: else InvalidArgument.
  Status CheckDealt(uint32_t from, const DealtShares& dealt) const;

  // Step 3. What the neighbours that dealt have for this store. All of `dealt` passed CheckDealt.
  SharesInbox InboxOf(uint32_t position, const std::map<uint32_t, DealtShares>& dealt) const;

  // Step 5. The confirmations of this store's neighbours.
  std::vector<NeighbourConfirmation> ConfirmationsFor(uint32_t position,
                                                      const std::map<uint32_t, Confirmation>& confirmed) const;

  // Whether these are the shares that this store owes: of its neighbours that dealt, each of the kind that its status
  // calls for, each what its dealer committed to. Else InvalidArgument. Those are left out whose dealer, the store
  // says, dealt it none that is right. `statuses` has size() entries.
  Status CheckRevealed(uint32_t from, const std::vector<MemberStatus>& statuses,
                       const std::map<uint32_t, DealtShares>& dealt, const RevealedShares& revealed) const;
  // Dealers whose shares neighbours that revealed have left out, with how many of these there are.
  std::map<uint32_t, uint32_t> WithoutSharesOf(const std::map<uint32_t, DealtShares>& dealt,
                                               const std::map<uint32_t, RevealedShares>& revealed) const;
  // More colluders than this aren't among any honest store's neighbours, as far as the parameters promise.
  uint32_t colluding_neighbours_max() const { return 2 * parameters_.threshold - parameters_.degree - 1; }

 private:
  Cohort(CohortTerms terms, CohortName name, SumParameters parameters, std::vector<Advert> adverts, MerkleTree tree,
         NeighbourGraph graph);

  CohortTerms terms_;
  CohortName name_;
  SumParameters parameters_;
  std::vector<Advert> adverts_;  // By position: ascending store ids.
  MerkleTree tree_;
  NeighbourGraph graph_;
};

// Whether the store said that itself: at headquarters' door, before anything is written down. Unauthenticated, or
// whatever `trust` returns. The form of `dealt` is checked as well (CheckDealt).
Status VerifyAdvert(const Advert& advert, const Trust& trust);
Status VerifyDealt(const Cohort& cohort, uint32_t from, const DealtShares& dealt, const Trust& trust);
// InvalidArgument if it confirms other survivors than `survivors`.
Status VerifyConfirmation(const Cohort& cohort, uint32_t from, const Digest& survivors,
                          const Confirmation& confirmation, const Trust& trust);

}  // namespace aisle::secagg

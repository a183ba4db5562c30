#include "tests/secagg/forged_roster.h"

#include "privacy/secagg/merkle.h"
#include "tests/secagg/mac_chain.h"

namespace aisle::secagg {

std::vector<Advert> AdvertsOf(const PlayedCohort& played) {
  std::vector<Advert> adverts;
  for (uint32_t position = 0; position < played.cohort().size(); ++position) {
    adverts.push_back(played.cohort().AdvertOf(position));
  }
  return adverts;
}

void Resign(Advert& advert) {
  advert.signature = SignAs(advert.certificate_pem, kAdvertDomain, AdvertStatement(advert));
}

void Resign(RosterHead& head) {
  head.certificate_pem = kHeadquartersCertificate;
  head.signature = SignAs(kHeadquartersCertificate, kRosterDomain, RosterStatement(NameOf(head)));
}

ShareInstruction ForgedRoster(const PlayedCohort& played, const std::vector<Advert>& adverts, uint32_t own) {
  std::vector<Digest> leaves;
  for (const Advert& advert : adverts) leaves.push_back(LeafOf(advert));
  const MerkleTree tree(leaves);
  const auto entry = [&](uint32_t position) {
    return RosterEntry{.position = position, .advert = adverts[position], .proof = tree.ProofOf(position)};
  };
  ShareInstruction instruction = played.ShareFor(own);
  instruction.roster.root = tree.root();
  instruction.roster.size = tree.size();
  Resign(instruction.roster);
  instruction.own = entry(own);
  instruction.neighbours.clear();
  for (uint32_t position = 0; position < tree.size(); ++position) {
    if (position != own) instruction.neighbours.push_back(entry(position));
  }
  return instruction;
}

}  // namespace aisle::secagg

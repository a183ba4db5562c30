// What the store has come to in the cohort of a round's sum, on the disk: one small file for each round that has a
// finished vector, replaced whole at each step. Whatever leaves the store follows from a file that is durable, so a
// restart at any instant says the same as before, and never more.
//
//   FOLDER/<job>-<round>.cohort    (0600) the digest of the vector, the key that signs for the cohort, and their
//                                  checksum; then the member's state, which has its own
//
// The key is the one of the advert's certificate, and stays when the store's certificate is renewed in between.
#pragma once

#include <optional>
#include <string>

#include "base/digest.h"
#include "base/identity/key_pair.h"
#include "base/ids.h"
#include "base/status.h"
#include "privacy/secagg/member.h"

namespace aisle {

struct KeptCohort {
  Digest update;  // The vector that this cohort is for; another has nothing to do with it.
  KeyPair key;    // Of the member's certificate.
  secagg::Member member;
};

// One thread at a time.
class CohortFiles {
 public:
  static StatusOr<CohortFiles> Open(std::string folder);

  // Nullopt if there is none. DataLoss if it is damaged: what the store has said in that cohort is unknown then, so it
  // may say nothing more.
  StatusOr<std::optional<KeptCohort>> Load(const RoundId& round) const;
  // Durable when it returns OK; what was kept before is gone then.
  Status Save(const KeptCohort& cohort) const;
  Status Drop(const RoundId& round) const;
  Status DropAllBut(const std::optional<RoundId>& round) const;
  std::string PathOf(const RoundId& round) const;

 private:
  explicit CohortFiles(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace aisle

// What a store remembers of a cohort, and its bytes: format 2, checked in full when read. Each step adds to it and
// nothing is ever taken back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/ids.h"
#include "base/secret.h"
#include "base/secure_sum.h"
#include "base/status.h"
#include "privacy/secagg/parameters.h"
#include "privacy/secagg/sealed_shares.h"
#include "privacy/secagg/statements.h"

namespace aisle::secagg {

inline constexpr size_t kCohortSecretSize = 32;

// How far a store came.
enum class MemberStep { kAdvertised, kDealt, kMasked, kConfirmed, kRevealed };

struct Neighbour {
  uint32_t position = 0;
  StoreId store;
  std::string certificate_pem;
  std::string channel_key;
  std::string mask_key;
  SecretBytes opening;  // Opens what it seals for this store. kChannelKeySize bytes.
};

// Set at Share.
struct PinnedRoster {
  CohortName cohort;
  SumParameters parameters;
  uint32_t position = 0;              // This store's.
  std::vector<Neighbour> neighbours;  // By position; parameters.degree of them.
  std::string dealt_signature;
};

// Set at Take. Both lists are in the neighbours' order.
struct PinnedInbox {
  Digest digest;
  std::vector<bool> dealt;                      // Whether shares came of the neighbour: the vector wears their mask.
  std::vector<std::optional<HeldShares>> held;  // None of those that didn't deal, or dealt wrong shares.
};

// Set at Confirm.
struct PinnedSurvivors {
  Digest root;
  std::vector<MemberStatus> neighbours;  // In the neighbours' order.
  std::string signature;
};

struct MemberState {
  CohortTerms terms;
  uint32_t cohort_min = 0;  // Never below the terms'.
  StoreId self;
  SecretBytes secret;  // kCohortSecretSize bytes.
  Advert advert;
  std::optional<PinnedRoster> roster;
  std::optional<PinnedInbox> inbox;
  std::optional<PinnedSurvivors> survivors;
  // Set at Reveal: which kind was given of each neighbour, in their order; none of those that didn't deal. Of those
  // that dealt wrong shares nothing was given, and only this kind ever could have been.
  std::optional<std::vector<std::optional<ShareKind>>> given;

  MemberStep step() const;
  SecretBytes Encode() const;
  // DataLoss if the bytes are damaged, of another format, or say what no member can have lived through.
  static StatusOr<MemberState> Decode(std::string_view bytes);
};

// The one kind that may ever be given of a neighbour: none of one that dealt nothing.
std::optional<ShareKind> KindFor(MemberStatus status);

}  // namespace aisle::secagg

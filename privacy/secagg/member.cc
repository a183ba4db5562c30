// Joining a cohort, and going on in it after a restart.
#include "privacy/secagg/member.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crypto/x25519.h"
#include "privacy/secagg/keys.h"

namespace aisle::secagg {
namespace {

Status CheckTerms(const CohortTerms& terms) {
  if (terms.attempt < 1 || terms.attempt > kCohortAttemptsMax) {
    return InvalidArgument("attempt {} of a cohort isn't in [1, {}]", terms.attempt, kCohortAttemptsMax);
  }
  if (terms.cohort_min < 2) {
    return InvalidArgument("a cohort_min of {} hides nobody; a secure sum needs at least 2", terms.cohort_min);
  }
  if (terms.length == 0) return InvalidArgument("a secure sum of vectors without a coordinate has nothing to add");
  return OkStatus();
}

StatusOr<std::string> PublicKeyOf(const SecretBytes& private_key) { return X25519PublicKey(private_key); }

}  // namespace

StatusOr<Member> Member::Join(CohortTerms terms, uint32_t cohort_min, StoreId self, const Credentials& credentials,
                              RandomSource& random) {
  AISLE_RETURN_IF_ERROR(CheckTerms(terms));
  MemberState state;
  state.cohort_min = std::max(cohort_min, terms.cohort_min);
  state.terms = std::move(terms);
  state.self = std::move(self);
  state.secret = DrawKey(random);

  Advert& advert = state.advert;
  advert.store = state.self;
  advert.certificate_pem = credentials.certificate_pem;
  advert.terms = DigestOf(state.terms);
  AISLE_ASSIGN_OR_RETURN(advert.channel_key, PublicKeyOf(ChannelPrivateKey(state.secret, advert.terms)));
  AISLE_ASSIGN_OR_RETURN(advert.mask_key, PublicKeyOf(MaskPrivateKey(state.secret, advert.terms)));
  advert.nonce = CohortNonce(state.secret, advert.terms);
  AISLE_ASSIGN_OR_RETURN(advert.signature, credentials.sign(kAdvertDomain, AdvertStatement(advert)));
  return Member(std::move(state));
}

StatusOr<Member> Member::Decode(std::string_view bytes) {
  AISLE_ASSIGN_OR_RETURN(MemberState state, MemberState::Decode(bytes));
  return Member(std::move(state));
}

SecretBytes Member::Encode() const { return state_.Encode(); }

std::optional<Refused> Member::RefusesAttempt(uint32_t attempt) const {
  const CohortTerms& terms = state_.terms;
  if (attempt < terms.attempt) {
    return Refuse(RefusalReason::kCohortReplayed, "attempt {} of round {} is over: this store is in attempt {}",
                  attempt, terms.round, terms.attempt);
  }
  if (attempt > terms.attempt && masked()) {
    return Refuse(RefusalReason::kVectorSpent,
                  "this store's vector of round {} was masked for attempt {} and is never masked again, for attempt {} "
                  "or any other: two sums with and without a store tell its vector",
                  terms.round, terms.attempt, attempt);
  }
  return std::nullopt;
}

std::optional<Refused> Member::IsForeign(const RoundId& round, uint32_t attempt) const {
  if (round == state_.terms.round && attempt == state_.terms.attempt) return std::nullopt;
  return Refuse(RefusalReason::kCohortReplayed,
                "the instruction is for attempt {} of round {}; this store is in attempt {} "
                "of round {}",
                attempt, round, state_.terms.attempt, state_.terms.round);
}

}  // namespace aisle::secagg

#include "tests/secagg/played_cohort.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tests/secagg/mac_chain.h"

namespace aisle::secagg {
namespace {

SecretBytes SeedOf(const Play& play) {
  return SecretBytes::CopyOf(Sha256::Of(fmt::format("cohort {}", play.seed)).view());
}

std::map<StoreId, Advert> AdvertsOf(const std::vector<Member>& members) {
  std::map<StoreId, Advert> adverts;
  for (const Member& member : members) adverts.emplace(member.self(), member.advert());
  return adverts;
}

void AddTo(std::vector<uint32_t>& sum, const std::vector<uint32_t>& vector) {
  std::ranges::transform(sum, vector, sum.begin(), std::plus<>());
}

}  // namespace

CohortTerms TermsOf(const Play& play) {
  return {.round = {.job = *JobId::Parse("demand"), .number = play.round},
          .attempt = play.attempt,
          .plan = Sha256::Of("plan"),
          .length = play.length,
          .cohort_min = play.cohort_min,
          .corrupt_permille = play.corrupt_permille,
          .dropout_permille = play.dropout_permille};
}

StoreId StoreNumbered(uint32_t number) { return *StoreId::Parse(fmt::format("store-{:05}", number)); }

PlayedCohort::PlayedCohort(Play play) : play_(std::move(play)) {
  AesCtrStream secrets(SeedOf(play_), "test/secrets");
  AesCtrStream updates(SeedOf(play_), "test/updates");
  for (uint32_t position = 0; position < play_.size; ++position) {
    members_.push_back(
        *Member::Join(TermsOf(play_), play_.cohort_min, StoreNumbered(position), credentials(position), secrets));
    std::vector<uint32_t>& vector = vectors_.emplace_back(play_.length);
    updates.Fill({reinterpret_cast<uint8_t*>(vector.data()), vector.size() * sizeof(uint32_t)});
  }
  auto cohort = Cohort::Make(TermsOf(play_), AdvertsOf(members_));
  AISLE_CHECK(cohort.ok(), "{}", MessageOf(cohort.status()));
  transcript_.cohort = std::make_shared<const Cohort>(*std::move(cohort));
}

Credentials PlayedCohort::credentials(uint32_t position) const { return CredentialsOf(StoreNumbered(position)); }

void PlayedCohort::Restart(uint32_t position) {
  auto again = Member::Decode(members_[position].Encode().Reveal());
  AISLE_CHECK(again.ok(), "{}", MessageOf(again.status()));
  members_[position] = *std::move(again);
}

void PlayedCohort::Deal() {
  for (uint32_t position = 0; position < play_.size; ++position) {
    if (!Deals(position)) continue;
    Restart(position);
    DealtShares dealt = Given(members_[position].Share(ShareFor(position), credentials(position), TrustInAll()));
    const Status verdict = VerifyDealt(cohort(), position, dealt, TrustInAll());
    AISLE_CHECK(verdict.ok(), "{}", MessageOf(verdict));
    transcript_.dealt.emplace(position, std::move(dealt));
  }
}

void PlayedCohort::Collect() {
  if (transcript_.dealt.empty()) Deal();
  for (uint32_t position = 0; position < play_.size; ++position) {
    transcript_.statuses.push_back(!Deals(position)      ? MemberStatus::kAbsent
                                   : !Survives(position) ? MemberStatus::kDropped
                                                         : MemberStatus::kSurvived);
    if (!Survives(position)) continue;
    Restart(position);
    const auto refused = members_[position].Take(InboxFor(position));
    AISLE_CHECK(!refused, "{}", refused->detail);
  }
}

void PlayedCohort::Confirm() {
  if (transcript_.statuses.empty()) Collect();
  for (uint32_t position = 0; position < play_.size; ++position) {
    if (!Survives(position)) continue;
    Restart(position);
    Confirmation confirmation = Given(members_[position].Confirm(ConfirmFor(position), credentials(position)));
    const Status verdict =
        VerifyConfirmation(cohort(), position, SurvivorsRoot(transcript_.statuses), confirmation, TrustInAll());
    AISLE_CHECK(verdict.ok(), "{}", MessageOf(verdict));
    confirmed_.emplace(position, std::move(confirmation));
  }
}

void PlayedCohort::Reveal() {
  if (confirmed_.empty()) Confirm();
  for (uint32_t position = 0; position < play_.size; ++position) {
    if (!Survives(position) || play_.silent.contains(position)) continue;
    Restart(position);
    RevealedShares revealed = Given<RevealedShares>(members_[position].Reveal(UnmaskFor(position), TrustInAll()));
    const Status verdict = cohort().CheckRevealed(position, transcript_.statuses, transcript_.dealt, revealed);
    AISLE_CHECK(verdict.ok(), "{}", MessageOf(verdict));
    transcript_.revealed.emplace(position, std::move(revealed));
  }
}

RosterHead PlayedCohort::Head() const {
  RosterHead head = cohort().UnsignedHead();
  head.certificate_pem = kHeadquartersCertificate;
  head.signature = SignAs(kHeadquartersCertificate, kRosterDomain, RosterStatement(NameOf(head)));
  return head;
}

ShareInstruction PlayedCohort::ShareFor(uint32_t position) const {
  ShareInstruction instruction{.round = cohort().terms().round,
                               .attempt = play_.attempt,
                               .deadline = {},
                               .roster = Head(),
                               .own = cohort().EntryOf(position),
                               .neighbours = {}};
  for (const uint32_t neighbour : cohort().NeighboursOf(position)) {
    instruction.neighbours.push_back(cohort().EntryOf(neighbour));
  }
  return instruction;
}

SharesInbox PlayedCohort::InboxFor(uint32_t position) const {
  SharesInbox inbox = cohort().InboxOf(position, transcript_.dealt);
  for (ReceivedShares& shares : inbox.shares) {
    const auto spoilt = play_.spoilt.find(shares.from);
    if (spoilt != play_.spoilt.end() && spoilt->second.contains(position)) shares.sealed[20] ^= 1;
  }
  return inbox;
}

ConfirmInstruction PlayedCohort::ConfirmFor(uint32_t) const {
  return {.round = cohort().terms().round, .attempt = play_.attempt, .deadline = {}, .statuses = transcript_.statuses};
}

UnmaskInstruction PlayedCohort::UnmaskFor(uint32_t position) const {
  return {.round = cohort().terms().round,
          .attempt = play_.attempt,
          .deadline = {},
          .survivors = SurvivorsRoot(transcript_.statuses),
          .confirmations = cohort().ConfirmationsFor(position, confirmed_)};
}

std::vector<uint32_t> PlayedCohort::MaskedVectorOf(uint32_t position) const {
  std::vector<uint32_t> masked = vectors_[position];
  members_[position].Mask(0, masked);
  return masked;
}

std::vector<uint32_t> PlayedCohort::MaskedSum() const {
  std::vector<uint32_t> sum(play_.length);
  for (uint32_t position = 0; position < play_.size; ++position) {
    if (Survives(position)) AddTo(sum, MaskedVectorOf(position));
  }
  return sum;
}

std::vector<uint32_t> PlayedCohort::PlainSum() const {
  std::vector<uint32_t> sum(play_.length);
  for (uint32_t position = 0; position < play_.size; ++position) {
    if (Survives(position)) AddTo(sum, vectors_[position]);
  }
  return sum;
}

}  // namespace aisle::secagg

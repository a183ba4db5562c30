#include "tests/store-agent-sum/played_sum.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/identity/statement.h"

namespace aisle {

RoundId SumRound() { return {.job = JobId::Parse("demand").value(), .number = 4}; }

PlayedChain::PlayedChain(std::string_view name) {
  authority_ =
      CertificateAuthority::Create(ChainName::Parse(name).value(), KeyPair::Generate().value(), absl::Now(), random_)
          .value();
}

TlsIdentity PlayedChain::Issue(Role role, std::string_view name, absl::Duration lifetime) {
  KeyPair key = KeyPair::Generate().value();
  CertificateTerms terms{.identity = Identity::Make(authority_->chain(), role, name).value(), .lifetime = lifetime};
  if (role == Role::kCoordinator) terms.server_names = {"127.0.0.1"};
  Certificate certificate = authority_->Issue(key, terms, absl::Now(), random_).value();
  return {authority_->root_pem(), std::move(certificate), std::move(key)};
}

PlayedStore::PlayedStore(PlayedChain& chain, std::string name)
    : name_(std::move(name)), identity_(chain.Issue(Role::kStore, name_)) {
  terms = {.round = SumRound(),
           .plan = Sha256::Of("plan"),
           .length = kLength,
           .cohort_min = 3,
           .corrupt_permille = 50,
           .dropout_permille = 200};
}

TlsIdentity PlayedStore::Identity() const {
  return {.ca_pem = identity_.ca_pem, .certificate = identity_.certificate, .key = identity_.key.Clone()};
}

SiteSumSteps PlayedStore::Process() {
  return SiteSumSteps(
      {.cohorts = cohorts_, .spool = spool_, .policy = policy, .clock = clock_, .random = random_, .identity = [this] {
         return Identity();
       }});
}

agent::TakeSumStep PlayedStore::StepOf(const agent::SumInstruction& instruction, uint32_t attempt) const {
  agent::TakeSumStep step{.ticket = 1, .terms = terms, .update = update_, .instruction = instruction};
  step.terms.attempt = attempt;
  return step;
}

std::variant<SumMessage, TaskEnd> PlayedStore::Say(const agent::SumInstruction& instruction, uint32_t attempt) {
  return Process().Say(StepOf(instruction, attempt));
}

std::variant<BlobName, TaskEnd> PlayedStore::Mask(const SharesInbox& inbox) {
  return Process().Mask(StepOf(CollectInstruction{.round = SumRound(), .inbox = inbox}, inbox.attempt));
}

void PlayedStore::Finish(uint32_t first) {
  std::vector<uint32_t> values(terms.length);
  for (size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<uint32_t>(i);
  update_ = spool_.Write(SumRound(), values).value();
}

std::string PlayedStore::Bytes(SpooledVector which) const {
  return ReadFile(spool_.PathOf(SumRound(), which)).value_or("");
}

std::vector<uint32_t> PlayedStore::Vector(SpooledVector which) const {
  const std::string bytes = Bytes(which);
  std::vector<uint32_t> values(bytes.size() / sizeof(uint32_t));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(uint32_t));
  return values;
}

PlayedSum::PlayedSum(uint32_t stores) : coordinator_(chain_.Issue(Role::kCoordinator, "hq")) {
  for (uint32_t i = 0; i < stores; ++i) {
    stores_.push_back(std::make_unique<PlayedStore>(chain_, fmt::format("store-{:03}", i)));
    stores_.back()->Finish(1000 * i);
  }
}

void PlayedSum::Advertise(uint32_t attempt) {
  attempt_ = attempt;
  transcript_ = {};
  confirmed_.clear();
  std::map<StoreId, Advert> adverts;
  for (const auto& store : stores_) {
    const AdvertiseInstruction instruction{.round = SumRound(), .attempt = attempt};
    adverts.emplace(store->id(), Said<Advert>(store->Say(instruction, attempt)));
  }
  CohortTerms terms = stores_.front()->terms;
  terms.attempt = attempt;
  transcript_.cohort = std::make_shared<const secagg::Cohort>(secagg::Cohort::Make(terms, adverts).value());
}

ShareInstruction PlayedSum::ShareFor(uint32_t position) const {
  ShareInstruction share{.round = SumRound(), .attempt = attempt_, .roster = cohort().UnsignedHead()};
  share.roster.certificate_pem = coordinator_.certificate.pem();
  share.roster.signature =
      SignStatement(coordinator_.key, secagg::kRosterDomain, secagg::RosterStatement(cohort().name())).value();
  share.own = cohort().EntryOf(position);
  for (const uint32_t neighbour : cohort().NeighboursOf(position)) {
    share.neighbours.push_back(cohort().EntryOf(neighbour));
  }
  return share;
}

void PlayedSum::Share() {
  for (uint32_t i = 0; i < size(); ++i) {
    transcript_.dealt.emplace(i, Said<DealtShares>(store(i).Say(ShareFor(i), attempt_)));
  }
}

void PlayedSum::Mask() {
  for (uint32_t i = 0; i < size(); ++i) ASSERT_EQ(EndOf(store(i).Mask(InboxFor(i))), "");
}

ConfirmInstruction PlayedSum::ConfirmFor() const {
  return {.round = SumRound(), .attempt = attempt_, .statuses = transcript_.statuses};
}

void PlayedSum::Confirm(const std::vector<uint32_t>& dropped) {
  transcript_.statuses.assign(size(), MemberStatus::kSurvived);
  for (const uint32_t position : dropped) transcript_.statuses[position] = MemberStatus::kDropped;
  for (uint32_t i = 0; i < size(); ++i) {
    if (transcript_.statuses[i] != MemberStatus::kSurvived) continue;
    confirmed_.emplace(i, Said<Confirmation>(store(i).Say(ConfirmFor(), attempt_)));
  }
}

UnmaskInstruction PlayedSum::UnmaskFor(uint32_t position) const {
  return {.round = SumRound(),
          .attempt = attempt_,
          .survivors = secagg::SurvivorsRoot(transcript_.statuses),
          .confirmations = cohort().ConfirmationsFor(position, confirmed_)};
}

void PlayedSum::Reveal() {
  for (const auto& [position, confirmation] : confirmed_) {
    const auto revealed = Said<RevealedShares>(store(position).Say(UnmaskFor(position), attempt_));
    const Status right = cohort().CheckRevealed(position, transcript_.statuses, transcript_.dealt, revealed);
    ASSERT_TRUE(right.ok()) << right;
    transcript_.revealed.emplace(position, revealed);
  }
}

std::vector<uint32_t> PlayedSum::UnmaskedSum() const {
  std::vector<uint32_t> sum(kLength);
  for (const auto& [position, confirmation] : confirmed_) {
    const std::vector<uint32_t> vector = stores_[position]->Vector(SpooledVector::kMasked);
    std::ranges::transform(sum, vector, sum.begin(), std::plus<>());
  }
  secagg::Reconstruct(transcript_).value().RemoveFrom(0, sum);
  return sum;
}

std::vector<uint32_t> PlayedSum::SurvivorsSum() const {
  std::vector<uint32_t> sum(kLength);
  for (const auto& [position, confirmation] : confirmed_) {
    const std::vector<uint32_t> vector = stores_[position]->Vector(SpooledVector::kUpdate);
    std::ranges::transform(sum, vector, sum.begin(), std::plus<>());
  }
  return sum;
}

}  // namespace aisle

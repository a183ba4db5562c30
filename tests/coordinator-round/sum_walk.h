// A round with the secure sum, walked by real members of the protocol in this process: only their certificates are
// make-believe. Each event is remembered, so that any moment can be replayed.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/round/sum_tasks.h"
#include "privacy/secagg/member.h"
#include "tests/coordinator-round/round_walk.h"

namespace aisle::test {

inline std::string SignatureOf(const std::string& certificate, std::string_view domain, std::string_view message) {
  return std::string(Sha256::Of(fmt::format("{}|{}|{}", certificate, domain, message)).view());
}

inline secagg::Credentials CredentialsOf(const std::string& name) {
  const std::string certificate = "certificate of " + name;
  return {.certificate_pem = certificate, .sign = [certificate](std::string_view domain, std::string_view message) {
            return StatusOr<std::string>(SignatureOf(certificate, domain, message));
          }};
}

inline secagg::Trust MakeBelieveTrust() {
  const auto verify = [](const std::string& certificate, const std::string& name, std::string_view domain,
                         std::string_view message, std::string_view signature) {
    const bool holds =
        certificate == "certificate of " + name && SignatureOf(certificate, domain, message) == signature;
    return holds ? OkStatus() : Unauthenticated("not by {}", name);
  };
  return {.verify_store =
              [verify](const std::string& certificate, const StoreId& store, std::string_view domain,
                       std::string_view message, std::string_view signature) {
                return verify(certificate, store.str(), domain, message, signature);
              },
          .verify_headquarters =
              [verify](const std::string& certificate, std::string_view domain, std::string_view message,
                       std::string_view signature) {
                return verify(certificate, "headquarters", domain, message, signature);
              },
          .key_of = [](const std::string& certificate) { return StatusOr<Digest>(Sha256::Of(certificate)); }};
}

// Eight stores, of which five neighbours rebuild a secret: two may be lost on the way.
inline RoundPolicy EightWithSum() {
  RoundPolicy policy = SmallPolicy();
  policy.cohort_min = 4;
  policy.cohort_target = 8;
  policy.selection_wanted = 8;
  policy.sum = SumPolicy{.plan = Sha256::Of("plan"),
                         .corrupt_permille = 50,
                         .dropout_permille = 100,
                         .summing_for = absl::Seconds(20),
                         .attempts_max = 2};
  return policy;
}

class SumWalk : public Walk {
 public:
  explicit SumWalk(RoundPolicy policy = EightWithSum())
      : Walk(policy), stores_(static_cast<int>(policy.cohort_target)) {}

  // OK and handled, or why not. What came before is in journal().
  Status Say(const Event& event) {
    AISLE_RETURN_IF_ERROR(round.Check(event));
    latest = Give(event);
    journal_.emplace_back(event, now);
    return OkStatus();
  }
  Status Step(int store, SumMessage message, uint32_t attempt = 0) {
    return Say(SumStepTaken{
        Store(store),
        {.round = round.id(), .attempt = attempt == 0 ? attempt_ : attempt, .message = std::move(message)}});
  }
  Status Leave(int store) {
    return Say(OutcomeReported{Store(store), Refused{RefusalReason::kRosterForged, "made up for this test"}});
  }
  void PassDeadline() {
    now = ClosesAt(round.phase());
    EXPECT_TRUE(Say(DeadlinePassed{phase()}).ok());
  }

  // One store's step, as the real protocol has it.
  Advert AdvertOf(int store) {
    attempt_ = std::get<Advertising>(round.phase()).attempt;
    auto member = secagg::Member::Join(TermsOf(round.id(), round.policy(), attempt_), round.policy().cohort_min,
                                       Store(store), CredentialsOf(Store(store).str()), random_);
    Advert advert = member->advert();
    members_.insert_or_assign(store, *std::move(member));
    return advert;
  }
  DealtShares DealtOf(int store) {
    const auto& sharing = std::get<Sharing>(round.phase());
    RosterHead head = sharing.sum.cohort->UnsignedHead();
    const secagg::Credentials own = CredentialsOf("headquarters");
    head.certificate_pem = own.certificate_pem;
    head.signature = *own.sign(secagg::kRosterDomain, secagg::RosterStatement(sharing.sum.cohort->name()));
    auto dealt = member(store).Share(TaskIn(sharing, round.id(), Store(store), head), CredentialsOf(Store(store).str()),
                                     MakeBelieveTrust());
    return Taken<DealtShares>(*std::move(dealt));
  }
  Confirmation ConfirmationOf(int store) {
    auto confirmed = member(store).Confirm(TaskIn(std::get<Confirming>(round.phase()), round.id()),
                                           CredentialsOf(Store(store).str()));
    return Taken<Confirmation>(*std::move(confirmed));
  }
  RevealedShares RevealedOf(int store) {
    return Taken<RevealedShares>(
        member(store).Reveal(TaskIn(std::get<Unmasking>(round.phase()), round.id(), Store(store)), MakeBelieveTrust()));
  }
  Status Advertise(int store) { return Step(store, AdvertOf(store)); }
  Status Deal(int store) { return Step(store, DealtOf(store)); }
  Status Confirm(int store) { return Step(store, ConfirmationOf(store)); }
  Status Reveal(int store) { return Step(store, RevealedOf(store)); }
  Status Upload(int store) {
    CollectInstruction task = TaskIn(std::get<Collecting>(round.phase()), round.id(), Store(store));
    for (ReceivedShares& shares : task.inbox->shares) {
      const int dealer =
          std::stoi(std::get<Collecting>(round.phase()).sum->cohort->StoreAt(shares.from).str().substr(1));
      if (spoilt.contains({dealer, store})) shares.sealed[20] ^= 1;
    }
    if (const auto refused = member(store).Take(*task.inbox)) return Internal("{}", refused->detail);
    std::vector<uint32_t> vector = Plain(store);
    member(store).Mask(0, vector);
    const Digest digest = Sha256::Of({reinterpret_cast<const char*>(vector.data()), vector.size() * 4});
    masked_.insert_or_assign(Store(store), std::move(vector));
    return Say(UpdateCollected{Store(store), digest});
  }

  // Everybody but the `silent`, who never act again.
  SumWalk& ToAdvertising() {
    for (int i = 1; i <= stores_; ++i) EXPECT_TRUE(Say(StoreOffered{Store(i), {}}).ok());
    for (int i = 1; i <= stores_; ++i) {
      EXPECT_TRUE(Say(OutcomeReported{Store(i), Trained{{.digest = Digest(), .size = length() * 4}}}).ok());
    }
    return *this;
  }
  SumWalk& ToSharing() { return ToAdvertising().All(PhaseName::kAdvertising, &SumWalk::Advertise); }
  SumWalk& ToCollecting() { return ToSharing().All(PhaseName::kSharing, &SumWalk::Deal); }
  SumWalk& ToConfirming() { return ToCollecting().All(PhaseName::kCollecting, &SumWalk::Upload); }
  SumWalk& ToUnmasking() { return ToConfirming().All(PhaseName::kConfirming, &SumWalk::Confirm); }
  SumWalk& ToCommitting() { return ToUnmasking().All(PhaseName::kUnmasking, &SumWalk::Reveal); }

  // All that owe a step take it; then the deadline passes for the silent.
  SumWalk& All(PhaseName phase_name, Status (SumWalk::*step)(int)) {
    for (int i = 1; i <= stores_ && phase() == phase_name; ++i) {
      if (silent.contains(i) || !Owes(i)) continue;
      const Status taken = (this->*step)(i);
      EXPECT_TRUE(taken.ok()) << MessageOf(taken);
    }
    if (phase() == phase_name) PassDeadline();
    return *this;
  }
  bool Owes(int store) const {
    const Duty duty = round.DutyOf(Store(store));
    return std::holds_alternative<DutyStep>(duty) || std::holds_alternative<DutyUpload>(duty);
  }

  size_t length() const { return round.policy().update_size / 4; }  // Coordinates.
  const std::vector<uint32_t>& Masked(int store) const { return masked_.at(Store(store)); }

  // What the sum of these stores' vectors is, and what comes out of the masked ones with the transcript's help.
  std::vector<uint32_t> PlainSum(const std::vector<StoreId>& stores) const {
    std::vector<uint32_t> sum(length());
    for (int i = 1; i <= stores_; ++i) {
      if (!std::ranges::count(stores, Store(i))) continue;
      const std::vector<uint32_t> vector = Plain(i);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += vector[j];
    }
    return sum;
  }
  std::vector<uint32_t> UnmaskedSum(const ApplySum& apply) const {
    std::vector<uint32_t> sum(length());
    for (const StoreId& store : apply.survivors) {
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += masked_.at(store)[j];
    }
    const auto masks = secagg::Reconstruct(*apply.transcript);
    EXPECT_TRUE(masks.ok()) << MessageOf(masks.status());
    if (masks.ok()) masks->RemoveFrom(0, sum);
    return sum;
  }

  // The round as a coordinator that was killed finds it after the first `events` of the journal.
  RoundMachine Replayed(size_t events) const {
    RoundMachine machine(round.id(), round.policy(), 42, kOpened);
    for (size_t i = 0; i < events; ++i) machine.Handle(journal_[i].first, journal_[i].second);
    return machine;
  }
  const std::vector<std::pair<Event, absl::Time>>& journal() const { return journal_; }
  secagg::Member& member(int store) { return members_.at(store); }
  const Seat& SeatOf(int store) const { return *RosterOf(round.phase())->Find(Store(store)); }
  const Aborted& aborted() const { return std::get<Aborted>(round.phase()); }

  std::set<std::pair<int, int>> spoilt;  // Dealer and holder: whose shares for whom come changed.
  std::set<int> silent;
  Effects latest;  // Of the last event.

 private:
  std::vector<uint32_t> Plain(int store) const {
    std::vector<uint32_t> vector(length());
    for (size_t j = 0; j < vector.size(); ++j)
      vector[j] = static_cast<uint32_t>(store) * 1'000'003U + static_cast<uint32_t>(j);
    return vector;
  }
  template <typename T>
  static T Taken(secagg::Answer<T> answer) {
    if (const auto* refused = std::get_if<Refused>(&answer)) ADD_FAILURE() << refused->detail;
    return std::get<T>(std::move(answer));
  }

  const int stores_;
  uint32_t attempt_ = 1;
  SecureRandom random_;
  std::map<int, secagg::Member> members_;
  std::map<StoreId, std::vector<uint32_t>> masked_;
  std::vector<std::pair<Event, absl::Time>> journal_;
};

}  // namespace aisle::test

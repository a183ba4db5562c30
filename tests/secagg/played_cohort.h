// A whole cohort in one process, all of it honest, step by step; tests lie in between.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/check.h"
#include "base/secure_sum.h"
#include "privacy/secagg/cohort.h"
#include "privacy/secagg/member.h"
#include "privacy/secagg/unmask.h"

namespace aisle::secagg {

using Positions = std::set<uint32_t>;

struct Play {
  uint32_t size = 6;
  uint64_t seed = 1;  // Everything drawn follows from it.
  uint32_t round = 7;
  uint32_t attempt = 1;
  uint64_t length = 40;
  uint32_t cohort_min = 3;
  uint32_t corrupt_permille = 50;
  uint32_t dropout_permille = 200;
  Positions absent = {};                      // Advertise and no more.
  Positions dropped = {};                     // Deal and no more.
  Positions silent = {};                      // Upload, confirm and no more.
  std::map<uint32_t, Positions> spoilt = {};  // By dealer: to whom its shares come changed.
};

CohortTerms TermsOf(const Play& play);
StoreId StoreNumbered(uint32_t number);  // Ids stand in the order of the numbers.

class PlayedCohort {
 public:
  // Everybody has advertised.
  explicit PlayedCohort(Play play);

  const Play& play() const { return play_; }
  const Cohort& cohort() const { return *transcript_.cohort; }
  const Transcript& transcript() const { return transcript_; }
  Member& member(uint32_t position) { return members_[position]; }
  Credentials credentials(uint32_t position) const;

  // Everybody who is still there takes the step, after a restart from what was encoded; each calls those before it.
  void Deal();
  void Collect();
  void Confirm();
  void Reveal();

  // What headquarters asks of a store.
  RosterHead Head() const;
  ShareInstruction ShareFor(uint32_t position) const;
  SharesInbox InboxFor(uint32_t position) const;           // After Deal.
  ConfirmInstruction ConfirmFor(uint32_t position) const;  // After Collect, here and below.
  UnmaskInstruction UnmaskFor(uint32_t position) const;    // After Confirm.

  const std::vector<uint32_t>& VectorOf(uint32_t position) const { return vectors_[position]; }
  std::vector<uint32_t> MaskedVectorOf(uint32_t position) const;
  std::vector<uint32_t> MaskedSum() const;
  std::vector<uint32_t> PlainSum() const;  // Of the survivors.
  bool Deals(uint32_t position) const { return !play_.absent.contains(position); }
  bool Survives(uint32_t position) const { return Deals(position) && !play_.dropped.contains(position); }

 private:
  void Restart(uint32_t position);

  Play play_;
  std::vector<Member> members_;
  std::vector<std::vector<uint32_t>> vectors_;
  std::map<uint32_t, Confirmation> confirmed_;
  Transcript transcript_;
};

// As the stores say it in honest play; else the test is wrong and stops.
template <typename T>
T Given(StatusOr<Answer<T>> answer) {
  AISLE_CHECK(answer.ok(), "{}", MessageOf(answer.status()));
  const Refused* refused = std::get_if<Refused>(&*answer);
  AISLE_CHECK(refused == nullptr, "{}", refused->detail);
  return std::get<T>(*std::move(answer));
}

}  // namespace aisle::secagg

// Words to walk a round through its phases in tests.
#pragma once

#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coordinator/round/machine.h"

namespace aisle::test {

inline const absl::Time kOpened = absl::FromUnixSeconds(1'800'000'000);
inline constexpr uint64_t kUpdateSize = 400;

inline StoreId Store(int number) { return *StoreId::Parse(fmt::format("s{:03}", number)); }

inline RoundPolicy SmallPolicy() {
  return {.cohort_min = 2,
          .cohort_target = 3,
          .selection_wanted = 4,
          .selecting_for = absl::Seconds(30),
          .training_for = absl::Minutes(10),
          .collecting_for = absl::Minutes(2),
          .update_size = kUpdateSize};
}

inline BlobName UpdateOf(int number) {
  return {.digest = Sha256::Of(fmt::format("update {}", number)), .size = kUpdateSize};
}

// A round and the clock it lives by.
struct Walk {
  explicit Walk(RoundPolicy policy = SmallPolicy())
      : round({.job = *JobId::Parse("demand"), .number = 7}, policy, 42, kOpened) {}

  Effects Give(const Event& event) { return round.Handle(event, now); }
  Effects Offer(int store, uint64_t joined = 0) { return Give(StoreOffered{Store(store), {.rounds_joined = joined}}); }
  Effects Train(int store) { return Give(OutcomeReported{Store(store), Trained{UpdateOf(store)}}); }
  Effects Refuse(int store) {
    return Give(OutcomeReported{Store(store), Refused{RefusalReason::kPrivacyBudget, "the cap is reached"}});
  }
  Effects Collect(int store) { return Give(UpdateCollected{Store(store), UpdateOf(store).digest}); }
  Effects Expire(PhaseName phase) {
    now = ClosesAt(round.phase());
    return Give(DeadlinePassed{phase});
  }
  PhaseName phase() const { return NameOfPhase(round.phase()); }

  Walk& ToTraining(int stores = 4) {
    for (int i = 1; i <= stores; ++i) Offer(i);
    return *this;
  }
  Walk& ToCollecting() {
    ToTraining();
    for (int i = 1; i <= 3; ++i) Train(i);
    return *this;
  }
  Walk& ToCommitting() {
    ToCollecting();
    for (int i = 1; i <= 3; ++i) Collect(i);
    return *this;
  }

  RoundMachine round;
  absl::Time now = kOpened + absl::Seconds(1);
};

// The effects of one kind, in order.
template <typename Kind>
std::vector<Kind> Only(const Effects& effects) {
  std::vector<Kind> found;
  for (const Effect& effect : effects) {
    if (const auto* one = std::get_if<Kind>(&effect)) found.push_back(*one);
  }
  return found;
}

}  // namespace aisle::test

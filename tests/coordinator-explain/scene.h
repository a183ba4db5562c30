// A chain in virtual time in which something goes wrong, at a store that the seed chooses.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "coordinator/services/explain.h"
#include "tests/coordinator-driver/headquarters.h"

namespace aisle::test {

class Scene {
 public:
  Scene(uint32_t seed, int stores, const CoordinatorPolicy& policy = {});

  Headquarters headquarters;
  std::vector<std::unique_ptr<ScriptedStore>> stores;  // "leeds-01", "leeds-02", …
  ScriptedStore& culprit() { return *stores[culprit_]; }
  const StoreId& culprit_id() { return culprit().id(); }
  std::vector<ScriptedStore*> others();
  std::set<const ScriptedStore*> absent;  // They do nothing from now on.

  void Enrol(const std::string& name);
  Coordinator& coordinator() { return headquarters.coordinator(); }
  // Everybody but the absent offers itself; then the job comes.
  void Begin(const PlanTerms& terms, uint32_t rounds = 1);
  void Submit(const std::string& job, const PlanTerms& terms, uint32_t rounds = 1, uint32_t priority = 0);
  RoundId round(uint32_t number = 1) const { return {.job = *JobId::Parse("demand"), .number = number}; }
  RoundRecord Round(uint32_t number = 1);
  void Fail(ScriptedStore& store, FailureReason reason);
  // Half of the store's update arrives.
  void UploadHalf(ScriptedStore& store);
  // A check-in whose clock is off by so much.
  void CheckInAt(ScriptedStore& store, absl::Duration skew);
  // A check-in of an agent of the first release.
  void CheckInOfOld(ScriptedStore& store);

  // Everybody but the absent acts in turn until round 1 is in the phase, or closed.
  void PlayUntil(RoundPhase phase);
  void PlayOut(absl::Duration step = absl::Seconds(2));
  void PlayTurn(absl::Duration step = absl::Milliseconds(100));

  v1::Explanation AskRound(uint32_t number = 1);
  v1::Explanation AskStore();
  v1::Explanation AskJob();

 private:
  v1::Explanation Ask(const v1::ExplainRequest& request);
  void Call(ScriptedStore& store, CheckIn check_in);
  size_t culprit_;
};

}  // namespace aisle::test

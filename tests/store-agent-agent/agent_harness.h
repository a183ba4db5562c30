// An AgentMachine with its world played by the test: events in, effects looked at.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/random.h"
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

inline RoundId Round(uint32_t number, std::string_view job = "demand") {
  return {.job = JobId::Parse(job).value(), .number = number};
}

inline BlobName Blob(std::string_view content) { return {.digest = Sha256::Of(content), .size = content.size()}; }

inline BlobName Update() { return {.digest = Sha256::Of("update"), .size = 24}; }
inline BlobName Masked() { return {.digest = Sha256::Of("masked"), .size = 24}; }

// What the store knows of a cohort of its own round.
inline CohortTerms Terms(uint32_t attempt = 1) {
  return {.round = Round(1),
          .attempt = attempt,
          .plan = Sha256::Of("plan"),
          .length = 6,
          .cohort_min = 3,
          .corrupt_permille = 50,
          .dropout_permille = 100};
}

inline CallOutcome Again(absl::Duration wait = {}) {
  return {.verdict = Verdict::kTryAgain, .detail = "UNAVAILABLE: nobody there", .wait_min = wait};
}

class AgentHarness {
 public:
  AgentHarness() : random_(SecretBytes(32), "test") {}

  void Start(Findings findings = {}) {
    machine_ = std::make_unique<AgentMachine>(std::move(findings), random_);
    Keep(machine_->Start(now_));
  }
  // A new process over the same disk: the last record, and the spool as given.
  void Restart(std::optional<BlobName> spooled = std::nullopt) {
    Findings findings{.spooled = spooled};
    if (record_) findings.record = DecodeRecord(EncodeRecord(*record_).Reveal()).value();
    check_in_.reset();
    Start(std::move(findings));
  }

  void Post(Event event) { Keep(machine_->Handle(std::move(event), now_)); }
  void Pass(absl::Duration time) { now_ += time; }

  void Answer(Instruction instruction) { AnswerAt(std::move(instruction), now_); }
  void AnswerAt(Instruction instruction, absl::Time clock) {
    ASSERT_TRUE(check_in_) << "no check-in is open";
    Post(CheckInAnswered{std::exchange(check_in_, {})->ticket, std::move(instruction), clock});
  }
  void FailCheckIn(CallOutcome outcome = Again()) {
    ASSERT_TRUE(check_in_) << "no check-in is open";
    Post(CheckInFailed{std::exchange(check_in_, {})->ticket, std::move(outcome)});
  }
  void RunOut(Timer timer) {
    const std::optional<absl::Time> due = std::exchange(due_[static_cast<size_t>(timer)], {});
    ASSERT_TRUE(due) << "the timer isn't set";
    now_ = std::max(now_, *due);
    Post(TimerRanOut{timer});
  }

  TrainInstruction Instruct(uint32_t number = 1) const {
    return {.round = Round(number),
            .plan = Blob("plan"),
            .weights = Blob("weights"),
            .deadline = now_ + absl::Minutes(10),
            .rounds_total = 5,
            .plan_signature = std::string(64, 's')};
  }

  // From now on, plans have the secure sum.
  void SumSecurely() { sum_ = Terms(); }

  // Plays a task up to the named state. Under the secure sum, on the way from holding to uploading, of the steps only
  // Collect is asked for.
  void Reach(std::string_view state) {
    if (state == NameOf(machine_->state())) return;
    if (std::holds_alternative<Idle>(machine_->state())) Answer(Instruct());
    if (state == "fetching_plan") return;
    Post(BlobFetched{step<FetchBlob>().ticket});
    if (state == "vetting_plan") return;
    Post(PlanVetted{step<VetPlan>().ticket});
    if (state == "fetching_weights") return;
    Post(BlobFetched{step<FetchBlob>().ticket});
    if (state == "training") return;
    Post(UpdateTrained{step<TrainUpdate>().ticket, sum_});
    if (state == "releasing") return;
    Post(UpdateReleased{step<ReleaseUpdate>().ticket, Update()});
    if (state == "reporting") return;
    Post(OutcomeReported{step<ReportOutcome>().ticket});
    if (state == "holding") return;
    CollectInstruction collect{.round = Round(1), .deadline = now_ + absl::Minutes(1)};
    if (sum_) collect.inbox = SharesInbox{};
    Answer(collect);
    if (state == "summing") return;
    if (sum_) Post(UpdateMasked{step<TakeSumStep>().ticket, Masked()});
    if (state == "uploading") return;
    Post(UpdateUploaded{step<UploadUpdate>().ticket});
    ASSERT_EQ(NameOf(machine_->state()), state);
  }

  // The last effect of that kind since the last event; fails the test if there is none.
  template <typename T>
  const T& step() const {
    static const T kNone{};
    const T* found = Find<T>();
    EXPECT_NE(found, nullptr) << "the effect is missing";
    return found == nullptr ? kNone : *found;
  }
  template <typename T>
  const T* Find() const {
    const T* found = nullptr;
    for (const Effect& effect : effects_) {
      if (const T* match = std::get_if<T>(&effect)) found = match;
    }
    return found;
  }
  template <typename T>
  size_t PositionOf() const {
    for (size_t i = 0; i < effects_.size(); ++i) {
      if (std::holds_alternative<T>(effects_[i])) return i;
    }
    return effects_.size();
  }

  std::string state() const { return std::string(NameOf(machine_->state())); }
  AgentMachine& machine() { return *machine_; }
  const Effects& effects() const { return effects_; }
  const std::optional<OpenCheckIn>& check_in() const { return check_in_; }
  const std::optional<TaskRecord>& record() const { return record_; }
  std::optional<absl::Time> due(Timer timer) const { return due_[static_cast<size_t>(timer)]; }
  absl::Time now() const { return now_; }
  int records_saved() const { return records_saved_; }

 private:
  void Keep(Effects effects) {
    effects_ = std::move(effects);
    for (Effect& effect : effects_) {
      if (auto* save = std::get_if<SaveRecord>(&effect)) {
        ++records_saved_;
        record_.reset();
        if (save->record) record_ = DecodeRecord(EncodeRecord(*save->record).Reveal()).value();
      }
      if (const auto* open = std::get_if<OpenCheckIn>(&effect)) {
        EXPECT_FALSE(check_in_) << "two check-ins are open";
        check_in_ = *open;
      }
      if (std::holds_alternative<CloseCheckIn>(effect)) check_in_.reset();
      if (const auto* set = std::get_if<SetTimer>(&effect)) due_[static_cast<size_t>(set->timer)] = set->due;
      if (const auto* clear = std::get_if<ClearTimer>(&effect)) due_[static_cast<size_t>(clear->timer)].reset();
    }
  }

  AesCtrStream random_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  std::unique_ptr<AgentMachine> machine_;
  Effects effects_;
  std::optional<OpenCheckIn> check_in_;
  std::optional<TaskRecord> record_;
  std::optional<CohortTerms> sum_;
  std::optional<absl::Time> due_[2];
  int records_saved_ = 0;
};

}  // namespace aisle::agent

// Laws that hold whatever happens in whatever order: random events, true and stale, over many steps and restarts.
#include <gtest/gtest.h>

#include "tests/store-agent-agent/agent_harness.h"

namespace aisle::agent {
namespace {

// What is on the imagined disk, and what may never happen to it.
class Walk {
 public:
  explicit Walk(uint64_t seed) : random_(SeedOf(seed), "walk") {
    agent_.Start();
    Check();
  }

  void Step() {
    const std::optional<RoundId> round = RoundOf(agent_.machine().state());
    switch (random_.Below(14)) {
      case 0:
        return Answer(agent_.Instruct(static_cast<uint32_t>(1 + random_.Below(3))));
      case 1:
        return Answer(CollectInstruction{.round = round.value_or(Round(2)), .inbox = SomeInbox()});
      case 2:
        return Answer(RoundClosed{.round = random_.Below(2) == 0 ? round.value_or(Round(1)) : Round(3)});
      case 3:
        return Answer(ComeBack{absl::Seconds(random_.Below(3))});
      case 4:
        if (!agent_.check_in()) return;
        agent_.FailCheckIn();
        return Check();
      case 5:
        return Restart();
      case 6:
        return RunOut();
      case 7:
        agent_.Post(SiteChanged{});
        return Check();
      case 8:
        return Answer(AdvertiseInstruction{.round = round.value_or(Round(2)), .attempt = 1});
      case 9:
        return Answer(UnmaskInstruction{.round = round.value_or(Round(1)), .attempt = 1});
      default:
        return AnswerStep();
    }
  }

 private:
  static SecretBytes SeedOf(uint64_t seed) {
    SecretBytes bytes(32);
    for (size_t i = 0; i < 8; ++i) bytes.Mutable()[i] = static_cast<uint8_t>(seed >> (8 * i));
    return bytes;
  }

  // Mostly what suits a plan with the secure sum.
  std::optional<SharesInbox> SomeInbox() { return random_.Below(5) == 0 ? std::nullopt : std::optional(SharesInbox{}); }

  void Answer(Instruction instruction) {
    if (!agent_.check_in()) return;
    agent_.Answer(std::move(instruction));
    Check();
  }

  CallOutcome SomeOutcome() {
    static constexpr Verdict kVerdicts[] = {Verdict::kDone,      Verdict::kDone,      Verdict::kDone,
                                            Verdict::kTryAgain,  Verdict::kStartOver, Verdict::kRoundOver,
                                            Verdict::kImpossible};
    return {.verdict = kVerdicts[random_.Below(std::size(kVerdicts))]};
  }

  void AnswerStep() {
    if (!step_) return;
    const Effect effect = *std::exchange(step_, {});
    const uint64_t luck = random_.Below(10);
    if (const auto* fetch = std::get_if<Asked<FetchBlob>>(&effect.asked)) {
      agent_.Post(BlobFetched{fetch->ticket, SomeOutcome()});
    } else if (const auto* vet = std::get_if<Asked<VetPlan>>(&effect.asked)) {
      if (luck == 0) {
        agent_.Post(TaskRefused{vet->ticket, Refused{RefusalReason::kOutsideHours, ""}});
      } else {
        agent_.Post(PlanVetted{vet->ticket});
      }
    } else if (const auto* train = std::get_if<Asked<TrainUpdate>>(&effect.asked)) {
      if (luck == 0) {
        agent_.Post(TaskFailed{train->ticket, Failed{FailureReason::kPlanError, ""}});
      } else {
        summed_ = random_.Below(3) > 0 ? std::optional(Terms()) : std::nullopt;
        if (summed_) summed_->round = *RoundOf(agent_.machine().state());
        agent_.Post(UpdateTrained{train->ticket, summed_});
      }
    } else if (const auto* release = std::get_if<Asked<ReleaseUpdate>>(&effect.asked)) {
      ++debits_;
      spooled_ = Blob(fmt::format("update {}", debits_));
      released_ = release->round;
      agent_.Post(UpdateReleased{release->ticket, *spooled_});
    } else if (const auto* report = std::get_if<Asked<ReportOutcome>>(&effect.asked)) {
      agent_.Post(OutcomeReported{report->ticket, SomeOutcome()});
    } else if (const auto* upload = std::get_if<Asked<UploadUpdate>>(&effect.asked)) {
      agent_.Post(UpdateUploaded{upload->ticket, SomeOutcome()});
    } else if (const auto* sum = std::get_if<Asked<TakeSumStep>>(&effect.asked)) {
      if (luck == 0) {
        agent_.Post(TaskRefused{sum->ticket, Refused{RefusalReason::kVectorSpent, ""}});
      } else if (sum->masks) {
        agent_.Post(UpdateMasked{sum->ticket, Masked()});
      } else {
        agent_.Post(SumStepTaken{sum->ticket, SomeOutcome()});
      }
    }
    Check();
  }

  void Restart() {
    step_.reset();
    agent_.Restart(agent_.record() ? spooled_ : std::nullopt);
    Check();
  }

  void RunOut() {
    for (const Timer timer : {Timer::kConversation, Timer::kTask}) {
      if (agent_.due(timer)) {
        agent_.RunOut(timer);
        Check();
      }
    }
  }

  template <typename T>
  struct Asked {
    Ticket ticket = 0;
    RoundId round;
    bool masks = false;
  };
  struct Effect {
    std::variant<Asked<FetchBlob>, Asked<VetPlan>, Asked<TrainUpdate>, Asked<ReleaseUpdate>, Asked<ReportOutcome>,
                 Asked<UploadUpdate>, Asked<TakeSumStep>>
        asked;
  };

  template <typename T>
  void Take(const agent::Effect& effect) {
    const T* asked = std::get_if<T>(&effect);
    if (asked == nullptr) return;
    EXPECT_FALSE(step_) << "two steps of a task at once";
    step_ = Effect{Asked<T>{.ticket = asked->ticket}};
    if constexpr (std::is_same_v<T, TakeSumStep>) {
      EXPECT_EQ(asked->terms, summed_) << "a step only where the plan has the secure sum, on the store's own terms";
      EXPECT_EQ(asked->update, spooled_);
      std::get<Asked<T>>(step_->asked).masks = std::holds_alternative<CollectInstruction>(asked->instruction);
    }
  }

  void Check() {
    bool saved_since_start = false;
    for (const agent::Effect& effect : agent_.effects()) {
      if (std::holds_alternative<SaveRecord>(effect)) saved_since_start = true;
      if (std::holds_alternative<StopTask>(effect)) step_.reset();
      if (std::holds_alternative<DropSpool>(effect)) {
        EXPECT_FALSE(agent_.record()) << "the spool may go only after the record";
        spooled_.reset();
      }
      if (const auto* report = std::get_if<ReportOutcome>(&effect)) {
        ASSERT_TRUE(agent_.record());
        EXPECT_EQ(RoundOf(*agent_.record()), report->round) << "what is reported must be on record";
        const auto* trained = std::get_if<Trained>(&report->outcome);
        if (trained != nullptr && !summed_) {
          EXPECT_EQ(spooled_, trained->update) << "reported is what is in the spool";
        }
        if (trained != nullptr && summed_) {
          EXPECT_EQ(trained->update.digest, Digest());
        }
      }
      if (const auto* upload = std::get_if<UploadUpdate>(&effect)) {
        EXPECT_EQ(upload->masked, summed_.has_value()) << "a vector that is to be summed never leaves bare";
        EXPECT_EQ(summed_ ? Masked() : spooled_, upload->update);
      }
      if (std::holds_alternative<ReleaseUpdate>(effect)) {
        EXPECT_TRUE(saved_since_start) << "the record must say so before the ledger is asked";
        EXPECT_TRUE(std::holds_alternative<ReleasingRecord>(*agent_.record()));
      }
      Take<FetchBlob>(effect);
      Take<VetPlan>(effect);
      Take<TrainUpdate>(effect);
      Take<ReleaseUpdate>(effect);
      Take<ReportOutcome>(effect);
      Take<UploadUpdate>(effect);
      Take<TakeSumStep>(effect);
    }
    const State& state = agent_.machine().state();
    EXPECT_EQ(std::holds_alternative<Idle>(state), !agent_.record()) << NameOf(state);
    if (agent_.record()) {
      EXPECT_EQ(RoundOf(state), RoundOf(*agent_.record()));
    }
    const bool spoken_for = std::holds_alternative<Reporting>(state) || std::holds_alternative<Uploading>(state) ||
                            std::holds_alternative<Summing>(state);
    if (spoken_for) {
      EXPECT_FALSE(agent_.check_in());
    }
    // Never stuck: something is always asked, worked on, or timed.
    EXPECT_TRUE(agent_.check_in() || step_ || agent_.due(Timer::kConversation) || agent_.due(Timer::kTask));
  }

  AesCtrStream random_;
  AgentHarness agent_;
  std::optional<Effect> step_;
  std::optional<BlobName> spooled_;
  std::optional<CohortTerms> summed_;  // Of the plan in hand.
  RoundId released_;
  int debits_ = 0;
};

class WalkTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(WalkTest, KeepsItsLaws) {
  Walk walk(GetParam());
  for (int i = 0; i < 2000 && !HasFailure(); ++i) walk.Step();
}

INSTANTIATE_TEST_SUITE_P(, WalkTest, ::testing::Range(uint64_t{1}, uint64_t{21}));

}  // namespace
}  // namespace aisle::agent

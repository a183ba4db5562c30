// The steps of the secure sum as the agent's core orders them. What a step says is judged elsewhere; here headquarters
// and the step itself are played.
#include <gtest/gtest.h>

#include "tests/base/expect_cover.h"
#include "tests/store-agent-agent/agent_harness.h"

namespace aisle::agent {
namespace {

class SummingTest : public ::testing::Test {
 protected:
  SummingTest() {
    agent_.Start();
    agent_.SumSecurely();
  }
  void Hold() { agent_.Reach("holding"); }
  void HearReport() { agent_.Post(OutcomeReported{agent_.step<ReportOutcome>().ticket}); }
  void Deliver() { agent_.Reach("delivered"); }
  AdvertiseInstruction Advertise(uint32_t attempt = 1) const { return {.round = Round(1), .attempt = attempt}; }
  Ticket step() const { return agent_.step<TakeSumStep>().ticket; }
  RefusalReason Refusal() const {
    const auto* refused = std::get_if<Refused>(&agent_.step<ReportOutcome>().outcome);
    EXPECT_NE(refused, nullptr);
    return refused == nullptr ? RefusalReason::kPlanInvalid : refused->reason;
  }

  AgentHarness agent_;
};

TEST_F(SummingTest, ARoundGoesThroughAllSteps) {
  agent_.Reach("reporting");
  EXPECT_EQ(std::get<FinishedRecord>(*agent_.record()).held.sum, Terms());
  HearReport();
  for (const SumInstruction& instruction :
       {SumInstruction(Advertise()), SumInstruction(ShareInstruction{.round = Round(1)})}) {
    agent_.Answer(std::visit([](const auto& told) { return Instruction(told); }, instruction));
    EXPECT_EQ(agent_.state(), "summing");
    EXPECT_FALSE(agent_.check_in()) << "the step speaks for the store";
    EXPECT_EQ(agent_.step<TakeSumStep>().terms, Terms());
    EXPECT_EQ(agent_.step<TakeSumStep>().update, Update());
    EXPECT_EQ(agent_.step<TakeSumStep>().instruction.index(), instruction.index());
    agent_.Post(SumStepTaken{step()});
    EXPECT_EQ(agent_.state(), "holding");
    EXPECT_EQ(agent_.check_in()->standing, StoreStanding::kTrained);
  }
  agent_.Answer(CollectInstruction{.round = Round(1), .inbox = SharesInbox{}});
  agent_.Post(UpdateMasked{step(), Masked()});
  EXPECT_TRUE(agent_.step<UploadUpdate>().masked);
  EXPECT_EQ(agent_.step<UploadUpdate>().update, Masked());
  agent_.Post(UpdateUploaded{agent_.step<UploadUpdate>().ticket});
  for (const Instruction& instruction :
       {Instruction(ConfirmInstruction{.round = Round(1)}), Instruction(UnmaskInstruction{.round = Round(1)})}) {
    agent_.Answer(instruction);
    EXPECT_EQ(agent_.state(), "summing");
    agent_.Post(SumStepTaken{step()});
    EXPECT_EQ(agent_.state(), "delivered");
    EXPECT_EQ(agent_.check_in()->standing, StoreStanding::kUploaded);
  }
  agent_.Answer(RoundClosed{.round = Round(1), .outcome = RoundOutcome::kCommitted});
  EXPECT_EQ(agent_.state(), "idle");
}

TEST_F(SummingTest, HeadquartersIsNotToldTheDigestOfAVectorThatItWillNotSee) {
  agent_.Reach("reporting");
  EXPECT_EQ(std::get<Trained>(agent_.step<ReportOutcome>().outcome).update, (BlobName{.digest = {}, .size = 24}));
  HearReport();
  agent_.Answer(agent_.Instruct());  // Headquarters forgot.
  EXPECT_EQ(std::get<Trained>(agent_.step<ReportOutcome>().outcome).update.digest, Digest());
}

TEST_F(SummingTest, TheAttemptIsHeadquartersAndAllElseIsTheStores) {
  Hold();
  agent_.Answer(Advertise(3));
  EXPECT_EQ(agent_.step<TakeSumStep>().terms, Terms(3));
  agent_.Post(SumStepTaken{step()});
  agent_.Answer(CollectInstruction{.round = Round(1), .inbox = SharesInbox{.attempt = 2}});
  EXPECT_EQ(agent_.step<TakeSumStep>().terms, Terms(2));
}

TEST_F(SummingTest, AVectorWithoutMasksIsNeverSent) {
  const test::ExpectCover cover("agent.bare_vector_refused");
  Hold();
  agent_.Answer(CollectInstruction{.round = Round(1)});
  EXPECT_EQ(agent_.Find<UploadUpdate>(), nullptr);
  EXPECT_EQ(Refusal(), RefusalReason::kSecureSumRequired);
}

TEST_F(SummingTest, NorAfterTheMaskedOneWas) {
  Deliver();
  agent_.Answer(CollectInstruction{.round = Round(1)});
  EXPECT_EQ(agent_.Find<UploadUpdate>(), nullptr);
  EXPECT_EQ(Refusal(), RefusalReason::kSecureSumRequired);
}

// Masked for a second cohort, two sums with and without this store would tell its vector.
TEST_F(SummingTest, AVectorThatWasDeliveredIsSpent) {
  const test::ExpectCover cover("agent.delivered_vector_spent");
  Deliver();
  agent_.Answer(AdvertiseInstruction{.round = Round(1), .attempt = 2});
  EXPECT_EQ(agent_.Find<TakeSumStep>(), nullptr);
  EXPECT_EQ(Refusal(), RefusalReason::kVectorSpent);
}

TEST_F(SummingTest, AskedAgainItIsMaskedAgain) {
  Deliver();
  agent_.Answer(CollectInstruction{.round = Round(1), .inbox = SharesInbox{}});
  EXPECT_NE(agent_.Find<TakeSumStep>(), nullptr);
  agent_.Post(UpdateMasked{step(), Masked()});
  EXPECT_TRUE(agent_.step<UploadUpdate>().resume);
  EXPECT_TRUE(agent_.step<UploadUpdate>().masked);
}

TEST_F(SummingTest, ARefusalIsReportedWithItsReasonAndEndsTheTask) {
  Hold();
  agent_.Answer(ShareInstruction{.round = Round(1)});
  agent_.Post(TaskRefused{step(), Refused{RefusalReason::kRosterForged, "signed by nobody"}});
  EXPECT_EQ(Refusal(), RefusalReason::kRosterForged);
  EXPECT_TRUE(std::holds_alternative<GivenUpRecord>(*agent_.record()));
  agent_.Post(OutcomeReported{agent_.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent_.step<TellRoundEnded>().refusal, RefusalReason::kRosterForged);
  EXPECT_EQ(agent_.step<DropSpool>().round, Round(1));
  EXPECT_TRUE(agent_.check_in()->declined_plans.empty()) << "the plan isn't to blame";
}

TEST_F(SummingTest, AStepIsTakenAgainUntilHeadquartersHasIt) {
  Hold();
  agent_.Answer(Advertise());
  for (int i = 0; i < 3; ++i) {
    agent_.Post(SumStepTaken{step(), Again()});
    EXPECT_FALSE(agent_.check_in());
    agent_.RunOut(Timer::kTask);
    EXPECT_TRUE(std::holds_alternative<AdvertiseInstruction>(agent_.step<TakeSumStep>().instruction));
  }
  agent_.Post(SumStepTaken{step()});
  EXPECT_EQ(agent_.state(), "holding");
}

TEST_F(SummingTest, AStepThatCameTooLateIsLetGo) {
  const test::ExpectCover cover("agent.sum_step_late");
  Deliver();
  agent_.Answer(ConfirmInstruction{.round = Round(1)});
  agent_.Post(SumStepTaken{step(), {.verdict = Verdict::kRoundOver}});
  EXPECT_EQ(agent_.state(), "delivered");
  EXPECT_TRUE(agent_.check_in());
}

TEST_F(SummingTest, WhatHeadquartersWillNeverTakeEndsTheTask) {
  Hold();
  agent_.Answer(Advertise());
  agent_.Post(SumStepTaken{step(), {.verdict = Verdict::kImpossible, .detail = "no such step"}});
  EXPECT_EQ(std::get<Failed>(agent_.step<ReportOutcome>().outcome).reason, FailureReason::kPlanError);
}

TEST_F(SummingTest, AStaleAnswerChangesNothing) {
  Hold();
  agent_.Answer(Advertise());
  const Ticket stale = step() - 1;
  agent_.Post(SumStepTaken{stale});
  agent_.Post(UpdateMasked{stale, Masked()});
  EXPECT_EQ(agent_.state(), "summing");
}

TEST_F(SummingTest, StepsOfAnotherRoundAreIgnored) {
  Hold();
  agent_.Answer(AdvertiseInstruction{.round = Round(2)});
  EXPECT_EQ(agent_.state(), "holding");
  EXPECT_EQ(agent_.Find<TakeSumStep>(), nullptr);
}

TEST_F(SummingTest, BeforeTheVectorIsFinishedThereIsNothingToSum) {
  agent_.Reach("training");
  agent_.Answer(Advertise());
  EXPECT_EQ(agent_.state(), "training");
}

TEST_F(SummingTest, AStoreThatLostItsVectorSaysSo) {
  agent_.Answer(Advertise());
  EXPECT_EQ(std::get<Failed>(agent_.step<ReportOutcome>().outcome).reason, FailureReason::kStorage);
}

TEST(PlainTest, APlanWithoutTheSecureSumTakesNoneOfItsSteps) {
  for (const Instruction& instruction : {Instruction(AdvertiseInstruction{.round = Round(1)}),
                                         Instruction(CollectInstruction{.round = Round(1), .inbox = SharesInbox{}})}) {
    AgentHarness agent;
    agent.Start();
    agent.Reach("holding");
    agent.Answer(instruction);
    EXPECT_EQ(agent.Find<UploadUpdate>(), nullptr);
    EXPECT_EQ(std::get<Refused>(agent.step<ReportOutcome>().outcome).reason, RefusalReason::kTermsDiffer);
  }
}

}  // namespace
}  // namespace aisle::agent

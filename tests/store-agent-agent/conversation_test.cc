#include "store-agent/agent/conversation.h"

#include <gtest/gtest.h>

#include "tests/store-agent-agent/agent_harness.h"

namespace aisle::agent {
namespace {

TEST(ConversationTest, ComesBackWhenAsked) {
  AgentHarness agent;
  agent.Start();
  agent.Answer(ComeBack{absl::Minutes(3)});
  EXPECT_FALSE(agent.check_in());
  EXPECT_EQ(*agent.due(Timer::kConversation), agent.now() + absl::Minutes(3));
  agent.RunOut(Timer::kConversation);
  EXPECT_TRUE(agent.check_in());
}

TEST(ConversationTest, ComesBackNoLaterThanTheLimit) {
  AgentHarness agent;
  agent.Start();
  agent.Answer(ComeBack{absl::Hours(1000)});
  EXPECT_EQ(*agent.due(Timer::kConversation), agent.now() + kComeBackMax);
}

TEST(ConversationTest, AHeldCheckInIsAskedAgainAtOnce) {
  AgentHarness agent;
  agent.Start();
  for (int i = 0; i < 20; ++i) {
    agent.Pass(absl::Seconds(60));
    agent.Answer(ComeBack{});
    ASSERT_TRUE(agent.check_in());
  }
}

TEST(ConversationTest, QuickAnswersDontMakeABusyLoop) {
  AgentHarness agent;
  agent.Start();
  int asked = 0;
  const absl::Time until = agent.now() + absl::Seconds(10);
  while (agent.now() < until) {
    if (agent.check_in()) {
      ++asked;
      agent.Answer(RoundClosed{.round = Round(7)});
    } else {
      agent.RunOut(Timer::kConversation);
    }
  }
  EXPECT_LE(asked, kQuickAnswersMax + 1 + absl::Seconds(10) / kPaceMin);
}

TEST(ConversationTest, NewsBreaksAPauseThatHeadquartersAskedFor) {
  AgentHarness agent;
  agent.Start();
  agent.Answer(ComeBack{absl::Hours(1)});
  agent.Post(SiteChanged{});
  EXPECT_TRUE(agent.check_in());
  EXPECT_FALSE(agent.due(Timer::kConversation));
}

TEST(ConversationTest, NewsIsToldInPlaceOfWhatWasSaid) {
  AgentHarness agent;
  agent.Start();
  const Ticket first = agent.check_in()->ticket;
  agent.Post(SiteChanged{});
  EXPECT_NE(agent.Find<CloseCheckIn>(), nullptr);
  EXPECT_NE(agent.check_in()->ticket, first);
}

TEST(ConversationTest, NewsDoesntBreakABackOff) {
  AgentHarness agent;
  agent.Start();
  agent.FailCheckIn();
  agent.Post(SiteChanged{});
  EXPECT_FALSE(agent.check_in());
  agent.RunOut(Timer::kConversation);
  EXPECT_TRUE(agent.check_in());
}

TEST(ConversationTest, FailuresBackOffWithFullJitterUpToTheCap) {
  AgentHarness agent;
  agent.Start();
  absl::Duration longest;
  for (int i = 0; i < 40; ++i) {
    agent.FailCheckIn();
    const absl::Duration wait = *agent.due(Timer::kConversation) - agent.now();
    EXPECT_LE(wait, std::min(kBackoffCap, kBackoffBase * (int64_t{1} << std::min(i, 20))));
    longest = std::max(longest, wait);
    agent.RunOut(Timer::kConversation);
  }
  EXPECT_GT(longest, kBackoffCap / 2);
  agent.Answer(ComeBack{});
  agent.FailCheckIn();
  EXPECT_LE(*agent.due(Timer::kConversation) - agent.now(), kBackoffBase) << "an answer starts the count anew";
}

TEST(ConversationTest, HeadquartersMayAskForALongerBackOff) {
  AgentHarness agent;
  agent.Start();
  agent.FailCheckIn(Again(absl::Minutes(5)));
  EXPECT_EQ(*agent.due(Timer::kConversation), agent.now() + absl::Minutes(5));
}

TEST(ConversationTest, ANewStandingBreaksAPause) {
  AgentHarness agent;
  agent.Start();
  agent.Answer(agent.Instruct());
  const Ticket fetching = agent.step<FetchBlob>().ticket;
  agent.Answer(ComeBack{absl::Hours(1)});
  EXPECT_FALSE(agent.check_in());
  agent.Post(TaskFailed{fetching, Failed{FailureReason::kStorage, "the disk is full"}});
  EXPECT_FALSE(agent.due(Timer::kConversation));
  agent.Post(OutcomeReported{agent.step<ReportOutcome>().ticket});
  EXPECT_EQ(agent.check_in()->standing, StoreStanding::kIdle);
}

}  // namespace
}  // namespace aisle::agent

#include "store-agent/supervisor/outcome.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>

namespace aisle {
namespace {

using ::testing::HasSubstr;

// As waitpid packs them: the signal in the low byte, an exit code in the next.
WorkerOutcome DiedOf(int signal, uint64_t peak = 100, uint64_t cap = 1000) {
  return OutcomeOfDeath({.wait_status = signal, .memory_peak = peak, .memory_cap = cap, .last_words = "terminate"});
}

TEST(OutcomeTest, EverySignalHasItsReason) {
  EXPECT_EQ(DiedOf(SIGSYS).end, WorkerEnd::kSandbox);
  EXPECT_EQ(DiedOf(SIGXCPU).end, WorkerEnd::kCpuTimeCap);
  EXPECT_EQ(DiedOf(SIGKILL).end, WorkerEnd::kMemoryCap);
  EXPECT_EQ(DiedOf(SIGSEGV).end, WorkerEnd::kCrash);
  EXPECT_THAT(DiedOf(SIGSEGV).detail, HasSubstr("terminate"));
}

TEST(OutcomeTest, ACrashAtTheMemoryCapIsTheCapsDoing) {
  EXPECT_EQ(DiedOf(SIGABRT, 990, 1000).end, WorkerEnd::kMemoryCap);
  EXPECT_EQ(DiedOf(SIGABRT, 500, 1000).end, WorkerEnd::kCrash);
}

TEST(OutcomeTest, AnExitInTheMiddleOfATaskIsACrash) {
  const WorkerOutcome outcome =
      OutcomeOfDeath({.wait_status = 3 << 8, .memory_peak = 1, .memory_cap = 0, .last_words = ""});
  EXPECT_EQ(outcome.end, WorkerEnd::kCrash);
  EXPECT_THAT(outcome.detail, HasSubstr("code 3"));
}

TEST(OutcomeTest, AFailureReplyIsItsReason) {
  v1::WorkerReply reply;
  reply.mutable_failure()->set_reason(v1::WorkerFailure::REASON_PLAN_ERROR);
  reply.mutable_failure()->set_detail(std::string(5000, 'x'));
  const WorkerOutcome outcome = OutcomeOfReply(reply);
  EXPECT_EQ(outcome.end, WorkerEnd::kPlanError);
  EXPECT_EQ(outcome.detail.size(), 2000U);
  EXPECT_TRUE(outcome.worker_survives());
  reply.mutable_failure()->set_reason(v1::WorkerFailure::REASON_UNSPECIFIED);
  EXPECT_EQ(OutcomeOfReply(reply).end, WorkerEnd::kBadFrame);
}

std::string MarkOf(int customers, uint64_t request_id) {
  v1::WorkerReply reply;
  reply.set_request_id(request_id);
  reply.mutable_mark()->set_step(2);
  for (int i = 0; i < customers; ++i) reply.mutable_mark()->add_customers(static_cast<uint32_t>(i));
  return reply.SerializeAsString();
}

TEST(OutcomeTest, AMarkSaysOnWhomTheWorkerIsAtWork) {
  const WorkerWord word = UnderstandWorker(MarkOf(3, 7), 7);
  const auto* mark = std::get_if<WorkerMark>(&word);
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->step, 2U);
  EXPECT_EQ(mark->customers, (std::vector<uint32_t>{0, 1, 2}));
}

TEST(OutcomeTest, WhatWasNotAskedForIsABadFrame) {
  v1::WorkerReply empty;
  empty.set_request_id(7);
  for (const std::string& message :
       {MarkOf(3, 8), MarkOf(kMarkCustomersMax + 1, 7), empty.SerializeAsString(), std::string("\xff")}) {
    const WorkerWord word = UnderstandWorker(message, 7);
    const auto* outcome = std::get_if<WorkerOutcome>(&word);
    ASSERT_NE(outcome, nullptr);
    EXPECT_EQ(outcome->end, WorkerEnd::kBadFrame);
    EXPECT_FALSE(outcome->worker_survives());
  }
  EXPECT_TRUE(std::holds_alternative<WorkerMark>(UnderstandWorker(MarkOf(kMarkCustomersMax, 7), 7)));
}

TEST(OutcomeTest, EveryEndHasANameAndAStatus) {
  std::set<std::string_view> names;
  for (int i = 0; i < kWorkerEnds; ++i) {
    WorkerOutcome outcome;
    outcome.end = static_cast<WorkerEnd>(i);
    names.insert(NameOf(outcome.end));
    EXPECT_EQ(outcome.status().ok(), outcome.end == WorkerEnd::kAnswered);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kWorkerEnds));
}

}  // namespace
}  // namespace aisle

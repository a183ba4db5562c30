#include "coordinator/jobs/job_queue.h"

#include <gtest/gtest.h>

namespace aisle {
namespace {

Opening OpeningFor(const char* job, uint32_t priority = 0, uint64_t served = 0) {
  return {.job = JobId::Parse(job).value(),
          .priority = priority,
          .stores_served = served,
          .plan = Sha256::Of(job),
          .tables = {"sales"}};
}

CheckIn Store() { return {.tables = {TableName::Parse("sales").value(), TableName::Parse("visits").value()}}; }

TEST(CouldServeTest, AStoreNeedsThePlansTablesAndMustNotHaveDeclinedIt) {
  Opening opening = OpeningFor("demand");
  EXPECT_TRUE(CouldServe(opening, Store()));
  CheckIn declined = Store();
  declined.declined_plans = {opening.plan};
  EXPECT_FALSE(CouldServe(opening, declined));
  opening.tables.push_back("weather");
  EXPECT_FALSE(CouldServe(opening, Store()));
}

TEST(CouldServeTest, OnlyAVersionThatKnowsTheSecureSumIsGivenRoundsOfIt) {
  Opening opening = OpeningFor("demand");
  CheckIn old = Store();
  old.protocol_minor = kSecureSumMinor - 1;
  EXPECT_TRUE(CouldServe(opening, old)) << "other rounds are as they were";
  opening.secure_sum = true;
  EXPECT_FALSE(CouldServe(opening, old));
  EXPECT_TRUE(CouldServe(opening, Store()));
  CheckIn tomorrows = Store();
  tomorrows.protocol_minor = kProtocolMinor + 1;
  EXPECT_TRUE(CouldServe(opening, tomorrows));
}

TEST(ChooseTest, TheHighestPriorityThenTheLeastServedThenTheFirstByName) {
  EXPECT_EQ(Choose(std::vector{OpeningFor("a"), OpeningFor("b", 1)}, Store()), 1U);
  EXPECT_EQ(Choose(std::vector{OpeningFor("a", 1, 5), OpeningFor("b", 1, 4), OpeningFor("c")}, Store()), 1U);
  EXPECT_EQ(Choose(std::vector{OpeningFor("b"), OpeningFor("a")}, Store()), 1U);
  EXPECT_EQ(Choose({}, Store()), std::nullopt);
}

TEST(ChooseTest, WhatDoesntFitIsPassedOverWhateverItsPriority) {
  Opening summed = OpeningFor("a", 9);
  summed.secure_sum = true;
  CheckIn old = Store();
  old.protocol_minor = 0;
  EXPECT_EQ(Choose(std::vector{summed, OpeningFor("b")}, old), 1U);
  EXPECT_EQ(Choose(std::vector{summed}, old), std::nullopt);
}

}  // namespace
}  // namespace aisle

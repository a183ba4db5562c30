#include "coordinator/enrolment/agent_instances.h"

#include <gtest/gtest.h>

#include "base/reason.h"
#include "tests/base/expect_cover.h"

namespace aisle {
namespace {

TEST(AgentInstancesTest, LetAnAgentCallAndRestartAsOftenAsItLikes) {
  AgentInstances instances;
  for (uint64_t instance = 1; instance < 100; ++instance) {
    EXPECT_TRUE(instances.Observe(instance).ok());
    EXPECT_TRUE(instances.Observe(instance).ok());
  }
}

TEST(AgentInstancesTest, RefuseTheOlderOfTwoThatAreAlive) {
  const test::ExpectCover cover("enrolment.two_instances");
  AgentInstances instances;
  ASSERT_TRUE(instances.Observe(1).ok());
  ASSERT_TRUE(instances.Observe(2).ok());
  const Status refused = instances.Observe(1);
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), Reason::kDuplicateIdentity);
  EXPECT_TRUE(instances.Observe(2).ok());
}

TEST(AgentInstancesTest, SayNothingOfAgentsThatDoNotTell) {
  AgentInstances instances;
  ASSERT_TRUE(instances.Observe(1).ok());
  EXPECT_TRUE(instances.Observe(0).ok());
  EXPECT_TRUE(instances.Observe(1).ok());
}

}  // namespace
}  // namespace aisle

#include "base/reason.h"

#include <gtest/gtest.h>

#include <set>

namespace aisle {
namespace {

TEST(ReasonTest, RidesInAStatus) {
  const Status status = WithReason(NotFound("x"), Reason::kCodeInvalid, absl::Seconds(90));
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(MessageOf(status), "x");
  EXPECT_EQ(ReasonOf(status), Reason::kCodeInvalid);
  EXPECT_EQ(RetryAfterOf(status), absl::Seconds(90));
}

TEST(ReasonTest, SurvivesMoreContext) {
  const Status status = Annotate(WithReason(NotFound("x"), Reason::kRevoked), "while enrolling");
  EXPECT_EQ(MessageOf(status), "while enrolling: x");
  EXPECT_EQ(ReasonOf(status), Reason::kRevoked);
}

TEST(ReasonTest, IsUnspecifiedWhereNoneWasGiven) {
  EXPECT_EQ(ReasonOf(NotFound("x")), Reason::kUnspecified);
  EXPECT_EQ(ReasonOf(OkStatus()), Reason::kUnspecified);
  EXPECT_TRUE(WithReason(OkStatus(), Reason::kRevoked).ok());
}

TEST(ReasonTest, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(kReasonMax); ++i) names.insert(ReasonName(static_cast<Reason>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kReasonMax) + 1);
  EXPECT_EQ(ReasonName(Reason::kStorageFull), "storage_full");
}

}  // namespace
}  // namespace aisle

#include "store-agent/agent/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aisle::agent {
namespace {

TEST(BackoffTest, IsUniformBelowADoublingCeiling) {
  AesCtrStream random(SecretBytes(32), "backoff");
  for (int failures = 0; failures < 12; ++failures) {
    const absl::Duration ceiling = std::min(kBackoffCap, kBackoffBase * (1 << failures));
    absl::Duration sum;
    constexpr int kDraws = 2000;
    for (int i = 0; i < kDraws; ++i) {
      Backoff backoff;
      for (int j = 0; j < failures; ++j) backoff.Next(random);
      const absl::Duration wait = backoff.Next(random);
      ASSERT_GE(wait, absl::ZeroDuration());
      ASSERT_LE(wait, ceiling);
      sum += wait;
    }
    // The mean of 2000 uniform draws is within 5 standard errors (0.0065 * ceiling each) of the middle.
    EXPECT_NEAR(absl::FDivDuration(sum / kDraws, ceiling), 0.5, 5 * 0.0065);
  }
}

TEST(BackoffTest, NeverOverflows) {
  AesCtrStream random(SecretBytes(32), "backoff");
  Backoff backoff;
  for (int i = 0; i < 1000; ++i) EXPECT_LE(backoff.Next(random), kBackoffCap);
  EXPECT_EQ(backoff.failures(), 1000u);
  backoff.Reset();
  EXPECT_LE(backoff.Next(random), kBackoffBase);
}

}  // namespace
}  // namespace aisle::agent

#include "coordinator/stores/heard_lately.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

namespace aisle {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

TEST(HeardLatelyTest, CountsAStoreOnceHoweverOftenItIsHeardOf) {
  HeardLately heard;
  heard.Note(absl::Time(), kStart);
  heard.Note(kStart, kStart);
  heard.Note(kStart, kStart + absl::Seconds(5));
  EXPECT_EQ(heard.CountSince(kStart), 1u);
  EXPECT_EQ(heard.CountSince(kStart + absl::Seconds(5)), 1u);
  EXPECT_EQ(heard.CountSince(kStart + absl::Seconds(6)), 0u);
}

TEST(HeardLatelyTest, ForgetsAStore) {
  HeardLately heard;
  heard.Note(absl::Time(), kStart);
  heard.Note(absl::Time(), kStart);
  heard.Forget(kStart);
  EXPECT_EQ(heard.CountSince(kStart), 1u);
  heard.Forget(kStart);
  heard.Forget(kStart);  // Never noted.
  EXPECT_EQ(heard.CountSince(kStart), 0u);
}

// The same as looking at each store.
RC_GTEST_PROP(HeardLatelyProperty, CountsAsLookingAtEachDoes, (const std::vector<std::pair<uint8_t, uint8_t>>& calls)) {
  HeardLately heard;
  std::vector<absl::Time> last(8);
  absl::Time now = kStart;
  for (const auto& [store, pause] : calls) {
    now += absl::Seconds(pause % 7);
    absl::Time& before = last[store % last.size()];
    heard.Note(before, now);
    before = now;
    for (int window = 0; window < 30; window += 5) {
      const absl::Time since = now - absl::Seconds(window);
      const auto expected = std::ranges::count_if(last, [&](absl::Time seen) { return seen >= since; });
      RC_ASSERT(heard.CountSince(since) == static_cast<size_t>(expected));
    }
  }
}

}  // namespace
}  // namespace aisle

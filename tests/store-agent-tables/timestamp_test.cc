#include <absl/time/time.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "store-agent/tables/schema.h"

namespace aisle {
namespace {

struct TimestampCase {
  const char* text;
  std::optional<int64_t> seconds;
};

class TimestampTest : public ::testing::TestWithParam<TimestampCase> {};

TEST_P(TimestampTest, IsReadAsSecondsUtc) { EXPECT_EQ(ParseTimestamp(GetParam().text), GetParam().seconds); }

INSTANTIATE_TEST_SUITE_P(
    , TimestampTest,
    ::testing::Values(TimestampCase{"1970-01-01", 0}, TimestampCase{"1970-01-02 00:00:01", 86401},
                      TimestampCase{"2017-01-28T14:06:53Z", 1485612413}, TimestampCase{"2009-01-01T00:00", 1230768000},
                      TimestampCase{"2017-01-28 15:06:53+01:00", 1485612413},
                      TimestampCase{"2017-01-28 09:06:53.123456-0500", 1485612413},
                      TimestampCase{"2016-12-31 23:59:60", 1483228799}, TimestampCase{"2000-02-29", 951782400},
                      TimestampCase{"1900-02-29", std::nullopt}, TimestampCase{"2017-13-01", std::nullopt},
                      TimestampCase{"2017-00-01", std::nullopt}, TimestampCase{"2017-04-31", std::nullopt},
                      TimestampCase{"2017-01-28 24:00", std::nullopt}, TimestampCase{"2017-01-28 ", std::nullopt},
                      TimestampCase{"2017-01-28 10", std::nullopt}, TimestampCase{"2017-1-28", std::nullopt},
                      TimestampCase{"2017-01-28 10:00x", std::nullopt}, TimestampCase{"-017-01-28", std::nullopt},
                      TimestampCase{"2017-01--8", std::nullopt}, TimestampCase{"", std::nullopt},
                      TimestampCase{"2017-01-28 10:00:00.", std::nullopt},
                      TimestampCase{"2017-01-28 10:00+1", std::nullopt}, TimestampCase{"0000-01-01", std::nullopt}));

RC_GTEST_PROP(TimestampLaw, AgreesWithAbseil, ()) {
  const int64_t seconds = *rc::gen::inRange<int64_t>(-62135596800, 253402300800);
  const std::string text =
      absl::FormatTime("%E4Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
  RC_ASSERT(ParseTimestamp(text) == seconds);
}

}  // namespace
}  // namespace aisle

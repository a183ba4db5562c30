#include "store-agent/tables/occurrences.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

class OccurrencesTest : public ::testing::Test {
 protected:
  OccurrencesTest() {
    database_ = std::move(KeyValueStore::Open(folder_.File("db"), {.families = {"scratch"}})).value();
    scratch_ = database_->FamilyNamed("scratch");
  }

  TemporaryFolder folder_;
  std::unique_ptr<KeyValueStore> database_;
  Family scratch_;
};

RC_GTEST_FIXTURE_PROP(OccurrencesTest, CountsLikeAMapHoweverLittleItHolds, ()) {
  const auto marks = *rc::gen::container<std::vector<uint64_t>>(rc::gen::inRange<uint64_t>(0, 20));
  const size_t held_max = *rc::gen::inRange<size_t>(1, 10);
  OccurrenceCounter counter(*database_, scratch_, 1, held_max);
  std::map<uint64_t, uint32_t> expected;
  for (const uint64_t mark : marks) RC_ASSERT(*counter.Count(mark) == expected[mark]++);
}

TEST_F(OccurrencesTest, SessionsDoNotMixAndLeaveNothingBehind) {
  {
    OccurrenceCounter first(*database_, scratch_, 1, 2);
    OccurrenceCounter second(*database_, scratch_, 2, 2);
    for (uint64_t mark = 0; mark < 10; ++mark) EXPECT_EQ(*first.Count(mark), 0u);
    for (uint64_t mark = 0; mark < 10; ++mark) EXPECT_EQ(*second.Count(mark), 0u);
    EXPECT_EQ(*first.Count(3), 1u);
    EXPECT_TRUE(database_->Prefix(scratch_, "").Valid());
  }
  EXPECT_FALSE(database_->Prefix(scratch_, "").Valid());
}

}  // namespace
}  // namespace aisle

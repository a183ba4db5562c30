#include "store-agent/tables/occurrences.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "tests/storage/temporary_folder.h"

namespace aisle {
namespace {

// A database of its own, shared by all cases: sessions keep them apart.
struct Scratch {
  TemporaryFolder folder;
  std::unique_ptr<KeyValueStore> database = KeyValueStore::Open(folder.File("db"), {.families = {"scratch"}}).value();
  Family family = database->FamilyNamed("scratch");
};

RC_GTEST_PROP(OccurrencesLaw, CountsLikeAMapHoweverLittleItHolds, ()) {
  static Scratch scratch;
  static uint64_t session = 0;
  const auto marks = *rc::gen::container<std::vector<uint64_t>>(rc::gen::inRange<uint64_t>(0, 20));
  const size_t held_max = *rc::gen::inRange<size_t>(1, 10);
  OccurrenceCounter counter(*scratch.database, scratch.family, ++session, held_max);
  std::map<uint64_t, uint32_t> expected;
  for (const uint64_t mark : marks) RC_ASSERT(*counter.Count(mark) == expected[mark]++);
}

TEST(OccurrencesTest, SessionsDoNotMixAndLeaveNothingBehind) {
  const Scratch scratch;
  {
    OccurrenceCounter first(*scratch.database, scratch.family, 1, 2);
    OccurrenceCounter second(*scratch.database, scratch.family, 2, 2);
    for (uint64_t mark = 0; mark < 10; ++mark) EXPECT_EQ(*first.Count(mark), 0u);
    for (uint64_t mark = 0; mark < 10; ++mark) EXPECT_EQ(*second.Count(mark), 0u);
    EXPECT_EQ(*first.Count(3), 1u);
    EXPECT_TRUE(scratch.database->Prefix(scratch.family, "").Valid());
  }
  EXPECT_FALSE(scratch.database->Prefix(scratch.family, "").Valid());
}

}  // namespace
}  // namespace aisle

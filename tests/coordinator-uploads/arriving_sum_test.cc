#include "coordinator/uploads/arriving_sum.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/coordinator-uploads/sample_updates.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ArrivingSum::Reader ReaderOf(const std::string& bytes) {
  return [bytes](uint64_t offset, char* data, size_t size) -> Status {
    if (offset + size > bytes.size()) return DataLoss("only {} bytes are here", bytes.size());
    bytes.copy(data, size, offset);
    return OkStatus();
  };
}

Status Unreadable(uint64_t, char*, size_t) { return Unavailable("the disk is away"); }

class ArrivingSumTest : public ::testing::Test {
 protected:
  // The `count` bytes of an update from `offset` on.
  void Arrive(size_t store, const std::string& update, uint64_t offset, size_t count) {
    sum_.Arrived(Store(store), NameOf(update), offset, std::string_view(update).substr(offset, count));
  }
  Status Complete(size_t store, const std::string& update) {
    return sum_.Complete(Store(store), NameOf(update), ReaderOf(update));
  }
  std::vector<uint32_t> Take() {
    const ModularSum taken = sum_.Take();
    return {taken.values().begin(), taken.values().end()};
  }
  uint64_t BytesIn(size_t store) const {
    uint64_t bytes = 0;
    for (const ArrivingSum::Share& share : sum_.shares()) bytes += share.store == Store(store) ? share.bytes : 0;
    return bytes;
  }

  ArrivingSum sum_{3};
  const std::string one_ = BytesOf({1, 2, 3});
  const std::string two_ = BytesOf({10, 0xffffffff, 30});
};

TEST_F(ArrivingSumTest, TakesInWhatArrivesInOrder) {
  Arrive(1, one_, 0, 8);
  Arrive(2, two_, 0, 12);
  Arrive(1, one_, 8, 4);
  EXPECT_THAT(Take(), ElementsAre(11, 1, 33));
}

TEST_F(ArrivingSumTest, ReadsOnlyWhatDidNotArriveHere) {
  Arrive(1, one_, 0, 8);
  uint64_t first_read = 0;
  const auto read = [&](uint64_t offset, char* data, size_t size) {
    first_read = offset;
    return ReaderOf(one_)(offset, data, size);
  };
  ASSERT_TRUE(sum_.Complete(Store(1), NameOf(one_), read).ok());
  EXPECT_EQ(first_read, 8u);
  EXPECT_TRUE(sum_.Complete(Store(1), NameOf(one_), Unreadable).ok()) << "It is whole: nothing is to be read.";
  EXPECT_THAT(Take(), ElementsAre(1, 2, 3));
}

TEST_F(ArrivingSumTest, LeavesAloneWhatIsNotTheNextPiece) {
  Arrive(1, one_, 4, 8);  // Its beginning came before a restart.
  EXPECT_EQ(BytesIn(1), 0u);
  Arrive(1, one_, 0, 4);
  Arrive(1, one_, 0, 4);  // Again.
  Arrive(1, one_, 8, 4);  // Beyond a gap.
  EXPECT_EQ(BytesIn(1), 4u);
  ASSERT_TRUE(Complete(1, one_).ok());
  EXPECT_THAT(Take(), ElementsAre(1, 2, 3));
}

TEST_F(ArrivingSumTest, APieceThatCutsACoordinateIsTheLastToGoInByItself) {
  Arrive(1, one_, 0, 6);
  EXPECT_EQ(BytesIn(1), 4u);
  Arrive(1, one_, 6, 6);
  EXPECT_EQ(BytesIn(1), 4u);
  ASSERT_TRUE(Complete(1, one_).ok());
  EXPECT_THAT(Take(), ElementsAre(1, 2, 3));
}

TEST_F(ArrivingSumTest, TakesOutWhatDoesNotBelong) {
  Arrive(1, one_, 0, 8);
  Arrive(2, two_, 0, 12);
  sum_.Withdraw(Store(1), NameOf(one_), ReaderOf(one_));
  EXPECT_FALSE(sum_.spoilt());
  EXPECT_EQ(sum_.shares().size(), 1u);
  EXPECT_THAT(Take(), ElementsAre(10, 0xffffffff, 30));
}

TEST_F(ArrivingSumTest, KnowsTwoUpdatesOfOneStoreApart) {
  Arrive(1, one_, 0, 8);
  Arrive(1, two_, 0, 12);
  sum_.Withdraw(Store(1), NameOf(one_), ReaderOf(one_));
  EXPECT_THAT(Take(), ElementsAre(10, 0xffffffff, 30));
}

TEST_F(ArrivingSumTest, IsSpoiltByWhatCannotBeTakenOut) {
  Arrive(1, one_, 0, 8);
  sum_.Withdraw(Store(1), NameOf(one_), Unreadable);
  EXPECT_TRUE(sum_.spoilt());
  sum_.Clear();
  EXPECT_FALSE(sum_.spoilt());
  EXPECT_THAT(sum_.shares(), IsEmpty());
  Arrive(1, one_, 8, 4);  // The rest of what is no longer in it.
  ASSERT_TRUE(Complete(2, two_).ok());
  EXPECT_THAT(Take(), ElementsAre(10, 0xffffffff, 30));
}

TEST_F(ArrivingSumTest, IsSpoiltByLosingAPartAndOnlyThen) {
  sum_.Lose(Store(1), NameOf(one_));
  EXPECT_FALSE(sum_.spoilt());
  Arrive(1, one_, 0, 4);
  sum_.Lose(Store(1), NameOf(two_));
  EXPECT_FALSE(sum_.spoilt());
  sum_.Lose(Store(1), NameOf(one_));
  EXPECT_TRUE(sum_.spoilt());
}

TEST_F(ArrivingSumTest, WhatWasAddedBeforeAReadFailedIsKnown) {
  Arrive(1, one_, 0, 4);
  EXPECT_FALSE(sum_.Complete(Store(1), NameOf(one_), Unreadable).ok());
  EXPECT_EQ(BytesIn(1), 4u);
  sum_.Withdraw(Store(1), NameOf(one_), ReaderOf(one_));
  EXPECT_THAT(Take(), ElementsAre(0, 0, 0));
}

TEST_F(ArrivingSumTest, NothingArrivesOnceItIsClosed) {
  Arrive(1, one_, 0, 4);
  sum_.Close();
  Arrive(1, one_, 4, 8);
  EXPECT_EQ(BytesIn(1), 4u);
  ASSERT_TRUE(Complete(1, one_).ok());
  EXPECT_THAT(Take(), ElementsAre(1, 2, 3));
  Arrive(2, two_, 0, 12);
  EXPECT_THAT(Take(), ElementsAre(0, 0, 0));
}

TEST_F(ArrivingSumTest, ClosingWaitsForThoseThatTakeSomethingOut) {
  Arrive(1, one_, 0, 12);
  std::thread closer;
  sum_.Withdraw(Store(1), NameOf(one_), [&](uint64_t offset, char* data, size_t size) {
    closer = std::thread([&] {
      sum_.Close();
      EXPECT_THAT(Take(), ElementsAre(0, 0, 0));
    });
    return ReaderOf(one_)(offset, data, size);
  });
  closer.join();
}

TEST_F(ArrivingSumTest, TakesPiecesOfManyStoresAtOnce) {
  constexpr size_t kStores = 8;
  constexpr size_t kLength = 4096;
  ArrivingSum sum(kLength);
  const std::string update = BytesOf(std::vector<uint32_t>(kLength, 3));
  std::vector<std::thread> threads;
  for (size_t store = 0; store < kStores; ++store) {
    threads.emplace_back([&, store] {
      for (size_t at = 0; at < update.size(); at += 512) {
        sum.Arrived(Store(store), NameOf(update), at, std::string_view(update).substr(at, 512));
      }
      if (store % 2 == 1) sum.Withdraw(Store(store), NameOf(update), ReaderOf(update));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const ModularSum taken = sum.Take();
  for (const uint32_t value : taken.values()) ASSERT_EQ(value, 3 * kStores / 2);
}

}  // namespace
}  // namespace aisle

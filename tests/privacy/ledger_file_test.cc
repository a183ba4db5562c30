// The ledger's bytes under attack and under power cuts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/cover.h"
#include "privacy/ledger.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

// A ledger of `count` debits, with where each record ends and which head it made.
struct Written {
  std::string file;
  std::vector<size_t> ends;
  std::vector<LedgerHead> heads;

  std::string_view record(size_t i) const { return std::string_view(file).substr(ends[i - 1], ends[i] - ends[i - 1]); }
};

Written Write(uint32_t count, std::string_view owner = "store-1") {
  auto [ledger, file] = OpenLedger(owner);
  Written written{.file = file, .ends = {file.size()}, .heads = {ledger.head()}};
  for (uint32_t round = 1; round <= count; ++round) {
    EXPECT_TRUE(Spend(ledger, written.file, MakeDebit(1, round)).ok());
    written.ends.push_back(written.file.size());
    written.heads.push_back(ledger.head());
  }
  return written;
}

TEST(LedgerFileTest, LoadsWhatWasWritten) {
  const Written written = Write(5);
  const auto loaded = Ledger::Load(written.file, written.heads.back());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->ledger.owner().str(), "store-1");
  EXPECT_EQ(loaded->ledger.opened_at(), TestTime(0));
  EXPECT_EQ(loaded->ledger.head(), written.heads.back());
  EXPECT_EQ(loaded->ledger.entries()[4].debit, MakeDebit(1, 5));
  EXPECT_EQ(loaded->intact_size, written.file.size());
  EXPECT_EQ(loaded->torn_size, 0U);
}

TEST(LedgerFileTest, GoesOnWhereItStopped) {
  Written written = Write(2);
  auto loaded = Ledger::Load(written.file).value();
  ASSERT_TRUE(Spend(loaded.ledger, written.file, MakeDebit(1, 3)).ok());
  EXPECT_EQ(written.file, Write(3).file);
}

TEST(LedgerFileTest, SeesEveryFlippedBitBeforeTheLastRecord) {
  const Written written = Write(4);
  for (size_t at = 0; at < written.ends[3]; ++at) {
    std::string file = written.file;
    file[at] = static_cast<char>(file[at] ^ (1 << (at % 8)));
    EXPECT_EQ(Ledger::Load(file).status().code(), StatusCode::kDataLoss) << "byte " << at;
  }
}

TEST(LedgerFileTest, SeesEveryFlippedBitOfTheLastRecordAgainstItsAnchor) {
  const Written written = Write(2);
  for (size_t at = written.ends[1]; at < written.file.size(); ++at) {
    std::string file = written.file;
    file[at] = static_cast<char>(file[at] ^ 0x10);
    EXPECT_EQ(Ledger::Load(file, written.heads[2]).status().code(), StatusCode::kDataLoss) << "byte " << at;
  }
}

TEST(LedgerFileTest, SeesRemovedReorderedAndRepeatedRecords) {
  const Written written = Write(4);
  const std::string opening = written.file.substr(0, written.ends[0]);
  const auto join = [&](std::initializer_list<size_t> order) {
    std::string file = opening;
    for (const size_t i : order) file += written.record(i);
    return Ledger::Load(file).status().code();
  };
  EXPECT_EQ(join({1, 2, 3, 4}), StatusCode::kOk);
  EXPECT_EQ(join({2, 3, 4}), StatusCode::kDataLoss);
  EXPECT_EQ(join({1, 3, 4}), StatusCode::kDataLoss);
  EXPECT_EQ(join({2, 1, 3, 4}), StatusCode::kDataLoss);
  EXPECT_EQ(join({1, 1, 2, 3, 4}), StatusCode::kDataLoss);
  EXPECT_EQ(join({1, 2, 4, 3}), StatusCode::kDataLoss);
}

TEST(LedgerFileTest, SeesRecordsOfAnotherStore) {
  const Written written = Write(2);
  const Written foreign = Write(2, "store-2");
  const std::string mixed = written.file.substr(0, written.ends[1]) + std::string(foreign.record(2));
  EXPECT_EQ(Ledger::Load(mixed).status().code(), StatusCode::kDataLoss);
}

TEST(LedgerFileTest, SeesACutOrRolledBackFileAgainstItsAnchor) {
  const Written written = Write(4);
  for (size_t kept = 0; kept < 4; ++kept) {
    const std::string_view cut = std::string_view(written.file).substr(0, written.ends[kept]);
    EXPECT_TRUE(Ledger::Load(cut).ok()) << "a chain cut between records is a chain";
    EXPECT_TRUE(Ledger::Load(cut, written.heads[kept]).ok());
    const auto against_later = Ledger::Load(cut, written.heads[4]);
    EXPECT_EQ(against_later.status().code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(MessageOf(against_later.status())), HasSubstr("cut or rolled back"));
  }
}

TEST(LedgerFileTest, SeesARewrittenFileAgainstItsAnchor) {
  const Written written = Write(3);
  const Written rewritten = Write(3, "store-2");
  const auto loaded = Ledger::Load(rewritten.file, written.heads[2]);
  EXPECT_EQ(loaded.status().code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(MessageOf(loaded.status())), HasSubstr("rewritten"));
  EXPECT_EQ(Ledger::Load(rewritten.file, written.heads[0]).status().code(), StatusCode::kDataLoss);
}

TEST(LedgerFileTest, GoesOnAfterAnAnchorThatIsBehind) {
  const Written written = Write(4);
  EXPECT_TRUE(Ledger::Load(written.file, written.heads[1]).ok()) << "the anchor is written after the ledger";
}

TEST(LedgerFileTest, DropsATailTornAtAnyByte) {
  const Written written = Write(3);
  for (size_t size = written.ends[2] + 1; size < written.file.size(); ++size) {
    const uint64_t before = CoverageCount("ledger.torn_tail");
    const auto loaded = Ledger::Load(std::string_view(written.file).substr(0, size), written.heads[2]);
    ASSERT_TRUE(loaded.ok()) << size << ": " << loaded.status();
    EXPECT_EQ(loaded->ledger.head(), written.heads[2]);
    EXPECT_EQ(loaded->intact_size, written.ends[2]);
    EXPECT_EQ(loaded->torn_size, size - written.ends[2]);
    EXPECT_EQ(CoverageCount("ledger.torn_tail"), before + 1);
  }
}

TEST(LedgerFileTest, ATornTailThatWasAnchoredIsNoTornTail) {
  // Its noise was drawn: the record had been durable.
  const Written written = Write(3);
  const auto loaded = Ledger::Load(std::string_view(written.file).substr(0, written.file.size() - 1), written.heads[3]);
  EXPECT_EQ(loaded.status().code(), StatusCode::kDataLoss);
}

TEST(LedgerFileTest, DropsATailWhoseSectorsWereNotAllWritten) {
  // The file has its new size, but sectors of 512 bytes on either side of a boundary were not both written.
  const Written written = Write(20);
  size_t torn = 0;
  for (size_t i = 1; i <= 20; ++i) {
    const size_t begin = written.ends[i - 1];
    const size_t end = written.ends[i];
    const size_t boundary = (begin / 512 + 1) * 512;
    if (boundary >= end) continue;
    ++torn;
    for (const auto& [from, to] : {std::pair(begin, boundary), std::pair(boundary, end), std::pair(begin, end)}) {
      std::string file = written.file.substr(0, end);
      std::fill(file.begin() + static_cast<ptrdiff_t>(from), file.begin() + static_cast<ptrdiff_t>(to), '\0');
      const auto loaded = Ledger::Load(file, written.heads[i - 1]);
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      EXPECT_EQ(loaded->intact_size, begin);
    }
  }
  EXPECT_GE(torn, 5U);
}

TEST(LedgerFileTest, DoesNotTakeLostRecordsForATornTail) {
  // A wrong size in an early record must not make all that follows look like one unfinished write.
  const Written written = Write(5);
  std::string file = written.file;
  file[written.ends[1]] = static_cast<char>(0xff);
  EXPECT_EQ(Ledger::Load(file).status().code(), StatusCode::kDataLoss);
  file = written.file;
  std::fill(file.begin() + static_cast<ptrdiff_t>(written.ends[1]), file.end(), '\0');
  EXPECT_EQ(Ledger::Load(file).status().code(), StatusCode::kDataLoss);
}

TEST(LedgerFileTest, RefusesWhatIsNoLedger) {
  EXPECT_EQ(Ledger::Load("").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Ledger::Load("hello").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Ledger::Load(std::string(10'000, '\0')).status().code(), StatusCode::kDataLoss);
  const LedgerRecord foreign = MakeRecord(Digest{}, "a chain of another kind");
  EXPECT_THAT(std::string(MessageOf(Ledger::Load(foreign.bytes).status())), HasSubstr("not a privacy ledger"));
}

RC_GTEST_PROP(LedgerFileProperty, JunkNeverLoadsAsMoreThanWasWritten, (const std::string& junk)) {
  const Written written = Write(2);
  const auto loaded = Ledger::Load(written.file + junk, written.heads[2]);
  if (loaded.ok()) RC_ASSERT(loaded->ledger.head() == written.heads[2]);
}

}  // namespace
}  // namespace aisle

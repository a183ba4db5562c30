#include "base/pieces.h"

#include <gtest/gtest.h>

#include <vector>

namespace aisle {
namespace {

// The sizes of a whole stream's messages.
std::vector<uint64_t> Cut(uint64_t size, bool careful) {
  std::vector<uint64_t> pieces;
  for (uint64_t carried = 0; carried < size; carried += pieces.back()) {
    pieces.push_back(std::min(PieceSize(careful, carried), size - carried));
  }
  return pieces;
}

TEST(PiecesTest, ACutCostsASixteenthOfWhatGotThroughAtTheMost) {
  uint64_t carried = 0;
  for (const uint64_t piece : Cut(40 << 20, true)) {
    EXPECT_LE(piece, std::max(kPieceMin, carried / 16)) << "after " << carried << " bytes";
    carried += piece;
  }
}

TEST(PiecesTest, MessagesGrowToFullSizeWithinFourMegabytes) {
  EXPECT_EQ(PieceSize(true, 4 << 20), kChunkSize);
  EXPECT_EQ(PieceSize(true, uint64_t{1} << 40), kChunkSize);
  EXPECT_LT(Cut(40 << 20, true).size(), Cut(40 << 20, false).size() + 64);
}

TEST(PiecesTest, AGoodLinkGetsFullMessagesFromTheStart) { EXPECT_EQ(PieceSize(false, 0), kChunkSize); }

}  // namespace
}  // namespace aisle

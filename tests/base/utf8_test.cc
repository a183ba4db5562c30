#include "base/utf8.h"

#include <gtest/gtest.h>

namespace aisle {
namespace {

TEST(Utf8Test, CutsBetweenCharactersOnly) {
  const std::string text = "a\u00e9\u20ac\U0001F6D2";  // 1, 2, 3 and 4 bytes.
  for (const auto& [size_max, kept] :
       {std::pair(0, 0), {1, 1}, {2, 1}, {3, 3}, {4, 3}, {5, 3}, {6, 6}, {7, 6}, {9, 6}, {10, 10}, {11, 10}}) {
    EXPECT_EQ(CutText(text, static_cast<size_t>(size_max)), text.substr(0, static_cast<size_t>(kept))) << size_max;
  }
}

TEST(Utf8Test, WhatIsNoTextIsCutAtTheLimit) {
  EXPECT_EQ(CutText(std::string(10, '\x80'), 7), std::string(7, '\x80'));
  EXPECT_EQ(Utf8Text(std::string(10, '\xff'), 7), "???????");
}

TEST(Utf8Test, LeavesEveryCharacterAsItIs) {
  for (const std::string text : {"", "plain", "\u0080\u07ff", "\u0800\ud7ff\ue000\uffff", "\U00010000\U0010FFFF"}) {
    EXPECT_EQ(Utf8Text(text, 100), text);
  }
}

TEST(Utf8Test, ReplacesEachByteThatIsNoCharacters) {
  EXPECT_EQ(Utf8Text("a\xc3", 100), "a?");               // Cut off.
  EXPECT_EQ(Utf8Text("\xc0\xaf", 100), "??");            // Overlong.
  EXPECT_EQ(Utf8Text("\xe0\x80\xaf", 100), "???");       // Overlong.
  EXPECT_EQ(Utf8Text("\xed\xa0\x80", 100), "???");       // A surrogate.
  EXPECT_EQ(Utf8Text("\xf4\x90\x80\x80", 100), "????");  // Above U+10FFFF.
  EXPECT_EQ(Utf8Text("\xf5z\x80", 100), "?z?");
}

}  // namespace
}  // namespace aisle

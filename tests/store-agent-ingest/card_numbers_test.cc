#include "store-agent/ingest/card_numbers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace aisle {
namespace {

// The card brands' published test numbers.
const std::vector<std::string> kCards = {"4111111111111111", "4012888888881881", "5555555555554444",
                                         "378282246310005",  "6011111111111117", "30569309025904"};

std::optional<size_t> SuspectOf(const std::vector<std::string>& values) {
  CardNumberSample sample(2);
  for (const std::string& value : values) sample.Add(std::vector<std::string_view>{"x", value});
  return sample.Suspect();
}

TEST(CardNumbersTest, KnowsThePublishedTestNumbers) {
  for (const std::string& card : kCards) EXPECT_TRUE(LooksLikeCardNumber(card)) << card;
  EXPECT_TRUE(LooksLikeCardNumber("4111 1111 1111 1111"));
  EXPECT_TRUE(LooksLikeCardNumber("4111-1111-1111-1111"));
  EXPECT_TRUE(LooksLikeCardNumber("6304000000000000000"));
}

TEST(CardNumbersTest, OtherNumbersAreNone) {
  for (const char* other :
       {"4111111111111112", "411111111111", "41111111111111111111", "1111111111111117", "", "411111111111111x",
        "4111--111111111111", "-4111111111111111", "4111111111111111-", "9780201379624"}) {
    EXPECT_FALSE(LooksLikeCardNumber(other)) << other;
  }
}

TEST(CardNumbersTest, AColumnOfCardsIsSuspect) {
  EXPECT_EQ(SuspectOf(kCards), 1u);
  std::vector<std::string> half = kCards;
  half.insert(half.end(), {"", "", "", "n/a", "n/a", "n/a", "n/a", "n/a"});
  EXPECT_EQ(SuspectOf(half), 1u);  // 6 of 11 values that aren't empty.
  half.push_back("n/a");
  EXPECT_EQ(SuspectOf(half), std::nullopt);
}

TEST(CardNumbersTest, RunningNumbersAndRepeatedOnesAreNot) {
  std::vector<std::string> running;
  for (int i = 0; i < 1000; ++i) running.push_back(fmt::format("4111111111{:06}", i));
  EXPECT_EQ(SuspectOf(running), std::nullopt);
  EXPECT_EQ(SuspectOf(std::vector<std::string>(1000, "4111111111111111")), std::nullopt);
}

}  // namespace
}  // namespace aisle

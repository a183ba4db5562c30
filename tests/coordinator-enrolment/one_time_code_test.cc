#include "coordinator/enrolment/one_time_code.h"

#include <gtest/gtest.h>

#include <set>

#include "base/reason.h"

namespace aisle {
namespace {

std::string Text(const OneTimeCode& code) { return std::string(code.Reveal().Reveal()); }

TEST(OneTimeCodeTest, IsThirtyTwoDigitsThatComeBack) {
  SecureRandom random;
  const OneTimeCode code = OneTimeCode::Draw(random);
  EXPECT_EQ(Text(code).size(), 32u);
  EXPECT_EQ(OneTimeCode::Parse(Text(code)).value().hash(), code.hash());
}

TEST(OneTimeCodeTest, IsNeverDrawnTwice) {
  SecureRandom random;
  std::set<Digest> hashes;
  for (int i = 0; i < 1000; ++i) hashes.insert(OneTimeCode::Draw(random).hash());
  EXPECT_EQ(hashes.size(), 1000u);
}

TEST(OneTimeCodeTest, IsReadAsPeopleTypeIt) {
  const OneTimeCode code = OneTimeCode::Parse("00112233445566778899aabbccddeeff").value();
  EXPECT_EQ(OneTimeCode::Parse(" 0011-2233 4455-6677 8899-AABB ccdd-EEFF ").value().hash(), code.hash());
}

TEST(OneTimeCodeTest, HasAHashOfItsOwnDomain) {
  const OneTimeCode code = OneTimeCode::Parse("00112233445566778899aabbccddeeff").value();
  const std::string bytes = FromHex("00112233445566778899aabbccddeeff").value();
  EXPECT_EQ(code.hash(), Sha256::Of("aisle/one-time-code/v1" + bytes));
}

TEST(OneTimeCodeTest, RefusesEverythingElseWithoutRepeatingIt) {
  for (const std::string& text :
       {std::string(), std::string("0011"), std::string(31, '0'), std::string(33, '0'), std::string(32, 'g'),
        std::string(100'000, '0'), std::string(32, '\0'), "0x" + std::string(32, '0'), std::string(31, '0') + "\n"}) {
    const Status status = OneTimeCode::Parse(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text.size();
    EXPECT_EQ(ReasonOf(status), Reason::kCodeInvalid);
    EXPECT_TRUE(text.size() < 4 || MessageOf(status).find(text) == std::string_view::npos);
  }
}

}  // namespace
}  // namespace aisle

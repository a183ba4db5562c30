#include "base/config.h"

#include <gtest/gtest.h>

namespace aisle {
namespace {

TEST(ConfigTest, ReadsEveryKindAndKeepsDefaults) {
  auto root = ConfigTable::Parse(R"(
name = "hq"
count = 7
share = 0.5
on = true
wait = "1h30m"
size = "64 MiB"
list = ["a", "b"]
numbers = [1, 2.5]
[inner]
deep = 3
[[many]]
id = 1
[[many]]
id = 2
)",
                                 "test.toml");
  ASSERT_TRUE(root.ok());
  std::string name;
  std::string absent = "default";
  uint32_t count = 0;
  double share = 0;
  bool on = false;
  absl::Duration wait;
  uint64_t size = 0;
  std::vector<std::string> list;
  std::vector<double> numbers;
  int64_t deep = 0;
  root->Read("name", name);
  root->Read("absent", absent);
  root->Read("count", count);
  root->Read("share", share);
  root->Read("on", on);
  root->ReadDuration("wait", wait);
  root->ReadByteCount("size", size);
  root->Read("list", list);
  root->Read("numbers", numbers);
  root->Child("inner").Read("deep", deep);
  std::vector<int64_t> ids;
  for (ConfigTable& one : root->Children("many")) one.Read("id", ids.emplace_back());
  ASSERT_TRUE(root->Finish().ok()) << MessageOf(root->Finish());
  EXPECT_EQ(name, "hq");
  EXPECT_EQ(absent, "default");
  EXPECT_EQ(count, 7);
  EXPECT_EQ(share, 0.5);
  EXPECT_TRUE(on);
  EXPECT_EQ(wait, absl::Minutes(90));
  EXPECT_EQ(size, 64U << 20);
  EXPECT_EQ(list, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(numbers, (std::vector<double>{1, 2.5}));
  EXPECT_EQ(deep, 3);
  EXPECT_EQ(ids, (std::vector<int64_t>{1, 2}));
}

TEST(ConfigTest, TellsAllMistakesAtOnceEachWithItsLine) {
  auto root = ConfigTable::Parse("count = \"many\"\nwait = \"soon\"\nunknwon = 1\n[inner]\nstray = 2\n", "test.toml");
  ASSERT_TRUE(root.ok());
  uint32_t count = 5;
  absl::Duration wait;
  std::string required;
  root->Read("count", count);
  root->ReadDuration("wait", wait);
  root->Require("name", required);
  root->Child("inner");
  const Status finished = root->Finish();
  const std::string_view message = MessageOf(finished);
  EXPECT_EQ(finished.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(count, 5) << "a wrong value leaves the default";
  for (const char* part :
       {"test.toml has 5 mistakes", "count (line 1)", "wait (line 2)", "'soon' is not a duration", "name: is required",
        "unknwon (line 3): is not a known key", "inner.stray (line 5): is not a known key"}) {
    EXPECT_NE(message.find(part), std::string_view::npos) << part << " in: " << message;
  }
}

TEST(ConfigTest, NumbersOutOfRangeAreRefused) {
  auto root = ConfigTable::Parse("negative = -1\nhuge = 4294967296\n", "test.toml");
  uint32_t negative = 3;
  uint32_t huge = 4;
  root->Read("negative", negative);
  root->Read("huge", huge);
  EXPECT_EQ(negative, 3);
  EXPECT_EQ(huge, 4);
  EXPECT_FALSE(root->Finish().ok());
}

TEST(ConfigTest, TextThatIsNoTomlNamesItsPlace) {
  const Status bad = ConfigTable::Parse("a = 1\nb = = 2\n", "test.toml").status();
  EXPECT_NE(MessageOf(bad).find("test.toml:2:"), std::string_view::npos) << MessageOf(bad);
  EXPECT_EQ(ConfigTable::ParseFile("/nowhere/at-all.toml").status().code(), StatusCode::kNotFound);
  EXPECT_FALSE(ConfigTable::Parse(std::string(ConfigTable::kFileSizeMax + 1, '#'), "big.toml").ok());
}

}  // namespace
}  // namespace aisle

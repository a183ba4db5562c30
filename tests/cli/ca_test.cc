// `aisle ca`: a chain's roots seen and changed, without a coordinator.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/identity/root_set.h"
#include "cli/exit_codes.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::json;

class CaTest : public ::testing::Test {
 protected:
  CaTest() { EXPECT_EQ(RunAisle({"init", chain_, "--chain", "northwind"}).code, kExitOk); }
  Ran Run(const std::string& command) { return RunAisle({"ca", command, "--identity", chain_}); }
  Json RunJson(const std::string& command) {
    const Ran ran = RunAisle({"ca", command, "--identity", chain_, "--json"});
    EXPECT_EQ(ran.code, kExitOk) << ran.error;
    return Json::parse(ran.out, nullptr, false);
  }

  const TemporaryFolder folder_;
  const std::string chain_ = folder_ / "chain";
};

TEST_F(CaTest, AFreshChainHasOneRootThatIssues) {
  const Json roots = RunJson("show")["roots"];
  ASSERT_EQ(roots.size(), 1u);
  EXPECT_EQ(roots[0]["stage"], "issuing");
  EXPECT_TRUE(roots[0]["retired_from_unix_ms"].is_null());
  EXPECT_NE(Run("show").out.find("ca.pem"), std::string::npos);
}

TEST_F(CaTest, RotateMakesTheNextRootAndTellsWhenWhatHappens) {
  const Ran ran = Run("rotate");
  ASSERT_EQ(ran.code, kExitOk) << ran.error;
  EXPECT_NE(ran.out.find("ca-2.key"), std::string::npos) << ran.out;
  struct stat info {};
  ASSERT_EQ(::stat((chain_ + "/ca-2.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0077, 0u);
  const Json roots = RunJson("show")["roots"];
  ASSERT_EQ(roots.size(), 2u);
  EXPECT_EQ(roots[0]["stage"], "issuing");
  EXPECT_EQ(roots[1]["stage"], "announced");
  const int64_t overlap = absl::ToInt64Milliseconds(kRootOverlap);
  EXPECT_EQ(roots[1]["issues_from_unix_ms"].get<int64_t>(), roots[1]["made_unix_ms"].get<int64_t>() + overlap);
  EXPECT_EQ(roots[0]["retired_from_unix_ms"].get<int64_t>(), roots[1]["issues_from_unix_ms"].get<int64_t>() + overlap);
}

TEST_F(CaTest, OneChangeAtATime) {
  ASSERT_EQ(RunJson("rotate")["roots"].size(), 2u);
  const Ran again = Run("rotate");
  EXPECT_EQ(again.code, kExitRefused);
  EXPECT_NE(again.error.find("already"), std::string::npos) << again.error;
}

TEST_F(CaTest, OnlyTheCoordinatorsFolderWillDoAndAnyFolderShows) {
  std::filesystem::remove(chain_ + "/ca.key");
  EXPECT_EQ(Run("rotate").code, kExitNotFound);
  EXPECT_EQ(Run("show").code, kExitOk);
  EXPECT_EQ(RunAisle({"ca", "show", "--identity", folder_ / "nowhere"}).code, kExitNotFound);
}

}  // namespace
}  // namespace aisle::cli

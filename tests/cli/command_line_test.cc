// The command line itself: help, completion, usage errors. No coordinator.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/completion.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

std::vector<CompletionNode> Tree() {
  Context context;
  return CompletionTree(*MakeCommandLine(context));
}

std::vector<std::string> WordsOf(const std::string& path) {
  std::vector<std::string> words = CLI::detail::split(path, ' ');
  words.erase(words.begin());
  return words;
}

TEST(CommandLineTest, EveryCommandExplainsItselfAndAllItsOptions) {
  for (const CompletionNode& node : Tree()) {
    std::vector<std::string> words = WordsOf(node.path);
    words.push_back("--help");
    const Ran ran = RunAisle(words);
    EXPECT_EQ(ran.code, 0) << node.path << ran.error;
    EXPECT_TRUE(ran.error.empty()) << ran.error;
    for (const auto& option : node.options) {
      EXPECT_NE(ran.out.find(option.text), std::string::npos) << node.path << " --help leaves out " << option.text;
      EXPECT_FALSE(option.description.empty()) << node.path << " " << option.text;
    }
    for (const auto& command : node.commands) {
      EXPECT_NE(ran.out.find(command.text), std::string::npos) << node.path << " --help leaves out " << command.text;
      EXPECT_FALSE(command.description.empty()) << node.path << " " << command.text;
    }
  }
}

TEST(CommandLineTest, HelpDocumentsExitCodesAndEnvironment) {
  const Ran ran = RunAisle({"--help"});
  for (const char* word : {"Exit codes", "AISLE_COORDINATOR", "AISLE_IDENTITY", "not permitted"}) {
    EXPECT_NE(ran.out.find(word), std::string::npos) << word;
  }
}

TEST(CommandLineTest, TellsItsVersion) {
  const Ran ran = RunAisle({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(ran.out.starts_with("aisle ")) << ran.out;
}

struct UsageCase {
  std::string name;
  std::vector<std::string> arguments;
  std::string said;
};

class UsageTest : public ::testing::TestWithParam<UsageCase> {};

TEST_P(UsageTest, IsOneLineThatSaysWhatToDo) {
  const Ran ran = RunAisle(GetParam().arguments);
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(ran.out.empty()) << ran.out;
  EXPECT_TRUE(ran.error.starts_with("aisle: ")) << ran.error;
  EXPECT_NE(ran.error.find(GetParam().said), std::string::npos) << ran.error;
  EXPECT_NE(ran.error.find("--help"), std::string::npos) << ran.error;
  EXPECT_EQ(std::ranges::count(ran.error, '\n'), 1) << ran.error;
}

INSTANTIATE_TEST_SUITE_P(
    , UsageTest,
    ::testing::Values(UsageCase{"Nothing", {}, "needs a command"},
                      UsageCase{"GroupAlone", {"job"}, "needs a command: submit, list, show, watch, cancel"},
                      UsageCase{"UnknownCommand", {"jobs"}, "'jobs'"},
                      UsageCase{"UnknownInGroup", {"store", "ad", "x"}, "'ad'"},
                      UsageCase{"UnknownOption", {"job", "list", "--jso"}, "--jso"},
                      UsageCase{"MissingArgument", {"job", "show"}, "JOB"},
                      UsageCase{"MissingOption", {"store", "revoke", "a"}, "--reason"},
                      UsageCase{"NotANumber", {"round", "list", "demand", "--last", "ten"}, "--last"},
                      UsageCase{"Negative", {"job", "submit", "a.plan", "--job", "a", "--rounds", "-3"}, "--rounds"},
                      UsageCase{"OutOfRange", {"round", "list", "demand", "--last", "0"}, "--last"},
                      UsageCase{"UnknownShell", {"completion", "fish"}, "fish"}),
    [](const auto& test) { return test.param.name; });

TEST(CommandLineTest, UsageErrorsAreJsonWhereJsonWasAskedFor) {
  const Ran ran = RunAisle({"job", "show", "--json"});
  EXPECT_EQ(ran.code, 2);
  const auto error = nlohmann::json::parse(ran.error, nullptr, false);
  ASSERT_TRUE(error.is_object()) << ran.error;
  EXPECT_EQ(error["error"]["code"], "invalid_argument");
  EXPECT_FALSE(error["error"]["message"].get<std::string>().empty());
}

TEST(CompletionTest, IsValidBash) {
  const TemporaryFolder folder;
  const Ran made = RunAisle({"completion", "bash"});
  ASSERT_EQ(made.code, 0);
  Write(folder / "aisle.bash", made.out);
  const Ran checked = RunProgram("bash", {"-n", folder / "aisle.bash"});
  EXPECT_EQ(checked.code, 0) << checked.error;
}

TEST(CompletionTest, IsValidZshWhereZshIsInstalled) {
  if (RunProgram("bash", {"-c", "command -v zsh"}).code != 0) GTEST_SKIP() << "no zsh here";
  const TemporaryFolder folder;
  Write(folder / "_aisle", RunAisle({"completion", "zsh"}).out);
  const Ran checked = RunProgram("zsh", {"-n", folder / "_aisle"});
  EXPECT_EQ(checked.code, 0) << checked.error;
}

// What bash offers after `line`, whose last word is being typed.
std::string Offered(const std::string& line) {
  const TemporaryFolder folder;
  Write(folder / "aisle.bash", RunAisle({"completion", "bash"}).out);
  const std::string script = ". " + (folder / "aisle.bash") + "; COMP_WORDS=(" + line +
                             "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _aisle; "
                             "echo \"${COMPREPLY[*]}\"";
  const Ran ran = RunProgram("bash", {"-c", script});
  EXPECT_EQ(ran.code, 0) << ran.error;
  return ran.out;
}

TEST(CompletionTest, OffersCommandsOptionsAndChoices) {
  EXPECT_EQ(Offered("aisle jo"), "job\n");
  EXPECT_EQ(Offered("aisle job sub"), "submit\n");
  EXPECT_EQ(Offered("aisle job submit --rou"), "--rounds\n");
  EXPECT_EQ(Offered("aisle completion z"), "zsh\n");
  EXPECT_EQ(Offered("aisle --identity chain store li"), "list\n");
}

}  // namespace
}  // namespace aisle::cli

#include "tests/cli/run_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"

namespace aisle::cli {
namespace {

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentOf(const std::map<std::string, std::string>& given) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : given) lines.push_back(name + "=" + value);
  for (const char* name : {"PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && !given.contains(name)) lines.push_back(std::string(name) + "=" + value);
  }
  return lines;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  path_ = std::filesystem::temp_directory_path() / "aisle-cli-test-XXXXXX";
  AISLE_CHECK(::mkdtemp(path_.data()) != nullptr);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Write(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

Ran RunProgram(const std::string& program, const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& environment) {
  const TemporaryFolder folder;
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = EnvironmentOf(environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, (folder / "error").c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = -1;
  const int failed =
      ::posix_spawnp(&child, program.c_str(), &actions, nullptr, Pointers(words).data(), Pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  AISLE_CHECK(failed == 0);
  int status = 0;
  AISLE_CHECK(::waitpid(child, &status, 0) == child);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, ReadAll(folder / "out"), ReadAll(folder / "error")};
}

Ran RunAisle(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
  return RunProgram(AISLE_PROGRAM, arguments, environment);
}

}  // namespace aisle::cli

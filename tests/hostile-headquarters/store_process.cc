#include "tests/hostile-headquarters/store_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <stdexcept>

extern char** environ;

namespace aisle::hostile {

StoreProcess::StoreProcess(const std::string& headquarters, const std::string& ca_pem, const std::string& code,
                           const std::string& policy) {
  folder_.Write("tables.toml",
                "[points]\ntime = \"a\"\n[points.columns]\na = {type = \"int64\", range = [0, 99]}\n"
                "x = {type = \"double\", range = [-1, 1]}\ny = {type = \"double\", range = [-3, 3]}\n");
  folder_.Write("site-policy.toml", policy);
  const std::string invitation = folder_.Write(
      "enrol.toml", fmt::format("coordinator = \"{}\"\nstore = \"s1\"\nchain = \"northwind\"\ncode = \"{}\"\nca_pem = "
                                "'''\n{}'''\n",
                                headquarters, code, ca_pem));
  ::chmod(invitation.c_str(), 0600);
  folder_.Write("agent.toml", fmt::format("metrics_listen = \"127.0.0.1:0\"\nworker = \"{}\"\n", AISLE_WORKER_PROGRAM));
  Start();
}

void StoreProcess::Start() {
  const std::string config = folder_.File("agent.toml");
  const std::string log = folder_.File("agent.log");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  std::string program = AISLE_AGENT_PROGRAM;
  std::string option = "--config";
  std::string path = config;
  const std::array<char*, 4> arguments = {program.data(), option.data(), path.data(), nullptr};
  const int error = ::posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("can't start " + program);
}

void StoreProcess::Kill() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

}  // namespace aisle::hostile

// aisle-agent: a store's side of Aisle. Reads one TOML file, works until SIGTERM or SIGINT.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "base/net/grpc_setup.h"
#include "base/process.h"
#include "base/storage/durability.h"
#include "base/version.h"
#include "store-agent/program/agent.h"

namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  stopped by a signal; everything is durable and goes on at the next start\n"
    "  1  could not start: the message says what and why\n"
    "  2  wrong arguments or configuration\n"
    "  3  what is kept on the disk (privacy ledger, tables) is damaged: nothing runs until a person has looked\n"
    "  4  the disk failed to sync what was written: start it again, it goes on over what is durable";

// The box has other work: large buffers are given back at once.
constexpr aisle::AllocatorLimits kMemory{.arenas = 1, .mmap_threshold = 256 << 10, .trim_threshold = 256 << 10};

int ExitCodeOf(const aisle::Status& status) {
  switch (status.code()) {
    case aisle::StatusCode::kCancelled:
      return 0;
    case aisle::StatusCode::kDataLoss:
      return 3;
    default:
      return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  aisle::LimitAllocator(kMemory);
  CLI::App app("aisle-agent: keeps a store's rows, trains on them there, guards the store's privacy ledger.");
  std::string path;
  app.add_option("--config", path, "The TOML configuration file; config/agent.toml explains every key")->required();
  app.set_version_flag("--version", std::string(aisle::Version()));
  app.footer(kExitCodes);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  aisle::InitLog("agent", aisle::LogLevel::kInfo);
  const aisle::StatusOr<aisle::AgentConfig> config = aisle::AgentConfig::Load(path);
  if (!config.ok()) {  // On lines of its own: there may be several mistakes.
    fmt::print(stderr, "aisle-agent: {}\n", aisle::MessageOf(config.status()));
    return 2;
  }
  aisle::SetLogLevel(aisle::ParseLogLevel(config->log_level).value());
  const aisle::StopSignals signals = aisle::StopSignals::Block();
  aisle::EndOnceDurabilityIsLost({config->data}, [](const std::string& text) { aisle::LogError("{}", text); });
  aisle::SetUpGrpc();
  auto agent = aisle::Agent::Start(*config, [&] { return signals.pending(); });
  if (!agent.ok()) {
    aisle::LogError("{}", aisle::MessageOf(agent.status()));
    return ExitCodeOf(agent.status());
  }
  malloc_trim(0);
  aisle::LogInfo("ready; metrics on port {}", (*agent)->metrics_port());
  aisle::LogInfo("stopping: signal {}", signals.Wait());
  return 0;
}

// aisle-coordinator: headquarters' side of Aisle. Reads one TOML file, serves until SIGTERM or SIGINT.
#include <CLI/CLI.hpp>

#include "base/log.h"
#include "base/net/grpc_setup.h"
#include "base/process.h"
#include "base/storage/durability.h"
#include "base/version.h"
#include "coordinator/program/server.h"

namespace {

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  stopped by a signal\n"
    "  1  could not start: the message says what and why\n"
    "  2  wrong arguments or configuration\n"
    "  4  the disk failed to sync what was written: start it again, it goes on over what is durable";

// What a round of a middling model needs is kept for the next one: fresh pages cost more than the arithmetic on them.
constexpr aisle::AllocatorLimits kMemory{.arenas = 2, .mmap_threshold = 8 << 20, .trim_threshold = 32 << 20};

// A connection for each store of a large chain; beside them a few hundred files.
constexpr uint64_t kOpenFilesWanted = 4096;

}  // namespace

int main(int argc, char** argv) {
  aisle::LimitAllocator(kMemory);
  CLI::App app("aisle-coordinator: schedules rounds, sums updates, publishes models.");
  std::string path;
  app.add_option("--config", path, "The TOML configuration file; config/coordinator.toml explains every key")
      ->required();
  app.set_version_flag("--version", std::string(aisle::Version()));
  app.footer(kExitCodes);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  aisle::InitLog("coordinator", aisle::LogLevel::kInfo);
  const aisle::StatusOr<aisle::CoordinatorConfig> config = aisle::CoordinatorConfig::Load(path);
  if (!config.ok()) {
    aisle::LogError("{}", aisle::MessageOf(config.status()));
    return 2;
  }
  const aisle::StatusOr<aisle::LogLevel> level = aisle::ParseLogLevel(config->log_level);
  if (!level.ok()) {
    aisle::LogError("log_level: {}", aisle::MessageOf(level.status()));
    return 2;
  }
  aisle::SetLogLevel(*level);
  const aisle::StopSignals signals = aisle::StopSignals::Block();
  if (const uint64_t files = aisle::RaiseOpenFilesLimit(); files < kOpenFilesWanted) {
    aisle::LogWarning("the system allows {} open files: stores beyond that can't connect. Raise it (LimitNOFILE=)",
                      files);
  }
  aisle::EndOnceDurabilityIsLost({config->data, config->identity},
                                 [](const std::string& text) { aisle::LogError("{}", text); });
  aisle::SetUpGrpc();
  auto server = aisle::CoordinatorServer::Start(*config);
  if (!server.ok()) {
    aisle::LogError("{}", aisle::MessageOf(server.status()));
    return 1;
  }
  aisle::LogInfo("serving on port {}, metrics on port {}", (*server)->port(), (*server)->metrics_port());
  aisle::LogInfo("stopping: signal {}", signals.Wait());
  return 0;
}

// agent.toml. config/agent.toml shows every key with its default.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aisle {

struct AgentConfig {
  std::string data = "agent-data";          // Identity, rows, ledger, cache, spool. One agent at a time.
  std::string enrolment = "enrol.toml";     // The invitation; needed until the store has joined.
  std::string coordinator;                  // "host:port", instead of the invitation's; empty: as invited.
  std::string tables = "tables.toml";       // What the store keeps.
  std::string policy = "site-policy.toml";  // What the store allows; the defaults if there is no such file.
  std::string drop_folder = "drop";         // CSV files come in through its folder inbox/<table>/.
  std::string worker = "aisle-worker";      // The program that trains; a bare name is looked for beside aisle-agent.
  std::string metrics_listen = "127.0.0.1:9464";
  std::string log_level = "info";
  absl::Duration worker_idle = absl::Seconds(60);  // How long a worker is kept warm.
  // From one checkpoint of a training to the next; zero: none is made.
  absl::Duration checkpoint_every = absl::Seconds(30);
  uint64_t cache_size_max = uint64_t{1} << 30;  // Bytes of plans and weights kept.

  // Relative paths are taken from the file's own folder. InvalidArgument lists every mistake at once.
  static StatusOr<AgentConfig> Load(const std::string& path);
  static StatusOr<AgentConfig> Parse(std::string_view text, std::string_view origin);
};

}  // namespace aisle

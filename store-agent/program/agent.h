// A store's agent, put together: joins the chain, opens what is on the disk, takes in files, works for headquarters.
#pragma once

#include <functional>
#include <memory>

#include "base/status.h"
#include "store-agent/program/config.h"

namespace aisle {

// Runs from Start until destruction, which stops the worker, ends open calls and leaves everything durable.
class Agent {
 public:
  // Blocks until the store has joined its chain: with back-off as long as headquarters can't be reached, or until
  // `stopping` says so (Cancelled). FailedPrecondition if another agent has the data folder, or the store is neither
  // enrolled nor invited; other errors name what can't be opened.
  static StatusOr<std::unique_ptr<Agent>> Start(const AgentConfig& config, const std::function<bool()>& stopping);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  int metrics_port() const;

 private:
  struct Parts;
  explicit Agent(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace aisle

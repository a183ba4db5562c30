// Headquarters' door: what coordinator/services/fleet_service.h is to gRPC, on the simulated network. The same checks
// of who calls, the same conversions, the same calls of the coordinator.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/identity/certificate.h"
#include "coordinator/driver/coordinator.h"
#include "tests/simulation/network.h"
#include "tests/simulation/process.h"

namespace aisle::simulation {

class Door final : public Server {
 public:
  struct Parts {
    Coordinator& coordinator;
    Process& process;  // Of the coordinator: once it is dead, nothing is said any more.
    Lane& disk;        // Where uploads wait for the disk.
    Network& network;
    ChainName chain;
    std::function<Certificate(const StoreId&)> certificate_of;  // That the store calls with.
    std::string ca_pem;
    std::vector<VerifyKey> plan_keys;
  };
  explicit Door(Parts parts) : parts_(std::move(parts)) {}

  void Call(const StoreId& store, Method method, uint64_t call, std::string message, Reply reply) override;
  void HangUp(const StoreId& store, uint64_t call) override;
  void Fetch(const StoreId& store, std::string message, std::function<void(std::string)> next, Reply end) override;
  std::shared_ptr<Stream> Upload(const StoreId& store, Reply reply) override;

 private:
  class UploadStream;
  StatusOr<Certificate> Caller(const StoreId& store) const;
  Reply UntilDeath(Reply reply) const;
  void CheckIn(const StoreId& store, uint64_t call, const std::string& message, const Reply& reply);
  void Report(const StoreId& store, const std::string& message, const Reply& reply);
  void SumStep(const StoreId& store, const std::string& message, const Reply& reply);
  void GetUploadStatus(const StoreId& store, const std::string& message, const Reply& reply);
  void Renew(const StoreId& store, const std::string& message, const Reply& reply);

  Parts parts_;
};

}  // namespace aisle::simulation

// A store's calls, over the simulated network: what GrpcFleetLink is to gRPC.
#pragma once

#include <functional>

#include "store-agent/transfer/fleet_link.h"
#include "tests/simulation/network.h"
#include "tests/simulation/process.h"

namespace aisle::simulation {

// A call blocks the fiber of the lane on which it is made.
class Link final : public FleetLink {
 public:
  struct Lanes {
    Lane& asking;   // Of check-ins …
    Lane& working;  // … and of all others.
  };
  Link(Network& network, StoreId store, const Process& process, Lanes lanes)
      : network_(network), store_(std::move(store)), process_(process), lanes_(lanes) {}

  StatusOr<CheckInAnswer> AskForWork(const CheckIn& check_in, std::stop_token stop) override;
  Status Report(const RoundId& round, const TaskOutcome& outcome, std::stop_token stop) override;
  Status Fetch(const BlobName& blob, uint64_t offset, const Sink& sink, std::stop_token stop) override;
  StatusOr<UploadStatus> AskUploadStatus(const RoundId& round, const Digest& update, std::stop_token stop) override;
  StatusOr<UploadStatus> Upload(const UploadHeader& header, const Source& source, std::stop_token stop) override;
  Status SumStep(const SumReport& report, std::stop_token stop) override;
  StatusOr<EnrolAnswer> Renew(const std::string& csr_pem) override;

 private:
  Network::Caller By(Lane& lane, std::stop_token stop, absl::Duration timeout) const;

  Network& network_;
  const StoreId store_;
  const Process& process_;
  const Lanes lanes_;
};

}  // namespace aisle::simulation

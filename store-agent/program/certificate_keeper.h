// Keeps the store's certificate fresh: renewed at two thirds of its life, between two check-ins.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "store-agent/agent/backoff.h"
#include "store-agent/enrol/membership.h"
#include "store-agent/metrics/agent_metrics.h"
#include "store-agent/transfer/grpc_fleet_link.h"

namespace aisle {

class CertificateKeeper {
 public:
  CertificateKeeper(std::string folder, Membership membership, GrpcFleetLink& link, AgentMetrics& metrics,
                    const Clock& clock, RandomSource& random);

  // Renews if that is due. A failure is logged and tried again with back-off; the present certificate lasts a while.
  // One thread at a time.
  void Tend();
  std::vector<VerifyKey> plan_keys() const;  // Thread-safe.
  TlsIdentity identity() const;              // As of now. Thread-safe.

 private:
  const std::string folder_;
  GrpcFleetLink& link_;
  AgentMetrics& metrics_;
  const Clock& clock_;
  RandomSource& random_;
  agent::Backoff backoff_;
  absl::Time not_before_ = absl::InfinitePast();  // Of the next try.
  mutable std::mutex mutex_;
  Membership membership_;  // Changed by Tend only; guarded by mutex_ against other readers.
};

}  // namespace aisle

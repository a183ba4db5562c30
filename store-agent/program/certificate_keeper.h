// Keeps the store's certificate fresh: renewed at two thirds of its life, between two calls. Says once, clearly, if
// this box's clock can't be right.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "store-agent/agent/backoff.h"
#include "store-agent/enrol/membership.h"
#include "store-agent/metrics/agent_metrics.h"
#include "store-agent/transfer/fleet_link.h"

namespace aisle {

class CertificateKeeper {
 public:
  // Lets the link's calls show another identity from now on.
  using Show = std::function<Status(const TlsIdentity&)>;

  CertificateKeeper(std::string folder, Membership membership, FleetLink& link, Show show, AgentMetrics& metrics,
                    const Clock& clock, RandomSource& random);

  // Renews if that is due, late if the certificate has ended. A failure is logged and tried again with back-off; the
  // present certificate lasts a while. Thread-safe: a second thread doesn't wait for the first one's renewal.
  void Tend();
  std::vector<VerifyKey> plan_keys() const;  // Thread-safe.
  TlsIdentity identity() const;              // As of now. Thread-safe.

 private:
  void LookAtClock(const Certificate& certificate, absl::Time now);

  const std::string folder_;
  FleetLink& link_;
  const Show show_;
  AgentMetrics& metrics_;
  const Clock& clock_;
  RandomSource& random_;
  agent::Backoff backoff_;
  absl::Time tried_ = absl::InfinitePast();  // Last, …
  absl::Duration pause_;                     // … and how long to let it rest since.
  bool warned_of_clock_ = false;
  std::mutex tending_;  // Held by the thread in Tend: all above is its own.
  mutable std::mutex mutex_;
  Membership membership_;  // Changed in Tend only; guarded by mutex_ against other readers.
};

}  // namespace aisle

#include "store-agent/program/joining.h"

#include <absl/time/clock.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "store-agent/agent/backoff.h"
#include "store-agent/transfer/call_outcome.h"
#include "store-agent/transfer/grpc_fleet_link.h"

namespace aisle {
namespace {

constexpr absl::Duration kStopCheckEvery = absl::Milliseconds(100);

// False if it was asked to stop.
bool WaitUnlessStopped(absl::Duration wait, const std::function<bool()>& stopping) {
  const absl::Time until = absl::Now() + wait;
  while (!stopping() && absl::Now() < until) absl::SleepFor(std::min(kStopCheckEvery, until - absl::Now()));
  return !stopping();
}

bool MayPass(const Status& status) {
  const StatusCode code = status.code();
  return code == StatusCode::kUnavailable || code == StatusCode::kDeadlineExceeded ||
         code == StatusCode::kResourceExhausted;
}

}  // namespace

StatusOr<Membership> JoinPatiently(const JoinOrder& order, RandomSource& random,
                                   const std::function<bool()>& stopping) {
  const EnrolCall call = [&](const Invitation& invitation, const std::string& csr) {
    const std::string& address = order.coordinator.empty() ? invitation.coordinator : order.coordinator;
    LogInfo("joining {} as {} at {}", invitation.chain, invitation.store, address);
    return CallEnrol({.address = address}, invitation.ca_pem, invitation.code, csr);
  };
  agent::Backoff backoff;
  while (true) {
    StatusOr<Membership> joined = TakeUpMembership(order.folder, order.invitation, call, absl::Now());
    if (joined.ok() || !MayPass(joined.status())) return joined;
    const absl::Duration wait = backoff.Next(random);
    LogWarning("joining: {}; trying again in {}", MessageOf(joined.status()),
               aisle::FormatDuration(absl::Trunc(wait, absl::Milliseconds(1))));
    if (!WaitUnlessStopped(wait, stopping)) return Cancelled("stopped before the store had joined");
  }
}

}  // namespace aisle

// A job as it goes: a line per ended round and, on a terminal, one live line below; or one JSON object per change.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "aisle/v1/admin.pb.h"
#include "base/status.h"
#include "cli/admin_client.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace aisle::cli {

// A coordinator that is restarted comes back within this, and watching goes on; after it, watching gives up.
inline constexpr absl::Duration kWatchPatience = absl::Minutes(2);

// "demand 3/30  training  stores 9/12  loss 0.41  epsilon 12.3 (store, delta 1e-05)  up 1.2 MiB  down 3 MiB  ETA
// 2m10s".
std::string LiveText(const v1::JobSnapshot& snapshot);
// The same for a round that has ended: "round 3  committed  stores 12/12  …  took 2.1s", or why it was aborted.
std::string EndedRoundText(const v1::Round& round, const v1::Job& job);
// What is left to do at the pace so far; zero if nobody knows.
absl::Duration TimeLeft(const v1::JobSnapshot& snapshot);

// What to say about one snapshot after the other.
class WatchView {
 public:
  WatchView(Output& out, bool json) : out_(out), json_(json) {}

  void Show(const v1::JobSnapshot& snapshot);
  void ShowWaiting(const Status& why);
  void Clear() { line_.Clear(); }

 private:
  Output& out_;
  bool json_;
  LiveLine line_;
  uint32_t round_told_ = 0;  // Rounds up to this one have had their line.
};

// Watches until the job has ended. OK if it finished; Cancelled if it was cancelled; Unknown, with the reason, if it
// failed. Unavailable if the coordinator stays away for longer than kWatchPatience, or can't be reached to begin with.
Status WatchUntilEnd(AdminClient& admin, const std::string& job, Output& out, bool json);

}  // namespace aisle::cli

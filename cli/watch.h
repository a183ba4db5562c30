// A job as it goes: a line per ended round and, on a terminal, one live line below; or one JSON object per change.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <optional>
#include <string>

#include "aisle/v1/admin.pb.h"
#include "base/status.h"
#include "cli/admin_client.h"
#include "cli/output.h"
#include "cli/progress.h"

namespace aisle::cli {

// A coordinator that is restarted comes back within this, and watching goes on; after it, watching gives up.
inline constexpr absl::Duration kWatchPatience = absl::Minutes(2);

// "demand 3/30  training  stores 9/12 trained  ETA 2m10s  loss 0.41  epsilon 12.3 (store, delta 1e-05)  up 1.2 MiB down
// …": what people look for first comes first, since a narrow terminal cuts the rest.
std::string LiveText(const v1::JobSnapshot& snapshot);
// The same for a round that has ended: "round 3  committed  stores 12/12  …  took 2.1s", or why it was aborted.
std::string EndedRoundText(const v1::Round& round, const v1::Job& job);
// What is left to do at the pace so far; zero if nobody knows.
absl::Duration TimeLeft(const v1::JobSnapshot& snapshot);

// From which round on watching tells of rounds.
enum class WatchFrom { kFirstRound, kPresentRound };

// A round of the watched job by its number; an error if it can't be had just now.
using RoundLookup = std::function<StatusOr<v1::Round>(uint32_t number)>;

// What to say about one snapshot after the other. Snapshots tell of the latest round only, and a quick round may come
// and go between two of them: those are looked up.
class WatchView {
 public:
  WatchView(Output& out, bool json, WatchFrom from, RoundLookup look_up)
      : out_(out), json_(json), look_up_(std::move(look_up)) {
    if (from == WatchFrom::kFirstRound) round_told_ = 0;
  }

  void Show(const v1::JobSnapshot& snapshot);
  void ShowWaiting(const Status& why);
  void Clear() { line_.Clear(); }

 private:
  void Tell(const v1::Round& round, const v1::Job& job);
  Output& out_;
  bool json_;
  RoundLookup look_up_;
  LiveLine line_;
  std::optional<uint32_t> round_told_;  // Rounds up to this one have had their line. Unset: begin with the present one.
};

// Watches until the job has ended. OK if it finished; Cancelled if it was cancelled; Unknown, with the reason, if it
// failed. Unavailable if the coordinator stays away for longer than kWatchPatience, or can't be reached to begin with.
Status WatchUntilEnd(AdminClient& admin, const std::string& job, WatchFrom from, Output& out, bool json);

}  // namespace aisle::cli

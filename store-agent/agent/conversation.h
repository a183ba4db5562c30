// The one question a store keeps open to headquarters: "here I stand; what shall I do?"
//
// At most one check-in is open at a time. It is opened anew as soon as one was answered, unless headquarters asked for
// peace, it couldn't be reached, or it answers so fast that asking again at once would be a busy loop. A call that
// states an old standing is closed and asked anew.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <variant>
#include <vector>

#include "base/fleet.h"
#include "base/random.h"
#include "store-agent/agent/backoff.h"
#include "store-agent/agent/effects.h"

namespace aisle::agent {

inline constexpr absl::Duration kComeBackMax = absl::Hours(12);
// Answers that come faster than kHeldAtLeast are not asked again before kPaceMin.
inline constexpr absl::Duration kHeldAtLeast = absl::Seconds(1);
inline constexpr absl::Duration kPaceMin = absl::Milliseconds(250);
inline constexpr int kQuickAnswersMax = 3;  // That many in a row are taken as they come.

struct Standing {
  StoreStanding standing = StoreStanding::kIdle;
  std::optional<RoundId> round;
  bool operator==(const Standing&) const = default;
};

class Conversation {
 public:
  explicit Conversation(RandomSource& random) : random_(random) {}

  // Makes the open question say `wanted`; nullopt: ask nothing. Called after every event.
  void Align(const std::optional<Standing>& wanted, const std::vector<Digest>& declined, Ticket& last_ticket,
             absl::Time now, Effects& effects);

  // True if that check-in is the open one; it is closed by this.
  bool Answered(Ticket ticket, absl::Time now);
  // As Answered, and waits before the next one.
  bool FailedToAsk(Ticket ticket, const CallOutcome& outcome, absl::Time now);
  void ComeBackAfter(absl::Duration after, absl::Time now);
  void EndPause();  // The timer ran out.
  // Another call got through: no need to keep away any longer.
  void HeardOfHeadquarters();
  // What was said last no longer holds: say it anew, unless headquarters can't be reached anyway.
  void Refresh() { stale_ = true; }

 private:
  struct Silent {};
  struct Asking {
    Ticket ticket = 0;
    Standing said;
    absl::Time since;
  };
  enum class PauseReason { kPace, kAsked, kUnreachable };
  struct Pausing {
    PauseReason reason = PauseReason::kPace;
    absl::Time until;
    bool armed = false;  // The timer is set.
  };

  bool MustPause(const Pausing& pausing, const Standing& wanted) const;
  void Arm(Pausing& pausing, Effects& effects);
  void Silence(Effects& effects);
  bool TakeAsking(Ticket ticket, absl::Time now);

  RandomSource& random_;
  std::variant<Silent, Asking, Pausing> mode_;
  std::optional<Standing> last_said_;
  absl::Duration held_;  // How long the last answer took.
  bool stale_ = false;
  int quick_answers_ = 0;
  Backoff backoff_;
};

}  // namespace aisle::agent

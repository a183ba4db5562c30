#include "store-agent/agent/conversation.h"

#include <algorithm>

namespace aisle::agent {

void Conversation::Align(const std::optional<Standing>& wanted, const std::vector<Digest>& declined,
                         Ticket& last_ticket, absl::Time now, Effects& effects) {
  if (!wanted) return Silence(effects);
  if (const auto* asking = std::get_if<Asking>(&mode_)) {
    if (asking->said == *wanted && !stale_) return;
    effects.push_back(CloseCheckIn{});
  }
  if (auto* pausing = std::get_if<Pausing>(&mode_)) {
    if (MustPause(*pausing, *wanted)) return Arm(*pausing, effects);
    if (pausing->armed) effects.push_back(ClearTimer{.timer = Timer::kConversation});
  }
  mode_ = Asking{.ticket = ++last_ticket, .said = *wanted, .since = now};
  if (last_said_ != wanted) quick_answers_ = 0;
  last_said_ = wanted;
  stale_ = false;
  effects.push_back(OpenCheckIn{
      .ticket = last_ticket, .standing = wanted->standing, .round = wanted->round, .declined_plans = declined});
}

bool Conversation::MustPause(const Pausing& pausing, const Standing& wanted) const {
  // A store that can't reach headquarters waits its turn even with news; one that was asked for peace breaks it for
  // news.
  if (pausing.reason == PauseReason::kUnreachable) return true;
  return last_said_ == wanted && !stale_;
}

void Conversation::Arm(Pausing& pausing, Effects& effects) {
  if (pausing.armed) return;
  pausing.armed = true;
  effects.push_back(SetTimer{.timer = Timer::kConversation, .due = pausing.until});
}

void Conversation::Silence(Effects& effects) {
  if (std::holds_alternative<Asking>(mode_)) effects.push_back(CloseCheckIn{});
  const auto* pausing = std::get_if<Pausing>(&mode_);
  if (pausing != nullptr && pausing->armed) effects.push_back(ClearTimer{.timer = Timer::kConversation});
  mode_ = Silent{};
}

bool Conversation::TakeAsking(Ticket ticket, absl::Time now) {
  const auto* asking = std::get_if<Asking>(&mode_);
  if (asking == nullptr || asking->ticket != ticket) return false;
  held_ = now - asking->since;
  mode_ = Silent{};
  return true;
}

bool Conversation::Answered(Ticket ticket, absl::Time now) {
  if (!TakeAsking(ticket, now)) return false;
  backoff_.Reset();
  quick_answers_ = held_ < kHeldAtLeast ? quick_answers_ + 1 : 0;
  if (quick_answers_ > kQuickAnswersMax) mode_ = Pausing{.reason = PauseReason::kPace, .until = now + kPaceMin};
  return true;
}

bool Conversation::FailedToAsk(Ticket ticket, const CallOutcome& outcome, absl::Time now) {
  if (!TakeAsking(ticket, now)) return false;
  const absl::Duration wait = std::max(backoff_.Next(random_), std::min(outcome.wait_min, kComeBackMax));
  mode_ = Pausing{.reason = PauseReason::kUnreachable, .until = now + wait};
  return true;
}

void Conversation::ComeBackAfter(absl::Duration after, absl::Time now) {
  const absl::Duration pace = std::holds_alternative<Pausing>(mode_) ? kPaceMin : absl::ZeroDuration();
  const absl::Duration wait = std::clamp(after, pace, kComeBackMax);
  if (wait > absl::ZeroDuration()) mode_ = Pausing{.reason = PauseReason::kAsked, .until = now + wait};
}

void Conversation::EndPause() {
  if (std::holds_alternative<Pausing>(mode_)) mode_ = Silent{};
}

void Conversation::HeardOfHeadquarters() {
  backoff_.Reset();
  auto* pausing = std::get_if<Pausing>(&mode_);
  if (pausing != nullptr && pausing->reason == PauseReason::kUnreachable) pausing->reason = PauseReason::kPace;
}

}  // namespace aisle::agent

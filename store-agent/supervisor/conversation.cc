#include "store-agent/supervisor/conversation.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/secret.h"

namespace aisle {

namespace {

constexpr size_t kPieceSize = 1 << 16;
constexpr size_t kLastWordsMax = 1000;

// While it lives, a write to a child that is gone fails with EPIPE and raises no SIGPIPE in this thread.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigset_t pending;
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~SigpipeBlocked() {
    const timespec at_once{0, 0};
    if (!was_pending_) sigtimedwait(&set_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t set_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

int MillisecondsUntil(Conversation::Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
}

}  // namespace

Conversation::~Conversation() {
  for (std::string& piece : outgoing_) Wipe(piece.data(), piece.size());
  Wipe(message_.data(), message_.size());
}

bool Conversation::HasMore() const {
  pollfd output{child_.output.get(), POLLIN, 0};
  return !replies_.idle() || poll(&output, 1, 0) > 0;
}

void Conversation::Send(std::string message) {
  outgoing_.push_back(FrameHeader(static_cast<uint32_t>(message.size())));
  outgoing_.push_back(std::move(message));
}

Conversation::Event Conversation::Wait(Deadline deadline, bool wakeable) {
  const SigpipeBlocked blocked;
  while (true) {
    const int timeout = MillisecondsUntil(deadline);
    if (timeout == 0) return Event::kDeadline;  // Before anything else: a child that never falls silent has one too.
    StatusOr<std::optional<std::string>> next = replies_.Next();
    if (!next.ok()) {
      mistake_ = next.status();
      return Event::kBadFrame;
    }
    if (*next) {
      Wipe(message_.data(), message_.size());
      message_ = std::move(**next);
      return Event::kMessage;
    }
    std::array<pollfd, 4> polled = {
        pollfd{child_.output.get(), POLLIN, 0}, pollfd{outgoing_.empty() ? -1 : child_.input.get(), POLLOUT, 0},
        pollfd{child_.errors.get(), POLLIN, 0}, pollfd{wakeable ? wake_fd_ : -1, POLLIN, 0}};
    if (poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR) return Event::kClosed;
    if (polled[2].revents != 0) ReadErrors();
    if (polled[1].revents != 0) WriteSome();
    if (polled[0].revents != 0 && !ReadSome()) return Event::kClosed;
    if (polled[3].revents != 0) return Event::kWoken;
  }
}

void Conversation::WriteSome() {
  while (!outgoing_.empty()) {
    std::string& piece = outgoing_.front();
    const ssize_t put = write(child_.input.get(), piece.data() + sent_, piece.size() - sent_);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    sent_ = put < 0 ? piece.size() : sent_ + static_cast<size_t>(put);  // Is the child gone, its output's end says so.
    if (sent_ < piece.size()) continue;
    Wipe(piece.data(), piece.size());
    outgoing_.pop_front();
    sent_ = 0;
  }
}

bool Conversation::ReadSome() {
  std::array<char, kPieceSize> piece;
  const ssize_t got = read(child_.output.get(), piece.data(), piece.size());
  if (got > 0) replies_.Append({piece.data(), static_cast<size_t>(got)});
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

void Conversation::ReadErrors() {
  std::array<char, 4096> piece;
  const ssize_t got = read(child_.errors.get(), piece.data(), piece.size());
  if (got <= 0) return;
  errors_.append(piece.data(), static_cast<size_t>(got));
  if (errors_.size() > kLastWordsMax) errors_.erase(0, errors_.size() - kLastWordsMax);
}

}  // namespace aisle

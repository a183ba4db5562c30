// The bytes between us and one child: writes what is queued, reads what comes, until something happens.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store-agent/supervisor/frames.h"
#include "store-agent/supervisor/spawn.h"

namespace aisle {

// Not thread-safe. Borrows the child, which must outlive it.
class Conversation {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  enum class Event : uint8_t { kMessage, kClosed, kBadFrame, kDeadline, kWoken };

  // `wake_fd` becomes readable to interrupt a wait. Frames over `reply_max` are bad.
  Conversation(const Child& child, uint32_t reply_max, int wake_fd)
      : child_(child), replies_(reply_max), wake_fd_(wake_fd) {}
  ~Conversation();  // Wipes what was said: rows, seeds, updates.
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void Send(std::string message);  // Queued; sent by the waits to come.
  // Waits for the child's next message, its end, the deadline or the wake-up (heeded only if `wakeable`).
  Event Wait(Deadline deadline, bool wakeable);
  // Whether the child has said something that no Wait has told yet.
  bool HasMore() const;

  const std::string& message() const { return message_; }  // After kMessage.
  const Status& mistake() const { return mistake_; }       // After kBadFrame.
  std::string last_words() const { return errors_; }       // The end of its stderr.

 private:
  void WriteSome();
  bool ReadSome();  // False at the end of the child's output.
  void ReadErrors();

  const Child& child_;
  FrameAssembler replies_;
  int wake_fd_;
  std::deque<std::string> outgoing_;
  size_t sent_ = 0;  // Of the first of them.
  std::string message_;
  std::string errors_;
  Status mistake_;
};

}  // namespace aisle

// aisle-worker: runs the tasks its parent sends over two pipes, inside a sandbox. It has no configuration and no state.
//
// Order matters: LibTorch is warmed up while files can still be read, then the walls go up, then the first byte of
// anybody's request is read.
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>

#include "base/cover.h"
#include "base/secret.h"
#include "store-agent/supervisor/frames.h"
#include "store-agent/supervisor/wipe_task.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/sandbox.h"
#include "store-agent/worker/tasks.h"

namespace aisle {
namespace {

constexpr int kExitNoSandbox = 3;
constexpr int kExitBadFrame = 4;

[[noreturn]] void Leave(int code, std::string_view why) {
  if (!why.empty()) (void)!write(STDERR_FILENO, why.data(), why.size());
  _exit(code);  // Other threads may be in the middle of anything; there is nothing to save.
}

// Reads requests on a thread of its own, so that a stop and the parent's end are noticed in the middle of a task.
class Inbox {
 public:
  explicit Inbox(int fd) : reader_([this, fd] { ReadForever(fd); }) { reader_.detach(); }

  v1::WorkerRequest Take() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return next_.has_value(); });
    v1::WorkerRequest request = *std::move(next_);
    next_.reset();
    stop_ = false;
    busy_ = true;
    return request;
  }
  void TaskEnded() {
    const std::lock_guard lock(mutex_);
    busy_ = false;
  }
  const std::atomic<bool>& stop() const { return stop_; }

 private:
  void ReadForever(int fd) {
    while (true) {
      StatusOr<std::string> frame = ReadFrame(fd, kRequestFrameMax);
      if (frame.status().code() == StatusCode::kOutOfRange) Leave(0, "");
      v1::WorkerRequest request;
      if (!frame.ok()) Leave(kExitBadFrame, MessageOf(frame.status()));
      if (!request.ParseFromString(*frame)) Leave(kExitBadFrame, "the parent's request can't be read");
      Wipe(frame->data(), frame->size());
      frame->clear();
      frame->shrink_to_fit();
      Deliver(std::move(request));
    }
  }
  void Deliver(v1::WorkerRequest request) {
    const std::lock_guard lock(mutex_);
    if (request.has_stop()) {
      stop_ = busy_ || next_.has_value();
      return;
    }
    if (next_.has_value()) Leave(kExitBadFrame, "the parent sent a second request before the first was begun");
    next_ = std::move(request);
    arrived_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<v1::WorkerRequest> next_;  // Guarded by mutex_, as is busy_.
  bool busy_ = false;
  std::atomic<bool> stop_ = false;
  std::thread reader_;
};

void Send(int fd, const v1::WorkerReply& reply) {
  std::string bytes = reply.SerializeAsString();
  if (!WriteFrame(fd, bytes).ok()) Leave(0, "");  // The parent is gone.
  Wipe(bytes.data(), bytes.size());               // There may be an update in it that has no noise yet.
}

int Main() {
  const int output = dup(STDOUT_FILENO);
  if (output < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return kExitNoSandbox;  // Stray prints spoil no frame.
  WarmUpEngine();
  const StatusOr<SandboxReport> walls = EnterSandbox(output + 1);
  if (!walls.ok()) Leave(kExitNoSandbox, MessageOf(walls.status()));
  Inbox inbox(STDIN_FILENO);
  TaskRunner tasks;
  while (true) {
    WipedRequest taken(inbox.Take());
    const v1::WorkerRequest& request = *taken;
    const auto tell = [&](const v1::Progress& progress) {
      v1::WorkerReply reply;
      reply.set_request_id(request.request_id());
      *reply.mutable_progress() = progress;
      Send(output, reply);
    };
    const auto mark = [&](const v1::Mark& customers) {
      v1::WorkerReply reply;
      reply.set_request_id(request.request_id());
      *reply.mutable_mark() = customers;
      Send(output, reply);
    };
    const auto keep = [&](const v1::Checkpoint& piece) {
      v1::WorkerReply reply;
      reply.set_request_id(request.request_id());
      *reply.mutable_checkpoint() = piece;
      Send(output, reply);
      std::string& bytes = *reply.mutable_checkpoint()->mutable_piece();
      Wipe(bytes.data(), bytes.size());
    };
    v1::WorkerReply reply = tasks.Run(request, tell, inbox.stop(), mark, keep);
    inbox.TaskEnded();
    AISLE_COVER("commit.worker_answer.before");
    Send(output, reply);
    AISLE_COVER("commit.worker_answer.after");
    if (reply.has_trained()) {
      std::string& update = *reply.mutable_trained()->mutable_update();
      Wipe(update.data(), update.size());
    }
  }
}

}  // namespace
}  // namespace aisle

int main() { return aisle::Main(); }

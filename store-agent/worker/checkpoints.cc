#include "store-agent/worker/checkpoints.h"

#include <algorithm>
#include <new>
#include <utility>

#include "store-agent/supervisor/frames.h"

namespace aisle {
namespace {

constexpr size_t kPieceSize = kCheckpointPieceMax;
constexpr int kTimesItsCost = 20;  // At most a twentieth of a task's time goes into checkpoints.

}  // namespace

CheckpointWriter& CheckpointWriter::Raw(std::string_view bytes) {
  while (!bytes.empty()) {
    if (piece_.size() == kPieceSize) Send(false);
    if (piece_.empty()) piece_.reserve(kPieceSize);
    const std::string_view some = bytes.substr(0, kPieceSize - piece_.size());
    piece_.insert(piece_.end(), some.begin(), some.end());
    bytes.remove_prefix(some.size());
  }
  return *this;
}

void CheckpointWriter::Finish() { Send(true); }

void CheckpointWriter::Send(bool last) {
  v1::Checkpoint message;
  message.set_piece(piece_.data(), piece_.size());
  message.set_last(last);
  message.set_offset_bytes(sent_);
  send_(message);
  Wipe(message.mutable_piece()->data(), message.piece().size());
  sent_ += piece_.size();
  Wipe(piece_.data(), piece_.size());
  piece_.clear();
}

Checkpoints::Checkpoints(const v1::TrainTask& task, OnCheckpoint send)
    : send_(std::move(send)), resume_(task.resume()) {
  if (!task.has_checkpoint_ms() || !send_) return;
  every_ = std::chrono::milliseconds(task.checkpoint_ms());
  next_ = std::chrono::steady_clock::now() + *every_;
}

void Checkpoints::Keep(const std::function<void(CheckpointWriter&)>& write) {
  if (!every_) return;
  const auto began = std::chrono::steady_clock::now();
  try {
    CheckpointWriter writer(send_);
    write(writer);
    writer.Finish();
  } catch (const std::bad_alloc&) {
    return Disable();
  }
  const auto ended = std::chrono::steady_clock::now();
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(kTimesItsCost * (ended - began));
  next_ = every_->count() == 0 ? ended : ended + std::max(*every_, pause);
}

}  // namespace aisle

// Checkpoints of a task: when one is due, what goes in, where it goes. Training decides what it must remember.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aisle/v1/worker.pb.h"
#include "base/codec.h"
#include "base/secret.h"

namespace aisle {

// Where the pieces go.
using OnCheckpoint = std::function<void(const v1::Checkpoint&)>;

// One checkpoint in the making: little-endian, as base/codec.h, piece by piece.
class CheckpointWriter {
 public:
  explicit CheckpointWriter(const OnCheckpoint& send) : send_(send) {}

  CheckpointWriter& U32(uint32_t value) { return Raw({reinterpret_cast<const char*>(&value), sizeof value}); }
  CheckpointWriter& U64(uint64_t value) { return Raw({reinterpret_cast<const char*>(&value), sizeof value}); }
  // Their number (u64), then the numbers.
  CheckpointWriter& Floats(std::span<const float> values) { return Vector(values); }
  CheckpointWriter& Doubles(std::span<const double> values) { return Vector(values); }
  CheckpointWriter& Integers(std::span<const int64_t> values) { return Vector(values); }
  CheckpointWriter& Bytes(std::string_view bytes) { return Vector(std::span(bytes)); }
  void Finish();

 private:
  template <typename T>
  CheckpointWriter& Vector(std::span<const T> values) {
    return U64(values.size()).Raw({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  CheckpointWriter& Raw(std::string_view bytes);
  void Send(bool last);

  const OnCheckpoint& send_;
  std::vector<char, WipingAllocator<char>> piece_;
  uint64_t sent_ = 0;
};

// What CheckpointWriter wrote; see ByteReader for how it fails.
class CheckpointReader {
 public:
  explicit CheckpointReader(std::string_view bytes) : in_(bytes) {}

  uint32_t U32() { return in_.U32(); }
  uint64_t U64() { return in_.U64(); }
  std::vector<float> Floats() { return Vector<float>(); }
  std::vector<double> Doubles() { return Vector<double>(); }
  std::vector<int64_t> Integers() { return Vector<int64_t>(); }
  std::string Bytes() {
    const std::vector<char> bytes = Vector<char>();
    return {bytes.begin(), bytes.end()};
  }
  // DataLoss unless everything was there and nothing is left over.
  Status Finish() const { return in_.Finish("checkpoint"); }

 private:
  template <typename T>
  std::vector<T> Vector() {
    const uint64_t count = in_.U64();
    const std::string_view raw = in_.Raw(count > in_.remaining() / sizeof(T) ? in_.remaining() + 1 : count * sizeof(T));
    std::vector<T> values(raw.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), raw.data(), raw.size());
    return values;
  }
  ByteReader in_;
};

// Not thread-safe.
class Checkpoints {
 public:
  // None is ever due.
  Checkpoints() = default;
  // As the task asks for. `resume` must outlive this.
  Checkpoints(const v1::TrainTask& task, OnCheckpoint send);

  bool wanted() const { return every_.has_value(); }
  // So much time has passed since the last, or twenty times what the last one took, whichever is longer.
  bool Due() const { return every_ && std::chrono::steady_clock::now() >= next_; }
  // Sends what `write` writes. Best effort: a task that can't afford one goes on without.
  void Keep(const std::function<void(CheckpointWriter&)>& write);
  void Disable() { every_.reset(); }

  // Where the task stood when a checkpoint of it was made; empty for one that begins at its beginning.
  std::string_view resume() const { return resume_; }

 private:
  std::optional<std::chrono::milliseconds> every_;
  OnCheckpoint send_;
  std::string_view resume_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace aisle

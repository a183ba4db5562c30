// A training in the making on the store's disk, so that it goes on where a crash or a power cut ended it:
//
//   FOLDER/<job>-<round>.task        what the worker was handed, but for plan, weights and seed: rows as they were when
//   it
//                                    began, and the noise key of a debit that is paid (mode local-sgd)
//   FOLDER/<job>-<round>.checkpoint  how far it came: the worker's own bytes, and whom it leaves out
//
// Both are sealed under a key of the store's key and the training seed, so that nothing opens them once the task's
// record is gone; and tied to the plan, the weights, this version of Aisle and the customers forgotten so far: of any
// other training they are nothing. Written at the first checkpoint, so that trainings shorter than the pause between
// two leave no trace on the disk.
#pragma once

#include <absl/time/time.h>

#include <memory>
#include <optional>
#include <string>

#include "base/fleet.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "store-agent/supervisor/checkpoint_keeper.h"
#include "store-agent/task/sealed_file.h"

namespace aisle {

// Where they lie. One thread at a time.
class TrainingFolder {
 public:
  // `store_key` seals the rows; `every` is the pause between two checkpoints; under a
  // millisecond: one after every step; zero: none. Errors: the folder can't be made.
  static StatusOr<TrainingFolder> Open(std::string folder, const SecretBytes& store_key, absl::Duration every);

  absl::Duration every() const { return every_; }
  bool HasTask(const RoundId& round) const;  // Whether it opens is another question.
  Status DropAllBut(const std::optional<RoundId>& round) const;

 private:
  friend class KeptTraining;
  TrainingFolder(std::string folder, const SecretBytes& store_key, absl::Duration every)
      : folder_(std::move(folder)), store_key_(store_key.Clone()), every_(every) {}

  std::string folder_;
  SecretBytes store_key_;
  absl::Duration every_;
};

// One task's. Not thread-safe.
class KeptTraining final : public CheckpointKeeper {
 public:
  // `forgotten` is TableStore::ForgottenDigest. All must outlive this.
  KeptTraining(const TrainingFolder& folder, const TrainInstruction& task, const SecretBytes& seed,
               const Digest& forgotten, RandomSource& random);

  // The task as it was handed to the worker, without bundle, weights and seed; nothing if none is kept. What is kept
  // and can't be used is dropped.
  std::optional<v1::TrainTask> TakeUp();
  // Keeps `task`, durably, and drops the checkpoints of another. Errors: the disk.
  Status Freeze(const v1::TrainTask& task);
  void Drop();

  // Keep freezes the task if that wasn't done yet. Whatever can't be written ends the keeping, and frees the disk.
  void Keep(const v1::Checkpoint& piece, const v1::TrainTask& task) override;
  void PutInto(v1::TrainTask& task) override;
  void DropCheckpoint() override;

 private:
  Status Add(const v1::Checkpoint& piece, const v1::TrainTask& task);
  // Gives the file's id.
  StatusOr<std::string> Read(const std::string& path, const std::string& place, uint64_t size_max,
                             std::string& content) const;
  std::string CheckpointPlace() const { return place_ + frozen_; }

  const TrainingFolder& folder_;
  RandomSource& random_;
  std::string task_path_;
  std::string checkpoint_path_;
  SecretBytes key_;
  std::string place_;
  std::string frozen_;  // The id of the task's file; empty if there is none. A checkpoint belongs to one such file.
  bool given_up_ = false;
  std::optional<SealedFileWriter> writer_;  // Of the checkpoint in the making.
  uint64_t offset_ = 0;                     // Of its next piece.
};

}  // namespace aisle

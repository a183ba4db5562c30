// Where the checkpoints of a task go, and where the last whole one comes from.
#pragma once

#include "aisle/v1/worker.pb.h"

namespace aisle {

// One thread at a time: the one that runs the task.
class CheckpointKeeper {
 public:
  virtual ~CheckpointKeeper() = default;

  // A piece of the checkpoint in the making, of a task that runs as `task` says. Best effort: what can't be kept costs
  // time, should the task have to be begun anew, and nothing else.
  virtual void Keep(const v1::Checkpoint& piece, const v1::TrainTask& task) = 0;
  // Sets `resume` to the last whole checkpoint; leaves it empty if there is none.
  virtual void PutInto(v1::TrainTask& task) = 0;
  // The worker can't make sense of the last one.
  virtual void DropCheckpoint() = 0;
};

}  // namespace aisle

// A task of the unit customer, run again without those over whom its worker died.
//
// A program that runs for ever, fills its memory or crashes takes the whole worker with it, and with it what all other
// customers had to say. If that customer's rows made it do so, one customer would have moved the sum by everybody's
// vectors. So a worker says whom it is about to work on; if it dies, that customer adds nothing, and the task is run
// again with the same seeds: all others add what they would have added, bit for bit. Nothing of a run that died has
// left this box, so all runs of a task together are one release, with one debit (docs/decisions/0021).
//
// A worker that was killed from outside is nobody's fault: somebody on the box did it, or the system did because
// another program had taken the memory. Its task is run again as it is, a few times; if it is killed once more, whoever
// it was working on is looked at like after any other death.
//
// Every run goes on from the last checkpoint, if there is one. Whoever is left out was not in it: a checkpoint is made
// when no customer is being worked on, of those whose turn is over.
//
// If the worker was running over several customers at once, these are tried one by one in the next run; who sits where
// makes no difference to anybody's vector. In mode local-sgd a customer is left out from that step on: what came before
// is repeated as it was, so each step stays a release of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "aisle/v1/worker.pb.h"
#include "store-agent/supervisor/checkpoint_keeper.h"
#include "store-agent/supervisor/worker_process.h"

namespace aisle {

// Writes into `task` what the next run must do otherwise. False if nobody can be blamed for `outcome`: it was answered
// or stopped, the whole task's time is over, or no customer was being worked on.
bool LeaveOutWhoeverBrokeIt(const WorkerOutcome& outcome, v1::TrainTask& task);

// So many kills of one task's worker from outside are taken for accidents.
inline constexpr int kAccidentsMax = 3;

struct CustomerAttempts {
  WorkerOutcome outcome;  // Of the last run; what was used, of all of them.
  size_t left_out = 0;    // Customers.
};

// Runs `request` (a TrainTask) on `worker`, and again as long as somebody can be left out and `caps`, which are for all
// runs together, aren't used up. Starts `program` whenever there is no worker; leaves in `worker` one that can take
// another task, or null. `keeper` may be null.
CustomerAttempts RunWithoutWhoeverBreaksIt(std::unique_ptr<WorkerProcess>& worker, const std::string& program,
                                           v1::WorkerRequest& request, const TaskLimits& caps, std::stop_token stop,
                                           CheckpointKeeper* keeper = nullptr);

}  // namespace aisle

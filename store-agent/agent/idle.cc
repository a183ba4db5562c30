// Idle begins when the agent has no task. It listens to the open check-in, and ends when headquarters gives a task.
#include "store-agent/agent/agent_machine.h"

namespace aisle::agent {

void AgentMachine::BeginTask(TrainInstruction instruction) {
  Emit(TellRoundBegun{instruction.round});
  if (instruction.deadline - clock_skew_ <= now_) {
    return GiveUp(instruction.round, Failed{FailureReason::kTimeCap, "the task came after its own deadline"});
  }
  if (instruction.plan.size > kPlanSizeMax || instruction.weights.size > kWeightsSizeMax) {
    return GiveUp(
        instruction.round,
        Refused{RefusalReason::kResourceCap,
                fmt::format("the plan of {} bytes or the weights of {} bytes are over the limits of {} and {}",
                            instruction.plan.size, instruction.weights.size, kPlanSizeMax, kWeightsSizeMax)});
  }
  Task task{.instruction = std::move(instruction), .seed = DrawKey(random_)};
  Emit(SaveRecord{PreparingRecord{.task = task.instruction, .seed = task.seed.Clone()}});
  Prepare(std::move(task));
}

}  // namespace aisle::agent

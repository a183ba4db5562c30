// A worker's output, all of it: frames over a pipe, what they say, and what the agent makes of an answer. The worker
// ran a plan that somebody wrote, so nothing of this is believed.
#include <sys/mman.h>

#include <variant>

#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "aggregation/weights.h"
#include "base/check.h"
#include "base/overloaded.h"
#include "store-agent/supervisor/conversation.h"
#include "store-agent/supervisor/customer_attempts.h"
#include "store-agent/supervisor/outcome.h"
#include "store-agent/task/worker_task.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::worker {
namespace {

constexpr uint32_t kReplyMax = 1 << 20;
constexpr uint64_t kRequest = 1;

FileDescriptor FileOf(std::string_view content) {
  FileDescriptor file(memfd_create("fuzz", MFD_CLOEXEC));
  AISLE_CHECK(file.valid() && WriteAll(file.get(), content, "memory").ok() && lseek(file.get(), 0, SEEK_SET) == 0);
  return file;
}

const UpdateShape& Shape() {
  static const UpdateShape shape =
      UpdateShape::Make({.parameter_count = 3, .metric_bounds = {10}, .clip_norm = 1, .metric_share = 0.5}).value();
  return shape;
}

// The path of a training's answer up to the debit.
void Use(WorkerOutcome outcome) {
  AISLE_CHECK(outcome.ok() == outcome.status().ok());
  if (!outcome.ok() || !outcome.reply.has_trained()) return;
  auto update = TakeUpdate(outcome, Shape());
  if (std::holds_alternative<TaskEnd>(update)) return;
  const SecretVector<int32_t>& vector = std::get<SecretVector<int32_t>>(update);
  static const Quantizer quantizer =
      Quantizer::Make({.clip_norm = 1, .length = Shape().length(), .addends_max = 10, .noise_multiplier = 1}).value();
  (void)quantizer.CheckNorm(vector.Reveal());
}

// Each word in its turn, as a task hears them; at the end the worker dies and somebody is blamed.
void Listen(Conversation& talk) {
  v1::TrainTask task;
  WorkerMark mark;
  const auto forever = std::chrono::steady_clock::now() + std::chrono::hours(1);
  while (talk.Wait(forever, false) == Conversation::Event::kMessage) {
    WorkerWord word = UnderstandWorker(talk.message(), kRequest);
    if (auto* said = std::get_if<WorkerMark>(&word)) mark = std::move(*said);
    if (auto* end = std::get_if<WorkerOutcome>(&word)) return Use(std::move(*end));
  }
  WorkerOutcome death = OutcomeOfDeath({.wait_status = 9, .last_words = talk.last_words()});
  death.mark = std::move(mark);
  (void)LeaveOutWhoeverBrokeIt(death, task);
}

std::string Framed(const v1::WorkerReply& reply) {
  const std::string message = reply.SerializeAsString();
  return FrameHeader(static_cast<uint32_t>(message.size())) + message;
}

}  // namespace

void TryInput(std::string_view input) {
  Child child;
  child.output = FileOf(input);
  child.errors = FileOf(input.substr(0, 3000));
  Conversation talk(child, kReplyMax, -1);
  Listen(talk);
  Use(OutcomeOfReply(v1::WorkerReply()));
}

std::vector<std::string> Seeds() {
  v1::WorkerReply mark, checkpoint, progress, trained, evaluated, failure, inspected;
  for (v1::WorkerReply* reply : {&mark, &checkpoint, &progress, &trained, &evaluated, &failure, &inspected}) {
    reply->set_request_id(kRequest);
  }
  mark.mutable_mark()->set_step(3);
  mark.mutable_mark()->add_customers(7);
  mark.mutable_mark()->add_customers(8);
  checkpoint.mutable_checkpoint()->set_piece("so far");
  checkpoint.mutable_checkpoint()->set_last(true);
  progress.mutable_progress()->set_step(1);
  progress.mutable_progress()->set_loss(0.5);
  trained.mutable_trained()->set_update(std::string(Shape().length() * sizeof(int32_t), '\1'));
  trained.mutable_trained()->set_examples(100);
  (*evaluated.mutable_evaluated()->mutable_metrics())["loss"] = 0.5;
  failure.mutable_failure()->set_reason(v1::WorkerFailure::REASON_PLAN_ERROR);
  failure.mutable_failure()->set_detail("division by zero");
  inspected.mutable_inspected()->add_operators("aten::add");
  return {Framed(progress) + Framed(mark) + Framed(checkpoint) + Framed(trained), Framed(mark) + Framed(mark),
          Framed(evaluated), Framed(failure), Framed(inspected)};
}

}  // namespace aisle::fuzz::worker

AISLE_FUZZ_TARGET(worker);

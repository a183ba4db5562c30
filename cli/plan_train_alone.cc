// aisle plan train-alone: what a store could do by itself.
#include <nlohmann/json.hpp>

#include "base/storage/files.h"
#include "cli/local_plan.h"
#include "cli/local_rows.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

constexpr uint32_t kPassesMax = 1000;  // The worker's own limit.

struct TrainAloneOptions : LocalOptions {
  uint32_t passes = 1;
  uint64_t seed = 0;
  std::string out;
};

TaskLimits LimitsFor(const TaskLimits& once, uint32_t passes) {
  return {.memory = once.memory, .cpu_time = once.cpu_time * passes, .wall_time = once.wall_time * passes};
}

StatusOr<v1::TrainResult> TrainOn(const LocalPlan& local, LocalRows rows, const TrainAloneOptions& options,
                                  LocalWorker& worker) {
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::TrainTask& task = *request.mutable_train();
  task.set_bundle(local.bundle);
  task.set_weights(local.file.weights);
  for (v1::TableData& table : rows.tables) *task.add_tables() = std::move(table);
  task.set_seed(std::string(Sha256::Of(fmt::format("aisle/train-alone/{}", options.seed)).view()));
  task.set_threads(1);
  task.set_keep_weights(true);
  task.set_passes(options.passes);
  AISLE_ASSIGN_OR_RETURN(v1::WorkerReply reply,
                         worker.Run(request, LimitsFor(local.plan.limits, options.passes), "training"));
  if (!reply.has_trained()) return Internal("the worker answered the training with something else");
  return std::move(*reply.mutable_trained());
}

Status TrainAlone(Context& context, const TrainAloneOptions& options) {
  LocalWorker worker(WorkerProgram(options.worker));
  AISLE_ASSIGN_OR_RETURN(const LocalPlan local, OpenLocalPlan(options, worker));
  AISLE_ASSIGN_OR_RETURN(LocalRows rows, ReadLocalRows(local.plan, local.schema, options.data.front()));
  const uint64_t quarantined = rows.quarantined;
  const uint64_t rows_read = rows.rows;
  AISLE_ASSIGN_OR_RETURN(const v1::TrainResult trained, TrainOn(local, std::move(rows), options, worker));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(options.out, trained.trained_weights()));
  if (context.options.json) {
    context.out.Json({{"plan", local.plan.name},
                      {"store", StoreNameOf(options.data.front())},
                      {"passes", options.passes},
                      {"rows", rows_read},
                      {"rows_quarantined", quarantined},
                      {"examples", trained.examples()},
                      {"loss_before", trained.loss_before()},
                      {"loss_after", trained.loss_after()},
                      {"seconds_to_first_batch", trained.seconds_to_first_batch()},
                      {"seconds_training", trained.seconds_training()},
                      {"weights", options.out}});
    return OkStatus();
  }
  context.out.Print(Facts()
                        .Add("plan", local.plan.name)
                        .Add("store", StoreNameOf(options.data.front()))
                        .Add("rows", fmt::format("{}, {} quarantined", CountText(rows_read), CountText(quarantined)))
                        .Add("examples", CountText(trained.examples()))
                        .Add("loss", fmt::format("{} before, {} after {} passes", NumberText(trained.loss_before()),
                                                 NumberText(trained.loss_after()), options.passes))
                        .Add("took", SpanText(absl::Seconds(trained.seconds_training())))
                        .Add("weights", options.out));
  return OkStatus();
}

}  // namespace

void AddPlanTrainAloneCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("train-alone", "Train a plan on one store's rows only, to compare with the chain's model");
  command->footer(
      "No noise, no clipping, nothing leaves: what a store could do by itself.\n\n"
      "  aisle plan train-alone demand.plan --data chain/stores/store-012 --passes 30 --out alone.weights\n");
  TrainAloneOptions& options = OnRun(*command, context, TrainAlone);
  AddLocalOptions(*command, context, options);
  command->add_option("--data", options.data, "The store's folder of <table>.csv files")
      ->type_name("DIR")
      ->required()
      ->expected(1);
  command->add_option("--passes,--rounds", options.passes, "How often the plan's local training is repeated")
      ->type_name("N")
      ->check(CLI::Range(1U, kPassesMax))
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Of everything random: the same seed gives the same weights")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--out", options.out, "Where to write the trained weights")->type_name("FILE")->required();
}

}  // namespace aisle::cli

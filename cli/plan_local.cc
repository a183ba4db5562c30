// aisle plan train-alone|evaluate: a plan on rows at hand, without any coordinator: what a store could do by itself,
// and how good a model is.
#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "aggregation/weights.h"
#include "base/clock.h"
#include "base/storage/files.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/fetch.h"
#include "cli/local_rows.h"
#include "cli/plan_tasks.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr uint32_t kPassesMax = 1000;  // The worker's own limit.
constexpr uint64_t kWeightsSizeMax = uint64_t{2} << 30;

struct LocalOptions {
  std::string plan;
  std::vector<std::string> data;
  std::string tables;
  std::string worker;
  // train-alone
  uint32_t passes = 1;
  uint64_t seed = 0;
  std::string out;
  // evaluate
  std::string weights;
  std::string model;
  std::string split = "validation";
};

// A plan with what it needs to run here.
struct LocalPlan {
  PlanFile file;
  std::string bundle;
  Plan plan;
  Schema schema;
};

// tables.toml: as given, or in the data folder, or in the chain's folder above DIR/stores/<id>.
StatusOr<Schema> FindSchema(const LocalOptions& options) {
  if (!options.tables.empty()) return Schema::ParseFile(options.tables);
  const fs::path data = fs::path(options.data.front()) / "";
  for (const fs::path& place : {data / "tables.toml", data / "../../tables.toml"}) {
    if (FileExists(place)) return Schema::ParseFile(place);
  }
  return NotFound("no tables.toml in {} or two folders above; name it with --tables", options.data.front());
}

StatusOr<LocalPlan> OpenLocalPlan(const LocalOptions& options, LocalWorker& worker) {
  LocalPlan local;
  AISLE_ASSIGN_OR_RETURN(local.file, LoadOrBuildPlan(options.plan, nullptr, worker));
  AISLE_ASSIGN_OR_RETURN(local.plan, local.file.bundle.plan());
  AISLE_ASSIGN_OR_RETURN(local.schema, FindSchema(options));
  local.bundle = local.file.bundle.Encode();
  return local;
}

// A store's id is its folder's name.
std::string StoreNameOf(const std::string& folder) {
  const fs::path path = fs::path(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename();
}

// A chain's folder stands for all of its stores.
std::vector<std::string> StoreFolders(const std::vector<std::string>& data) {
  std::vector<std::string> folders;
  for (const std::string& given : data) {
    std::error_code error;
    const fs::path stores = fs::path(given) / "stores";
    if (!fs::is_directory(stores, error)) {
      folders.push_back(given);
      continue;
    }
    const size_t before = folders.size();
    for (const auto& entry : fs::directory_iterator(stores, error)) folders.push_back(entry.path());
    std::sort(folders.begin() + static_cast<std::ptrdiff_t>(before), folders.end());
  }
  return folders;
}

// Training alone

TaskLimits LimitsFor(const TaskLimits& once, uint32_t passes) {
  return {.memory = once.memory, .cpu_time = once.cpu_time * passes, .wall_time = once.wall_time * passes};
}

StatusOr<v1::TrainResult> TrainOn(const LocalPlan& local, LocalRows rows, const LocalOptions& options,
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

Status TrainAlone(Context& context, const LocalOptions& options) {
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

// Evaluating

using Sums = std::map<std::string, double>;

struct StoreScore {
  std::string store;
  uint64_t examples = 0;
  Sums sums;
};

// Sums over examples as means: everything but the count itself, by the count.
Sums MeansOf(const Sums& sums) {
  Sums means;
  const auto count = sums.find("count");
  if (count == sums.end() || !(count->second > 0)) return means;
  for (const auto& [name, sum] : sums) {
    if (name != "count") means[name] = sum / count->second;
  }
  return means;
}

v1::EvaluateTask::Split SplitOf(const std::string& name) {
  if (name == "all") return v1::EvaluateTask::SPLIT_ALL;
  return name == "training" ? v1::EvaluateTask::SPLIT_TRAINING : v1::EvaluateTask::SPLIT_VALIDATION;
}

StatusOr<StoreScore> Score(const LocalPlan& local, const std::string& weights, const std::string& folder,
                           const LocalOptions& options, LocalWorker& worker) {
  AISLE_ASSIGN_OR_RETURN(LocalRows rows, ReadLocalRows(local.plan, local.schema, folder));
  v1::WorkerRequest request;
  request.set_request_id(1);
  v1::EvaluateTask& task = *request.mutable_evaluate();
  task.set_bundle(local.bundle);
  task.set_weights(weights);
  task.set_split(SplitOf(options.split));
  for (v1::TableData& table : rows.tables) *task.add_tables() = std::move(table);
  const StatusOr<v1::WorkerReply> reply = worker.Run(request, local.plan.limits, "evaluating " + StoreNameOf(folder));
  if (!reply.ok()) return Annotate(reply.status(), folder);
  if (!reply->has_evaluated()) return Internal("the worker answered the evaluation with something else");
  const auto& metrics = reply->evaluated().metrics();
  return StoreScore{StoreNameOf(folder), reply->evaluated().examples(), {metrics.begin(), metrics.end()}};
}

StoreScore Pool(const std::vector<StoreScore>& scores) {
  StoreScore pooled{.store = "all"};
  for (const StoreScore& score : scores) {
    pooled.examples += score.examples;
    for (const auto& [name, sum] : score.sums) pooled.sums[name] += sum;
  }
  return pooled;
}

StatusOr<std::string> WeightsToScore(Context& context, const LocalOptions& options) {
  if (options.weights.empty() == options.model.empty()) {
    return InvalidArgument("give either --weights FILE or --model JOB[@VERSION]: what is to be evaluated?");
  }
  if (!options.weights.empty()) return ReadFile(options.weights, kWeightsSizeMax);
  AISLE_ASSIGN_OR_RETURN(const ModelName name, ParseModelName(options.model));
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Model model, admin->GetModel(name.job, name.version));
  return FetchBlobToMemory(*admin, model.weights());
}

Json ScoreJson(const StoreScore& score) {
  return {{"store", score.store}, {"examples", score.examples}, {"sums", score.sums}, {"metrics", MeansOf(score.sums)}};
}

void PrintScores(Output& out, const std::vector<StoreScore>& scores, const StoreScore& pooled) {
  std::vector<Column> columns = {{"store"}, {"examples", Align::kRight}};
  const Sums names = MeansOf(pooled.sums);
  for (const auto& [name, mean] : names) columns.push_back({name, Align::kRight});
  Table table(std::move(columns));
  const auto add = [&](const StoreScore& score) {
    std::vector<std::string> cells = {score.store, CountText(score.examples)};
    const Sums means = MeansOf(score.sums);
    for (const auto& [name, pooled_mean] : names) {
      cells.push_back(means.contains(name) ? NumberText(means.at(name)) : "-");
    }
    table.Row(std::move(cells));
  };
  for (const StoreScore& score : scores) add(score);
  if (scores.size() > 1) add(pooled);
  out.Print(table);
}

Status Evaluate(Context& context, const LocalOptions& options) {
  LocalWorker worker(WorkerProgram(options.worker));
  AISLE_ASSIGN_OR_RETURN(const LocalPlan local, OpenLocalPlan(options, worker));
  AISLE_ASSIGN_OR_RETURN(const std::string weights, WeightsToScore(context, options));
  if (const auto decoded = DecodeWeightsLayout(weights); !decoded.ok()) {
    return Annotate(decoded.status(), options.weights + options.model);
  }
  std::vector<StoreScore> scores;
  for (const std::string& folder : StoreFolders(options.data)) {
    AISLE_ASSIGN_OR_RETURN(StoreScore score, Score(local, weights, folder, options, worker));
    scores.push_back(std::move(score));
  }
  const StoreScore pooled = Pool(scores);
  if (!context.options.json) {
    PrintScores(context.out, scores, pooled);
    return OkStatus();
  }
  Json stores = Json::array();
  for (const StoreScore& score : scores) stores.push_back(ScoreJson(score));
  context.out.Json({{"plan", local.plan.name},
                    {"split", options.split},
                    {"examples", pooled.examples},
                    {"sums", pooled.sums},
                    {"metrics", MeansOf(pooled.sums)},
                    {"stores", std::move(stores)}});
  return OkStatus();
}

void AddLocalOptions(CLI::App& command, Context& context, LocalOptions& options) {
  command.add_option("PLAN", options.plan, "The plan file, or the plan's folder")->type_name("FILE")->required();
  command
      .add_option("--tables", options.tables,
                  "The tables.toml that declares the CSV files' columns [found near --data]")
      ->type_name("FILE");
  command.add_option("--worker", options.worker, "The aisle-worker program [beside aisle]")->type_name("FILE");
  AddJsonFlag(command, context);
}

void AddTrainAloneCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("train-alone", "Train a plan on one store's rows only, to compare with the chain's model");
  command->footer(
      "No noise, no clipping, nothing leaves: what a store could do by itself.\n\n"
      "  aisle plan train-alone demand.plan --data chain/stores/store-012 --passes 30 --out alone.weights\n");
  LocalOptions& options = OnRun(*command, context, TrainAlone);
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

void AddEvaluateCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("evaluate", "The plan's metrics of a model on rows at hand, per store and pooled");
  command->footer(
      "  aisle plan evaluate demand.plan --weights alone.weights --data chain/stores/store-012\n"
      "  aisle plan evaluate demand.plan --model demand@30 --data chain --split validation\n");
  LocalOptions& options = OnRun(*command, context, Evaluate);
  AddLocalOptions(*command, context, options);
  command
      ->add_option("--data", options.data,
                   "A store's folder of <table>.csv files, or a chain's folder; may be given again")
      ->type_name("DIR")
      ->required();
  CLI::Option* weights =
      command->add_option("--weights", options.weights, "Weights in the flat tensor format")->type_name("FILE");
  command->add_option("--model", options.model, "A published model, JOB[@VERSION], fetched from the coordinator")
      ->type_name("MODEL")
      ->excludes(weights);
  command->add_option("--split", options.split, "Which examples: those held out, those trained on, or all")
      ->check(CLI::IsMember({"validation", "training", "all"}))
      ->capture_default_str();
  AddConnectionOptions(*command, context);
}

}  // namespace

void AddPlanLocalCommands(CLI::App& group, Context& context) {
  AddTrainAloneCommand(group, context);
  AddEvaluateCommand(group, context);
}

}  // namespace aisle::cli

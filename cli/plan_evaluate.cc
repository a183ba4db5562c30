// aisle plan evaluate: how good a model is on rows at hand, by the plan's own metrics.
#include <map>
#include <nlohmann/json.hpp>

#include "aggregation/weights.h"
#include "base/storage/files.h"
#include "cli/describe.h"
#include "cli/fetch.h"
#include "cli/local_plan.h"
#include "cli/local_rows.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kWeightsSizeMax = uint64_t{2} << 30;

struct EvaluateOptions : LocalOptions {
  std::string weights;
  std::string model;
  std::string split = "validation";
};

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
                           const EvaluateOptions& options, LocalWorker& worker) {
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

StatusOr<std::string> WeightsToScore(Context& context, const EvaluateOptions& options) {
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

Status Evaluate(Context& context, const EvaluateOptions& options) {
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

}  // namespace

void AddPlanEvaluateCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("evaluate", "The plan's metrics of a model on rows at hand, per store and pooled");
  command->footer(
      "  aisle plan evaluate demand.plan --weights alone.weights --data chain/stores/store-012\n"
      "  aisle plan evaluate demand.plan --model demand@30 --data chain --split validation\n");
  EvaluateOptions& options = OnRun(*command, context, Evaluate);
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

}  // namespace aisle::cli

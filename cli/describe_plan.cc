#include "cli/describe_plan.h"

#include <nlohmann/json.hpp>

#include "aggregation/weights.h"
#include "base/clock.h"
#include "cli/text.h"
#include "plans/update_vector.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Opened {
  Plan plan;
  Layout layout;
  Layout trainable;
};

StatusOr<Opened> Open(const PlanFile& file) {
  AISLE_ASSIGN_OR_RETURN(Plan plan, file.bundle.plan());
  AISLE_ASSIGN_OR_RETURN(Layout layout, DecodeWeightsLayout(file.weights));
  AISLE_ASSIGN_OR_RETURN(Layout trainable, plan.TrainableLayout(layout));
  return Opened{std::move(plan), std::move(layout), std::move(trainable)};
}

std::string KeyName(const std::string& key) { return ToHex(key).substr(0, 12); }

std::string PrivacyText(const PrivacyContract& contract) {
  if (contract.unit() == PrivacyUnit::kNone) return "none: updates leave without noise";
  return fmt::format("unit {}, clip {}, noise multiplier {}, delta {}, at most {} rounds", ToString(contract.unit()),
                     NumberText(contract.clip_norm), NumberText(contract.noise_multiplier), NumberText(contract.delta),
                     contract.rounds_max);
}

std::string TrainingText(const LocalTraining& training) {
  return fmt::format("{}, learning rate {}, {} epochs of batches of {}",
                     training.optimizer == LocalOptimizer::kAdam ? "adam" : "sgd", NumberText(training.learning_rate),
                     training.epochs, training.batch_size);
}

std::string ValidationText(const ValidationSplit& split) {
  if (split.last > 0) return fmt::format("the last {} units of time", split.last);
  if (split.fraction > 0) return fmt::format("{} of the examples", NumberText(split.fraction));
  return "none held out";
}

std::string MetricNames(const Plan& plan) {
  std::string names;
  for (const MetricNeed& metric : plan.metrics) {
    names += fmt::format("{}{} (±{})", names.empty() ? "" : ", ", metric.name, NumberText(metric.bound));
  }
  return names;
}

std::string RangeText(const ColumnNeed& column) {
  if (column.type == ColumnType::kBytes) return fmt::format("{} bytes", column.width);
  return fmt::format("{} to {}", NumberText(column.range.min), NumberText(column.range.max));
}

Json TablesJson(const Plan& plan) {
  Json tables = Json::object();
  for (const TableNeed& table : plan.tables) {
    Json columns = Json::object();
    for (const ColumnNeed& column : table.columns) columns[column.name] = {{"type", NameOf(column.type)}};
    tables[table.name] = {{"rows_min", table.rows_min}, {"columns", std::move(columns)}};
  }
  return tables;
}

Json TensorsJson(const Layout& layout, const Layout& trainable) {
  Json tensors = Json::array();
  for (const TensorSpec& spec : layout.specs()) {
    tensors.push_back(
        {{"name", spec.name}, {"shape", spec.shape}, {"trainable", trainable.Find(spec.name).has_value()}});
  }
  return tensors;
}

Json PrivacyJson(const PrivacyContract& contract) {
  return {{"unit", ToString(contract.unit())},
          {"clip_norm", contract.clip_norm},
          {"noise_multiplier", contract.noise_multiplier},
          {"delta", contract.delta},
          {"rounds_max", contract.rounds_max},
          {"cohort_min", contract.cohort_min},
          {"cohort_target", contract.cohort_target},
          {"metric_share", contract.metric_share},
          {"secure_sum", contract.secure_sum},
          {"corrupt_share", contract.corrupt_permille / 1000.0},
          {"dropout_share", contract.dropout_permille / 1000.0}};
}

std::string SecureSumText(const PrivacyContract& contract) {
  if (!contract.secure_sum) return "off: headquarters sees each store's vector, and site policies must allow that";
  return fmt::format("on: holds if at most {}% of a cohort collude and {}% drop out",
                     NumberText(contract.corrupt_permille / 10.0), NumberText(contract.dropout_permille / 10.0));
}

}  // namespace

std::string ShapeText(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::string SignatureText(const PlanFile& file) {
  if (!file.signature) return "none: no store will run it";
  const std::string name = KeyName(file.signature->key);
  return CheckSignature(file).ok() ? "by key " + name : fmt::format("names key {}, but does not verify", name);
}

StatusOr<Facts> DescribePlan(const PlanFile& file) {
  AISLE_ASSIGN_OR_RETURN(const Opened opened, Open(file));
  const Plan& plan = opened.plan;
  Facts facts;
  facts.Add("plan", fmt::format("{}, version {}", plan.name, plan.version))
      .AddIf(!plan.description.empty(), "what", plan.description)
      .Add("digest", file.bundle.digest().Hex())
      .Add("signature", SignatureText(file))
      .Add("program",
           fmt::format("{}, {} ({})", plan.program_file, FormatByteCount(file.bundle.program.size()),
                       plan.program_kind == ProgramKind::kSource ? "TorchScript source" : "TorchScript archive"))
      .Add("parameters", fmt::format("{}, {} of them train", CountText(opened.layout.element_count()),
                                     CountText(opened.trainable.element_count())))
      .Add("first weights",
           fmt::format("{}, SHA-256 {}", FormatByteCount(file.weights.size()), file.bundle.initial_weights.ShortHex()))
      .Add("update", fmt::format("{} per store and round",
                                 FormatByteCount(4 * (opened.trainable.element_count() + plan.metrics.size()))))
      .Add("training", TrainingText(plan.training))
      .Add("validation", ValidationText(plan.validation))
      .Add("server", plan.average_rounds == 1 ? std::string(ToString(plan.server.kind))
                                              : fmt::format("{}, published as a mean over {} rounds",
                                                            ToString(plan.server.kind), plan.average_rounds))
      .Add("privacy", PrivacyText(plan.privacy))
      .Add("cohort",
           fmt::format("{} stores aimed at, at least {}", plan.privacy.cohort_target, plan.privacy.cohort_min))
      .Add("secure sum", SecureSumText(plan.privacy))
      .Add("metrics", plan.metrics.empty() ? "none" : MetricNames(plan))
      .Add("limits",
           fmt::format("{} memory, {} CPU, {} in all", FormatByteCount(plan.limits.memory),
                       aisle::FormatDuration(plan.limits.cpu_time), aisle::FormatDuration(plan.limits.wall_time)));
  return facts;
}

StatusOr<Table> DescribePlanTables(const PlanFile& file) {
  AISLE_ASSIGN_OR_RETURN(const Plan plan, file.bundle.plan());
  Table table({{"table"}, {"column"}, {"type"}, {"dry run draws"}});
  for (const TableNeed& need : plan.tables) {
    for (const ColumnNeed& column : need.columns) {
      table.Row({need.name, column.name, std::string(NameOf(column.type)), RangeText(column)});
    }
  }
  return table;
}

StatusOr<Table> DescribePlanTensors(const PlanFile& file) {
  AISLE_ASSIGN_OR_RETURN(const Opened opened, Open(file));
  Table table({{"tensor"}, {"shape"}, {"elements", Align::kRight}, {"trains"}});
  for (size_t i = 0; i < opened.layout.size(); ++i) {
    const TensorSpec& spec = opened.layout.specs()[i];
    table.Row({spec.name, ShapeText(spec.shape), CountText(opened.layout.element_count(i)),
               opened.trainable.Find(spec.name) ? "yes" : "no"});
  }
  return table;
}

StatusOr<nlohmann::ordered_json> PlanJson(const PlanFile& file) {
  AISLE_ASSIGN_OR_RETURN(const Opened opened, Open(file));
  const Plan& plan = opened.plan;
  Json metrics = Json::object();
  for (const MetricNeed& metric : plan.metrics) metrics[metric.name] = {{"bound", metric.bound}};
  Json signature = nullptr;
  if (file.signature) {
    signature = {{"key", ToHex(file.signature->key)}, {"verifies", CheckSignature(file).ok()}};
  }
  return Json{
      {"name", plan.name},
      {"version", plan.version},
      {"description", plan.description},
      {"sha256", file.bundle.digest().Hex()},
      {"signature", std::move(signature)},
      {"program",
       {{"file", plan.program_file}, {"kind", plan.program_kind == ProgramKind::kSource ? "source" : "archive"}}},
      {"parameters", opened.layout.element_count()},
      {"trainable", opened.trainable.element_count()},
      {"initial_weights_sha256", file.bundle.initial_weights.Hex()},
      {"initial_weights_bytes", file.weights.size()},
      {"update_bytes", 4 * (opened.trainable.element_count() + plan.metrics.size())},
      {"privacy", PrivacyJson(plan.privacy)},
      {"metrics", std::move(metrics)},
      {"tables", TablesJson(plan)},
      {"tensors", TensorsJson(opened.layout, opened.trainable)}};
}

}  // namespace aisle::cli

// plan.toml, section by section. Every mistake is noted in the ConfigTable, which tells them all at once at the end.
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "aggregation/model_average.h"
#include "base/config.h"
#include "base/ids.h"
#include "base/secure_sum.h"
#include "plans/parse_privacy.h"
#include "plans/plan.h"
#include "plans/read_checked.h"
#include "plans/slots.h"

namespace aisle {
namespace {

constexpr std::string_view kNameRule = "must be a to z, 0 to 9 and _, starting with a letter, at most 64 characters";

// Names that TorchScript can spell as attributes and dictionary keys.
bool IsIdentifier(std::string_view name) {
  if (name.empty() || name.size() > kNameLengthMax || name.front() < 'a' || name.front() > 'z') return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

bool IsFileName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && name.front() != '.' && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

void ReadPlan(ConfigTable root, Plan& plan) {
  ConfigTable table = root.Child("plan");
  table.Require("name", plan.name);
  if (const Status named = CheckName("plan", plan.name); !named.ok()) table.Refuse("name", MessageOf(named));
  table.Require("version", plan.version);
  table.Read("description", plan.description);
  table.Read("seed", plan.seed);
  if (table.Has("source") == table.Has("archive")) {
    table.Refuse("source", "give either source = \"file.py\" or archive = \"file.pt\"");
  }
  const std::string_view key = table.Has("archive") ? "archive" : "source";
  plan.program_kind = table.Has("archive") ? ProgramKind::kArchive : ProgramKind::kSource;
  table.Read("source", plan.program_file);
  table.Read("archive", plan.program_file);
  if (table.Has(key) && !IsFileName(plan.program_file)) table.Refuse(key, "must name a file beside plan.toml");
}

void ReadRange(ConfigTable& table, ColumnNeed& column) {
  const bool needed = column.type == ColumnType::kInt64 || column.type == ColumnType::kDouble;
  if (column.type == ColumnType::kBytes) column.range = {0, 255};
  if (column.type == ColumnType::kTimestamp) column.range = {1.7e9, 1.8e9};
  if (column.type == ColumnType::kString || column.type == ColumnType::kCustomer) column.range = {1, 1000};
  std::vector<double> range;
  if (needed) table.Require("range", range);
  if (!needed) table.Read("range", range);
  if (!table.Has("range")) return;
  if (range.size() != 2 || !std::isfinite(range[0]) || !std::isfinite(range[1]) || range[0] > range[1]) {
    table.Refuse("range", "must be [lowest, highest]");
    return;
  }
  column.range = {range[0], range[1]};
}

ColumnNeed ReadColumn(ConfigTable& columns, const std::string& name) {
  ColumnNeed column;
  column.name = name;
  if (!IsIdentifier(name)) columns.Refuse(name, kNameRule);
  ConfigTable table = columns.Child(name);
  std::string type;
  table.Require("type", type);
  const auto known = ColumnTypeOf(type);
  if (!known && table.Has("type")) {
    table.Refuse("type", "must be int64, double, string, timestamp, customer or bytes");
  }
  column.type = known.value_or(ColumnType::kDouble);
  if (column.type == ColumnType::kBytes) {
    table.Require("width", column.width);
    RefuseOutside<uint32_t>(table, "width", column.width, 1, 1 << 20);
  }
  ReadRange(table, column);
  return column;
}

void ReadTables(ConfigTable root, Plan& plan) {
  ConfigTable tables = root.Child("tables");
  const std::vector<std::string> names = tables.Keys();
  if (names.empty() || names.size() > kPlanTablesMax) {
    root.Refuse("tables", fmt::format("names {} tables; it must be 1 to {}", names.size(), kPlanTablesMax));
  }
  for (const std::string& name : names) {
    TableNeed need;
    need.name = name;
    if (!IsIdentifier(name)) tables.Refuse(name, kNameRule);
    ConfigTable table = tables.Child(name);
    table.Read("rows_min", need.rows_min);
    table.Read("dry_run_rows", need.dry_run_rows);
    RefuseOutside<uint64_t>(table, "dry_run_rows", need.dry_run_rows, 0, 100'000);
    ConfigTable columns = table.Child("columns");
    for (const std::string& column : columns.Keys()) need.columns.push_back(ReadColumn(columns, column));
    if (need.columns.empty() || need.columns.size() > kPlanColumnsMax) {
      table.Refuse("columns", fmt::format("names {}; it must be 1 to {}", need.columns.size(), kPlanColumnsMax));
    }
    plan.tables.push_back(std::move(need));
  }
}

// Epochs and batches are of a store's examples; a customer's own training is a few steps on all of that customer's.
void ReadSchedule(ConfigTable& table, PrivacyMode mode, LocalTraining& training) {
  if (mode == PrivacyMode::kCustomer) {
    ReadCount(table, "local_steps", training.local_steps, 1, 1000);
    for (const char* key : {"momentum", "weight_decay"}) {
      if (table.Has(key)) table.Refuse(key, "isn't for the mode customer, where every customer begins anew");
    }
  } else if (mode != PrivacyMode::kLocalSgd) {
    ReadCount(table, "epochs", training.epochs, 1, 10000);
    ReadCount(table, "batch_size", training.batch_size, 1, 1 << 20);
    ReadCount(table, "steps_max", training.steps_max, 1, 10'000'000);
  }
}

void ReadTraining(ConfigTable root, PrivacyMode mode, LocalTraining& training) {
  ConfigTable table = root.Child("training");
  ReadChoice(table, "optimizer", training.optimizer,
             std::array{std::pair{std::string_view("sgd"), LocalOptimizer::kSgd},
                        std::pair{std::string_view("adam"), LocalOptimizer::kAdam}});
  ReadNumber(table, "learning_rate", training.learning_rate, 1e-9, 100);
  ReadNumber(table, "momentum", training.momentum, 0, 0.9999);
  ReadNumber(table, "weight_decay", training.weight_decay, 0, 1);
  ReadSchedule(table, mode, training);
  if (training.optimizer == LocalOptimizer::kAdam && training.momentum != 0) {
    table.Refuse("momentum", "is for sgd only; adam has its own");
  }
}

void ReadValidation(ConfigTable root, ValidationSplit& split) {
  ConfigTable table = root.Child("validation");
  table.Read("last", split.last);
  RefuseOutside<int64_t>(table, "last", split.last, 0, int64_t{1} << 40);
  ReadNumber(table, "fraction", split.fraction, 0, 0.9);
  if (table.Has("last") && table.Has("fraction")) table.Refuse("fraction", "give either last or fraction");
}

// What the parts of a plan ask of each other where the unit is the customer.
void CheckCustomerPlan(ConfigTable root, const Plan& plan) {
  const auto names_customer = [](const TableNeed& table) {
    return std::ranges::any_of(table.columns, [](const ColumnNeed& c) { return c.type == ColumnType::kCustomer; });
  };
  if (std::ranges::none_of(plan.tables, names_customer)) {
    root.Refuse("tables", "hold no column of the type customer, so no example can be anybody's; the mode needs one");
  }
  if (plan.training.optimizer != LocalOptimizer::kSgd) {
    root.Refuse("training", "must use the optimizer sgd: each customer begins anew, so there is no state to keep");
  }
  ConfigTable privacy = root.Child("privacy");
  const PrivacyContract& contract = plan.privacy;
  const double customers =
      contract.mode == PrivacyMode::kLocalSgd ? contract.customers_per_store : contract.customers_planned();
  if (contract.delta * customers > 1) {
    privacy.Refuse("delta", fmt::format("is {}; with {} customers it must be at most {:.3g}: a larger one would let "
                                        "a whole customer through",
                                        contract.delta, customers, 1 / customers));
  }
}

void CheckSummedCohort(ConfigTable& table, const PrivacyContract& privacy) {
  if (privacy.cohort_min < 3) {
    table.Refuse("min", fmt::format("is {}; a secure sum over so few hides nothing: make it 3 at least, or write "
                                    "privacy.secure_sum = false",
                                    privacy.cohort_min));
  }
  if (privacy.cohort_target > kCohortSizeMax) {
    table.Refuse("target",
                 fmt::format("is {}; a secure sum is over {} stores at most", privacy.cohort_target, kCohortSizeMax));
  }
}

void ReadCohort(ConfigTable root, Plan& plan) {
  ConfigTable table = root.Child("cohort");
  table.Require("min", plan.privacy.cohort_min);
  table.Require("target", plan.privacy.cohort_target);
  RefuseOutside<uint32_t>(table, "min", plan.privacy.cohort_min, 1, 1'000'000);
  RefuseOutside<uint32_t>(table, "target", plan.privacy.cohort_target, 1, 1'000'000);
  if (plan.privacy.cohort_target < plan.privacy.cohort_min) {
    table.Refuse("target", fmt::format("is {}, below min = {}", plan.privacy.cohort_target, plan.privacy.cohort_min));
  }
  if (plan.privacy.secure_sum) CheckSummedCohort(table, plan.privacy);
  ReadNumber(table, "over_selection", plan.over_selection, 1, 10);
}

void ReadServer(ConfigTable root, ServerOptimizerPolicy& server, uint32_t& average_rounds) {
  ConfigTable table = root.Child("server");
  std::string optimizer = "fedavg";
  table.Read("optimizer", optimizer);
  if (const auto kind = ParseServerOptimizerKind(optimizer); kind.ok()) {
    server = ServerOptimizerPolicy::Defaults(*kind);
  } else {
    table.Refuse("optimizer", MessageOf(kind.status()));
  }
  ReadNumber(table, "learning_rate", server.learning_rate, 1e-9, 1000);
  ReadNumber(table, "momentum", server.momentum, 0, 0.9999);
  ReadNumber(table, "beta1", server.beta1, 0, 0.9999);
  ReadNumber(table, "beta2", server.beta2, 0, 0.99999);
  ReadNumber(table, "tau", server.tau, 1e-9, 1);
  ReadCount(table, "average_rounds", average_rounds, 1, kAverageRoundsMax);
}

void ReadDeadlines(ConfigTable root, RoundDeadlines& deadlines) {
  ConfigTable table = root.Child("deadlines");
  ReadDuration(table, "selecting", deadlines.selecting, absl::Hours(24 * 7));
  ReadDuration(table, "training", deadlines.training, absl::Hours(24 * 7));
  ReadDuration(table, "collecting", deadlines.collecting, absl::Hours(24 * 7));
  ReadDuration(table, "summing", deadlines.summing, absl::Hours(24));
}

void ReadLimits(ConfigTable root, TaskLimits& limits) {
  ConfigTable table = root.Child("limits");
  table.ReadByteCount("memory", limits.memory);
  RefuseOutside<uint64_t>(table, "memory", limits.memory, kPlanMemoryMin, uint64_t{1} << 40);
  ReadDuration(table, "cpu_time", limits.cpu_time, absl::Hours(24));
  ReadDuration(table, "wall_time", limits.wall_time, absl::Hours(24));
  limits.customer_time = limits.OneCustomersTime();
  ReadDuration(table, "customer_time", limits.customer_time, absl::Hours(24));
  if (limits.customer_time > limits.cpu_time) table.Refuse("customer_time", "is more than cpu_time, which is for all");
}

void ReadMetrics(ConfigTable root, std::vector<MetricNeed>& metrics) {
  static const std::set<std::string_view> kReserved = {"count", kCustomersSlot, kMeasuredSlot, kExamplesSlot,
                                                       kUnclippedSlot};
  ConfigTable tables = root.Child("metrics");
  for (const std::string& name : tables.Keys()) {
    MetricNeed metric;
    metric.name = name;
    if (!IsIdentifier(name)) tables.Refuse(name, kNameRule);
    if (kReserved.contains(name)) tables.Refuse(name, "is a name that Aisle itself uses");
    ConfigTable table = tables.Child(name);
    table.Require("bound", metric.bound);
    RefuseOutside(table, "bound", metric.bound, 1e-9, 1e12);
    metrics.push_back(std::move(metric));
  }
  if (metrics.size() > kPlanMetricsMax) {
    root.Refuse("metrics", fmt::format("names {}; the limit is {}", metrics.size(), kPlanMetricsMax));
  }
}

ParameterNeed ReadParameter(ConfigTable& table) {
  ParameterNeed parameter;
  table.Require("name", parameter.tensor.name);
  if (table.Has("name") && !IsIdentifier(parameter.tensor.name)) table.Refuse("name", kNameRule);
  table.Require("shape", parameter.tensor.shape);
  if (parameter.tensor.shape.size() > 8) table.Refuse("shape", "has more than 8 dimensions");
  for (const int64_t size : parameter.tensor.shape) {
    if (size < 1 || size > static_cast<int64_t>(kPlanElementsMax)) table.Refuse("shape", "has a size out of range");
  }
  ReadChoice(table, "init", parameter.init,
             std::array{std::pair{std::string_view("zeros"), ParameterInit::kZeros},
                        std::pair{std::string_view("ones"), ParameterInit::kOnes},
                        std::pair{std::string_view("constant"), ParameterInit::kConstant},
                        std::pair{std::string_view("uniform"), ParameterInit::kUniform},
                        std::pair{std::string_view("uniform_fan_in"), ParameterInit::kUniformFanIn},
                        std::pair{std::string_view("normal"), ParameterInit::kNormal}});
  ReadNumber(table, "scale", parameter.scale, -1e6, 1e6);
  table.Read("trainable", parameter.trainable);
  return parameter;
}

// Elements of a shape whose sizes have been checked, saturated past the limit.
uint64_t ElementsOf(const std::vector<int64_t>& shape) {
  uint64_t elements = 1;
  for (const int64_t size : shape) {
    elements *= size < 1 ? 1 : static_cast<uint64_t>(size);
    if (elements > kPlanElementsMax) return kPlanElementsMax + 1;
  }
  return elements;
}

void ReadParameters(ConfigTable root, Plan& plan) {
  std::vector<ConfigTable> tables = root.Children("parameters");
  if (plan.program_kind == ProgramKind::kArchive) {
    if (!tables.empty()) root.Refuse("parameters", "must be left out: an archive brings its own");
    return;
  }
  std::set<std::string> names;
  uint64_t elements = 0;
  bool trains = false;
  for (ConfigTable& table : tables) {
    ParameterNeed parameter = ReadParameter(table);
    if (!names.insert(parameter.tensor.name).second) table.Refuse("name", "is used twice");
    elements += ElementsOf(parameter.tensor.shape);
    trains = trains || parameter.trainable;
    plan.parameters.push_back(std::move(parameter));
  }
  if (elements > kPlanElementsMax || tables.size() > 4096) {
    root.Refuse("parameters", fmt::format("are {} tensors of {} elements; the limits are 4096 and {}", tables.size(),
                                          elements, kPlanElementsMax));
  }
  if (!trains) root.Refuse("parameters", "hold nothing trainable");
}

}  // namespace

StatusOr<Plan> Plan::Parse(std::string_view toml, std::string_view origin) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::Parse(toml, origin));
  Plan plan;
  ReadPlan(root, plan);
  ReadTables(root, plan);
  ReadPrivacy(root, plan.privacy);
  ReadTraining(root, plan.privacy.mode, plan.training);
  ReadValidation(root, plan.validation);
  ReadCohort(root, plan);
  ReadServer(root, plan.server, plan.average_rounds);
  ReadDeadlines(root, plan.deadlines);
  ReadLimits(root, plan.limits);
  ReadMetrics(root, plan.metrics);
  ReadParameters(root, plan);
  if (plan.privacy.unit() == PrivacyUnit::kCustomer) CheckCustomerPlan(root, plan);
  if (MetricSlotsOf(plan).empty()) plan.privacy.metric_share = 0;
  AISLE_RETURN_IF_ERROR(root.Finish());
  return plan;
}

}  // namespace aisle

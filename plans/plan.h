// A plan: what headquarters asks stores to compute, as plan.toml says it. docs/plans.md tells how to write one.
//
// Pure values: parsed and checked once, here, with every mistake told at once. What the plan's program (TorchScript)
// does with them is the worker's business; which plans may run at all is the site policy's.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aggregation/layout.h"
#include "aggregation/server_optimizer.h"
#include "base/status.h"
#include "privacy/contract.h"

namespace aisle {

inline constexpr size_t kPlanTablesMax = 32;
inline constexpr size_t kPlanColumnsMax = 256;  // Per table.
inline constexpr size_t kPlanMetricsMax = 64;
inline constexpr uint64_t kPlanElementsMax = uint64_t{1} << 28;
inline constexpr uint64_t kPlanMemoryMin = uint64_t{256} << 20;  // LibTorch alone maps most of this.

// A column's type in the store's tables, and how the plan's program sees it:
//   kInt64 int64; kDouble float64 (null is NaN); kTimestamp int64 seconds UTC; kString int64 fingerprint;
//   kCustomer int64 keyed pseudonym; kBytes uint8 [rows, width].
enum class ColumnType : uint8_t { kInt64, kDouble, kString, kTimestamp, kCustomer, kBytes };
std::string_view NameOf(ColumnType type);  // "int64", as plan.toml and tables.toml spell it.
std::optional<ColumnType> ColumnTypeOf(std::string_view name);

struct ValueRange {
  double min = 0;
  double max = 0;
};
// `range` is what the dry run draws made-up values from; rows outside of it are handed over all the same.
struct ColumnNeed {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  ValueRange range;
  uint32_t width = 0;  // Bytes per row; kBytes only.
};
struct TableNeed {
  std::string name;
  std::vector<ColumnNeed> columns;  // In the plan's order: all that the agent hands over.
  uint64_t rows_min = 1;            // A store with fewer rows than this doesn't take part.
  uint64_t dry_run_rows = 0;        // Made-up rows in a dry run; 0 for the usual number.
};

enum class LocalOptimizer : uint8_t { kSgd, kAdam };
struct LocalTraining {
  LocalOptimizer optimizer = LocalOptimizer::kSgd;
  double learning_rate = 0.01;
  double momentum = 0;      // SGD only.
  double weight_decay = 0;  // L2, added to the gradient.
  uint32_t epochs = 1;
  uint32_t batch_size = 64;
  uint32_t steps_max = 10000;  // Ends training early, whatever the epochs.
  uint32_t local_steps = 1;    // Mode customer only: steps on all of a customer's examples, instead of the three above.
};

// Which examples of a store are held out: those whose prepared `time` is within the last `last` units (time > max -
// last), or a `fraction` by hash of the example's index. Neither: none.
struct ValidationSplit {
  int64_t last = 0;
  double fraction = 0;
};

// Each phase of a round ends by its deadline.
struct RoundDeadlines {
  absl::Duration selecting = absl::Seconds(30);
  absl::Duration training = absl::Minutes(10);
  absl::Duration collecting = absl::Minutes(2);
  absl::Duration summing = absl::Seconds(30);  // Secure sum: each of Advertising, Sharing, Confirming and Unmasking.
};

// What one task may cost a store; the site policy may allow less.
struct TaskLimits {
  uint64_t memory = uint64_t{1} << 30;  // Resident bytes of the worker.
  absl::Duration cpu_time = absl::Minutes(10);
  absl::Duration wall_time = absl::Minutes(15);
  // CPU time for one step over one customer's rows, in the modes of the unit customer; zero for a sixtieth of cpu_time,
  // but a second at least. Who needs more adds nothing.
  absl::Duration customer_time;

  absl::Duration OneCustomersTime() const {
    return customer_time > absl::ZeroDuration() ? customer_time : std::max(cpu_time / 60, absl::Seconds(1));
  }
  // Bytes of tensors that the program may hold over one customer's rows: what LibTorch leaves of `memory`, quartered,
  // so that what others hold makes no difference. Who needs more adds nothing.
  uint64_t OneCustomersMemory() const;
};

// A mean over a store's held-out examples (all examples if none are held out), clamped to [-bound, bound] and sent in
// the same clipped and noised vector as the update: metrics()[name] / metrics()["count"].
struct MetricNeed {
  std::string name;
  double bound = 1;
};

enum class ParameterInit : uint8_t { kZeros, kOnes, kConstant, kUniform, kUniformFanIn, kNormal };
struct ParameterNeed {
  TensorSpec tensor;
  ParameterInit init = ParameterInit::kZeros;
  double scale = 1;  // The constant; half the width of kUniform; the std of kNormal; a factor of kUniformFanIn.
  bool trainable = true;
};

enum class ProgramKind : uint8_t { kSource = 1, kArchive = 2 };  // Values are part of the bundle's format.

struct Plan {
  std::string name;
  uint64_t version = 0;
  std::string description;
  uint64_t seed = 0;  // Of the initial weights.
  ProgramKind program_kind = ProgramKind::kSource;
  std::string program_file;  // Beside plan.toml.

  std::vector<TableNeed> tables;
  LocalTraining training;
  ValidationSplit validation;
  PrivacyContract privacy;
  double over_selection = 1.2;  // Stores invited per store needed.
  ServerOptimizerPolicy server;
  uint32_t average_rounds = 1;  // What is published is a mean over about so many rounds' models.
  RoundDeadlines deadlines;
  TaskLimits limits;
  std::vector<MetricNeed> metrics;
  std::vector<ParameterNeed> parameters;  // Empty for archives: the weights file names them, and all of them train.

  // InvalidArgument listing every mistake of the text, each with its line. `origin` names the file in messages.
  static StatusOr<Plan> Parse(std::string_view toml, std::string_view origin = "plan.toml");

  const TableNeed* FindTable(std::string_view table) const;  // Null if the plan doesn't read it.

  // The parameters that train, in the order of `weights`: the head of the update vector.
  // InvalidArgument if `weights` isn't the layout that [[parameters]] declare.
  StatusOr<Layout> TrainableLayout(const Layout& weights) const;
};

}  // namespace aisle

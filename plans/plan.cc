#include "plans/plan.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aisle {

namespace {

constexpr std::array<std::pair<ColumnType, std::string_view>, 6> kColumnTypes = {{
    {ColumnType::kInt64, "int64"},
    {ColumnType::kDouble, "double"},
    {ColumnType::kString, "string"},
    {ColumnType::kTimestamp, "timestamp"},
    {ColumnType::kCustomer, "customer"},
    {ColumnType::kBytes, "bytes"},
}};

// Says how the weights at hand differ from the plan's [[parameters]].
Status CompareLayouts(const std::vector<ParameterNeed>& declared, const Layout& weights) {
  const auto& specs = weights.specs();
  if (specs.size() != declared.size()) {
    return InvalidArgument("the weights hold {} tensors; plan.toml declares {} [[parameters]]", specs.size(),
                           declared.size());
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    const TensorSpec& wanted = declared[i].tensor;
    if (specs[i].name == wanted.name && specs[i].shape == wanted.shape) continue;
    return InvalidArgument("tensor {} of the weights is {} [{}]; plan.toml declares {} [{}]", i, specs[i].name,
                           fmt::join(specs[i].shape, ", "), wanted.name, fmt::join(wanted.shape, ", "));
  }
  return OkStatus();
}

}  // namespace

std::string_view NameOf(ColumnType type) {
  const auto found = std::ranges::find(kColumnTypes, type, &std::pair<ColumnType, std::string_view>::first);
  return found == kColumnTypes.end() ? "unknown" : found->second;
}

std::optional<ColumnType> ColumnTypeOf(std::string_view name) {
  const auto found = std::ranges::find(kColumnTypes, name, &std::pair<ColumnType, std::string_view>::second);
  if (found == kColumnTypes.end()) return std::nullopt;
  return found->first;
}

uint64_t TaskLimits::OneCustomersMemory() const {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  constexpr uint64_t kOfLibTorch = 192 * kMiB;
  return std::max((memory - std::min(memory, kOfLibTorch)) / 4, 8 * kMiB);
}

const TableNeed* Plan::FindTable(std::string_view table) const {
  const auto found = std::ranges::find(tables, table, &TableNeed::name);
  return found == tables.end() ? nullptr : &*found;
}

StatusOr<Layout> Plan::TrainableLayout(const Layout& weights) const {
  if (program_kind == ProgramKind::kArchive) return weights;
  AISLE_RETURN_IF_ERROR(CompareLayouts(parameters, weights));
  std::vector<TensorSpec> trainable;
  for (const ParameterNeed& parameter : parameters) {
    if (parameter.trainable) trainable.push_back(parameter.tensor);
  }
  return Layout::Make(std::move(trainable));
}

}  // namespace aisle

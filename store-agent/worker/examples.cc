#include "store-agent/worker/examples.h"

#include <torch/script.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"
#include "store-agent/worker/graph_check.h"

namespace aisle {

namespace {

using Batch = c10::Dict<std::string, at::Tensor>;
using Tables = c10::Dict<std::string, Batch>;

// One column as the tensor its type promises; it borrows the message's bytes.
StatusOr<at::Tensor> ToTensor(const v1::ColumnData& column, const ColumnNeed& need, int64_t rows) {
  const bool is_double = need.type == ColumnType::kDouble;
  const bool is_bytes = need.type == ColumnType::kBytes;
  const std::string& bytes = is_double  ? column.double_values()
                             : is_bytes ? column.byte_values()
                                        : column.int64_values();
  const bool right_kind = is_double  ? column.has_double_values()
                          : is_bytes ? column.has_byte_values()
                                     : column.has_int64_values();
  const uint64_t width = is_bytes ? need.width : 8;
  if (!right_kind || bytes.size() != static_cast<uint64_t>(rows) * width) {
    return InvalidArgument("column {}: expected {} rows of {} ({} bytes each), got {} bytes", need.name, rows,
                           NameOf(need.type), width, bytes.size());
  }
  void* data = const_cast<char*>(bytes.data());  // LibTorch knows no constant tensors.
  if (is_bytes) return at::from_blob(data, {rows, static_cast<int64_t>(width)}, at::kByte);
  return at::from_blob(data, {rows}, is_double ? at::kDouble : at::kLong);
}

StatusOr<Batch> ToColumns(const v1::TableData& table, const TableNeed& need) {
  Batch columns;
  for (const ColumnNeed& column : need.columns) {
    const auto found = std::ranges::find(table.columns(), column.name, [](const auto& data) { return data.name(); });
    if (found == table.columns().end())
      return InvalidArgument("table {} came without column {}", need.name, column.name);
    AISLE_ASSIGN_OR_RETURN(at::Tensor tensor, ToTensor(*found, column, static_cast<int64_t>(table.rows())));
    columns.insert(column.name, std::move(tensor));
  }
  if (static_cast<size_t>(table.columns_size()) != need.columns.size()) {
    return InvalidArgument("table {} came with {} columns; the plan reads {}", need.name, table.columns_size(),
                           need.columns.size());
  }
  return columns;
}

// A table that every customer's prepare() gets. What one call wrote into it, the next would read.
bool IsShared(const TableNeed& need, const Plan& plan) {
  return plan.privacy.unit() == PrivacyUnit::kCustomer &&
         std::ranges::find(need.columns, ColumnType::kCustomer, &ColumnNeed::type) == need.columns.end();
}

StatusOr<Tables> ToTables(const TableViews& tables, const Plan& plan) {
  Tables all;
  for (const TableNeed& need : plan.tables) {
    const auto found = std::ranges::find(tables, need.name, [](const auto* data) { return data->name(); });
    if (found == tables.end()) return InvalidArgument("the task came without table {}", need.name);
    AISLE_ASSIGN_OR_RETURN(Batch columns, ToColumns(**found, need));
    if (IsShared(need, plan)) {
      for (const ColumnNeed& column : need.columns)
        columns.insert_or_assign(column.name, columns.at(column.name).clone());
    }
    all.insert(need.name, std::move(columns));
  }
  return all;
}

std::string ShapeOf(const at::Tensor& tensor) { return fmt::format("[{}]", fmt::join(tensor.sizes().vec(), ", ")); }

// `name` as int64 [examples]; PlanError otherwise.
StatusOr<at::Tensor> PerExample(const Batch& batch, const char* name) {
  if (!batch.contains(name)) return PlanError("prepare returned no \"{}\": int64 [examples] is expected", name);
  const at::Tensor tensor = batch.at(name);
  if (tensor.scalar_type() != at::kLong || tensor.dim() != 1) {
    return PlanError("prepare returned \"{}\" as {} {}; int64 [examples] is expected", name,
                     c10::toString(tensor.scalar_type()), ShapeOf(tensor));
  }
  return tensor;
}

// SplitMix64 (Steele et al. 2014): spreads an index evenly over 64 bits.
uint64_t Spread(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

struct Examples::State {
  Batch prepared;
  int64_t size = 0;
  std::vector<int64_t> training;
  std::vector<int64_t> validation;

  Status CheckShapes() {
    AISLE_ASSIGN_OR_RETURN(const at::Tensor unit, PerExample(prepared, "unit"));
    size = unit.size(0);
    if (size == 0) return PlanError("prepare made no examples of this store's rows");
    for (auto& entry : prepared) {
      const at::Tensor& tensor = entry.value();
      if (tensor.dim() == 0 || tensor.size(0) != size) {
        return PlanError("prepare returned \"{}\" of shape {}, but \"unit\" says there are {} examples", entry.key(),
                         ShapeOf(tensor), size);
      }
    }
    return OkStatus();
  }

  // Whether example `i` is held out.
  Status Split(const ValidationSplit& rule, uint64_t salt) {
    std::vector<bool> held_out(static_cast<size_t>(size), false);
    if (rule.last > 0) {
      AISLE_ASSIGN_OR_RETURN(at::Tensor time, PerExample(prepared, "time"));
      time = time.contiguous();
      const std::span<const int64_t> times(time.data_ptr<int64_t>(), static_cast<size_t>(size));
      const int64_t newest = *std::ranges::max_element(times);
      for (size_t i = 0; i < times.size(); ++i) held_out[i] = times[i] > newest - rule.last;
    }
    if (rule.fraction > 0) {
      const auto bound = static_cast<uint64_t>(rule.fraction * 0x1p64);
      for (size_t i = 0; i < held_out.size(); ++i) held_out[i] = Spread(salt == 0 ? i : i ^ Spread(salt)) < bound;
    }
    for (int64_t i = 0; i < size; ++i) (held_out[static_cast<size_t>(i)] ? validation : training).push_back(i);
    return OkStatus();
  }
};

Examples::Examples(std::unique_ptr<State> state) : state_(std::move(state)) {}
Examples::~Examples() = default;
Examples::Examples(Examples&&) noexcept = default;
Examples& Examples::operator=(Examples&&) noexcept = default;

StatusOr<Examples> Examples::Prepare(Program& program, const Plan& plan, const TableViews& tables, uint64_t salt) {
  AISLE_ASSIGN_OR_RETURN(const Tables columns, ToTables(tables, plan));
  auto state = std::make_unique<State>();
  const at::NoGradGuard no_grad;
  c10::IValue prepared;
  AISLE_RETURN_IF_ERROR(program.Call(kPrepare, columns, prepared));
  AISLE_RETURN_IF_ERROR(Guarded(kPrepare, [&] {
    for (const auto& entry : prepared.toGenericDict()) {
      state->prepared.insert(entry.key().toStringRef(), entry.value().toTensor().detach().contiguous());
    }
  }));
  AISLE_RETURN_IF_ERROR(state->CheckShapes());
  AISLE_RETURN_IF_ERROR(state->Split(plan.validation, salt));
  return Examples(std::move(state));
}

TableViews ViewsOf(const TableRows& tables) {
  TableViews views;
  for (const v1::TableData& table : tables) views.push_back(&table);
  return views;
}

std::string Examples::Form() const {
  std::map<std::string, std::string> forms;
  for (const auto& entry : state_->prepared) {
    const at::Tensor& tensor = entry.value();
    forms[entry.key()] =
        fmt::format("{} [{}]", c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes().slice(1).vec(), ", "));
  }
  std::string form;
  for (const auto& [name, text] : forms) form += fmt::format("{}: {}; ", name, text);
  return form;
}

Examples Examples::OfUnits(size_t max) const {
  const std::vector<bool> owned = OwnedByAUnit();
  auto state = std::make_unique<State>();
  std::vector<int64_t> kept;
  const auto keep = [&](const std::vector<int64_t>& from, std::vector<int64_t>& indices) {
    for (const int64_t i : from) {
      if (indices.size() == max || !owned[static_cast<size_t>(i)]) continue;
      indices.push_back(static_cast<int64_t>(kept.size()));
      kept.push_back(i);
    }
  };
  keep(state_->training, state->training);
  keep(state_->validation, state->validation);
  c10::IValue gathered;
  Gather(kept, gathered);
  for (const auto& entry : gathered.toGenericDict()) {
    state->prepared.insert(entry.key().toStringRef(), entry.value().toTensor());
  }
  state->size = static_cast<int64_t>(kept.size());
  return Examples(std::move(state));
}

size_t Examples::bytes() const {
  size_t bytes = 0;
  for (const auto& entry : state_->prepared) bytes += entry.value().nbytes();
  return bytes;
}

Examples Examples::Concatenate(std::span<const Examples* const> parts) {
  AISLE_CHECK(!parts.empty());
  auto state = std::make_unique<State>();
  const at::NoGradGuard no_grad;
  for (const auto& entry : parts[0]->state_->prepared) {
    std::vector<at::Tensor> pieces;
    for (const Examples* part : parts) pieces.push_back(part->state_->prepared.at(entry.key()));
    state->prepared.insert(entry.key(), at::cat(pieces));
  }
  for (const Examples* part : parts) {
    for (const int64_t i : part->training()) state->training.push_back(state->size + i);
    for (const int64_t i : part->validation()) state->validation.push_back(state->size + i);
    state->size += part->size();
  }
  return Examples(std::move(state));
}

int64_t Examples::size() const { return state_->size; }
const std::vector<int64_t>& Examples::training() const { return state_->training; }
const std::vector<int64_t>& Examples::validation() const { return state_->validation; }

std::vector<bool> Examples::OwnedByAUnit() const {
  const at::Tensor unit = state_->prepared.at("unit").contiguous();
  const int64_t* units = unit.data_ptr<int64_t>();
  std::vector<bool> owned(static_cast<size_t>(state_->size));
  for (size_t i = 0; i < owned.size(); ++i) owned[i] = units[i] >= 0;
  return owned;
}

std::vector<int64_t> Examples::all() const {
  std::vector<int64_t> indices(static_cast<size_t>(state_->size));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

void Examples::Gather(std::span<const int64_t> indices, c10::IValue& batch) const {
  const at::NoGradGuard no_grad;
  const at::Tensor index =
      at::from_blob(const_cast<int64_t*>(indices.data()), {static_cast<int64_t>(indices.size())}, at::kLong);
  Batch gathered;
  for (const auto& entry : state_->prepared) gathered.insert(entry.key(), entry.value().index_select(0, index));
  batch = std::move(gathered);
}

}  // namespace aisle

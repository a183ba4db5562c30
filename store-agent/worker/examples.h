// A store's rows as the plan's program prepared them: tensors whose first dimension is examples.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aisle/v1/worker.pb.h"
#include "base/status.h"
#include "plans/plan.h"
#include "store-agent/worker/program.h"

namespace aisle {

using TableRows = google::protobuf::RepeatedPtrField<v1::TableData>;
using TableViews = std::vector<const v1::TableData*>;
TableViews ViewsOf(const TableRows& tables);

class Examples {
 public:
  // Runs `prepare` on `tables`, whose bytes it may borrow: they must outlive this. InvalidArgument if the tables aren't
  // those of the plan; PlanError if what comes back isn't as promised: `unit` int64 [examples], `time` likewise if the
  // plan splits by it, and the same number of examples, at least one, first in every tensor. `salt` spreads the
  // held-out fraction differently over different callers.
  static StatusOr<Examples> Prepare(Program& program, const Plan& plan, const TableViews& tables, uint64_t salt = 0);
  ~Examples();
  Examples(Examples&&) noexcept;
  Examples& operator=(Examples&&) noexcept;

  int64_t size() const;
  const std::vector<int64_t>& training() const;    // Indices; the two split all examples by the plan's rule.
  const std::vector<int64_t>& validation() const;  // May be empty.
  std::vector<int64_t> all() const;
  std::vector<bool> OwnedByAUnit() const;  // Per example: whether its `unit` isn't negative.

  // Names, types and shapes (but for the first dimension) of what was prepared, as text: equal for examples that can be
  // concatenated.
  std::string Form() const;
  // Of the training and the validation examples that a unit owns the first `max` each, copied.
  Examples OfUnits(size_t max) const;
  size_t bytes() const;  // Of all tensors.
  // All examples of `parts`, in their order, copied; at least one part, all of one Form (AISLE_CHECK). Training and
  // validation of the result are those of the parts.
  static Examples Concatenate(std::span<const Examples* const> parts);

  // The examples at `indices` as one Dict[str, Tensor] in `batch`.
  void Gather(std::span<const int64_t> indices, c10::IValue& batch) const;

 private:
  struct State;
  explicit Examples(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aisle

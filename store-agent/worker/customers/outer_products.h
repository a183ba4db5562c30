// Customers' gradients where weights are only applied to inputs (linear layers, embeddings, recurrent cells): none is
// ever written out. Norms come from dot products, and the clipped sum over all customers from one matrix product a
// weight.
//
// The privacy claim, exactly: one customer moves the sum by an integer vector of norm at most Delta, and nothing else
// of the sum moves with him. Because
//   1. his vector on the fine grid, a matrix of integers g~ x~^T for each weight and rounded numbers for the rest, is a
//      function of his own examples: lanes.h gives the same bits whoever sits beside him, fine_rows.h rounds his
//      numbers and nobody else's;
//   2. it is added only if its exact norm, in 128-bit integers, is within UnitSum::fine_norm_max(); otherwise he is
//      left to the loop and UnitSum::Add, by his own numbers alone;
//   3. the sum of all these matrices is exact: products of 16-bit integers are added up in 32 bits, and moved to 64
//      before the bounds on what each row can add (its load) come to 2^31;
//   4. UnitSum::AddFineTotals truncates the total of all once, for which fine_norm_max() keeps room.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "store-agent/worker/customers/lanes.h"
#include "store-agent/worker/customers/unit_gradients.h"

namespace aisle {

// Shown the exact totals of every sum, of the coordinates from `begin` on, on the fine grid, before they are truncated:
// tests check point 1 to 3 by them.
using OnFineTotals = std::function<void(size_t begin, std::span<const int64_t> totals)>;

// `lanes` must be made with Rows::kYes.
std::unique_ptr<UnitGradients> MakeOuterProducts(std::unique_ptr<Lanes> lanes, std::unique_ptr<UnitGradients> loop,
                                                 OnFineTotals on_totals = nullptr);

}  // namespace aisle

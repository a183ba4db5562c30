#include "store-agent/worker/customers/outer_products.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "store-agent/worker/customers/fine_rows.h"
#include "store-agent/worker/customers/integer_products.h"
#include "store-agent/worker/customers/seating.h"

namespace aisle {
namespace {

constexpr double kClipRoom = 1 - 0x1p-10;  // Rounding makes a norm grow, but hardly ever by this much.
constexpr double kNormShareMin = 0.75;     // Of the clip that fine_norm_max() must leave for this way to be taken.
constexpr int64_t kLoadMax = std::numeric_limits<int32_t>::max();  // Of what 32-bit totals may hold.

// Of one customer in one weight: the norm takes a dot product for every two of them.
constexpr size_t kRowsMax = 512;

// A weight's rows of a run's customers as integers, and their sum over all runs.
class Totals {
 public:
  explicit Totals(const LaneParameter& parameter)
      : parameter_(parameter), products_(is_table() ? 0 : parameter.count / columns(), is_table() ? 0 : columns()) {
    if (is_table()) wide_.resize(parameter.count);
  }

  // Room for `rows` of a run.
  void Begin(size_t rows) {
    used_ = 0;
    if (rows <= rows_) return;
    rows_ = rows;
    if (is_table()) {
      table_.resize(rows * parameter_.outputs);
      ids_.resize(rows);
    } else {
      x_.resize(rows * parameter_.inputs);
      g_.resize(rows * parameter_.outputs);
      loads_.resize(rows);
    }
  }

  // The rows of `unit`, with the next places for their integers.
  void RowsOf(const SeatedUnit& unit, const LaneGradients::Rows& rows, FactorRows& factor) {
    factor.inputs = is_table() ? 0 : parameter_.inputs;
    factor.outputs = parameter_.outputs;
    factor.x.clear();
    factor.ids.clear();
    factor.g.clear();
    for (const size_t lane : unit.lanes) {
      for (size_t i = lane * rows.per_lane; i < (lane + 1) * rows.per_lane; ++i) {
        factor.g.push_back(rows.g + i * parameter_.outputs);
        if (!is_table()) {
          factor.x.push_back(rows.x + i * parameter_.inputs);
          continue;
        }
        factor.ids.push_back(rows.ids[i]);
        ids_[used_ + factor.ids.size() - 1] = rows.ids[i];
      }
    }
    if (is_table()) {
      factor.fine_table = table_.data() + used_ * parameter_.outputs;
      return;
    }
    factor.fine_x = x_.data() + used_ * parameter_.inputs;
    factor.fine_g = g_.data() + used_ * parameter_.outputs;
    factor.loads = loads_.data() + used_;
  }
  void Take(size_t rows) { used_ += rows; }  // What isn't taken is overwritten by the next.

  void AddRun() {
    if (is_table()) {
      for (size_t r = 0; r < used_; ++r) {
        int64_t* sums = wide_.data() + static_cast<size_t>(ids_[r]) * parameter_.outputs;
        for (size_t j = 0; j < parameter_.outputs; ++j) sums[j] += table_[r * parameter_.outputs + j];
      }
      return;
    }
    size_t first = 0;
    for (size_t r = 0; r < used_; ++r) {
      if (load_ + loads_[r] > kLoadMax) {
        AddRows(first, r);
        Widen();
        first = r;
      }
      load_ += loads_[r];
    }
    AddRows(first, used_);
  }

  // Hands over what was added, and forgets it.
  void MoveTo(UnitSum& sum, const OnFineTotals& on_totals) {
    if (on_totals) Widen();
    if (!wide_.empty()) {
      if (!is_table()) Widen();
      if (on_totals) on_totals(parameter_.offset, wide_);
      sum.AddFineTotals(parameter_.offset, std::span<const int64_t>(wide_));
    } else {
      for (size_t i = 0; i < products_.as(); ++i) {
        sum.AddFineTotals(parameter_.offset + i * columns(), std::span<const int32_t>(products_.row(i), columns()));
      }
    }
    Clear();
  }
  // What was added, into the parameter's own place of `all`; and back.
  void CopyTo(std::span<int64_t> all) const {
    const std::span<int64_t> own = all.subspan(parameter_.offset, parameter_.count);
    std::ranges::copy(wide_, own.begin());
    for (size_t i = 0; i < products_.as(); ++i) {
      const int32_t* sums = products_.row(i);
      for (size_t j = 0; j < columns(); ++j) own[i * columns() + j] += sums[j];
    }
  }
  void TakeUp(std::span<const int64_t> all) {
    const std::span<const int64_t> own = all.subspan(parameter_.offset, parameter_.count);
    wide_.assign(own.begin(), own.end());
  }
  void Clear() {
    for (size_t i = 0; i < products_.as(); ++i) std::fill_n(products_.row(i), columns(), 0);
    load_ = 0;
    if (is_table()) {
      std::ranges::fill(wide_, 0);
    } else {
      wide_.clear();
    }
  }

 private:
  bool is_table() const { return parameter_.form == GradientForm::kTable; }
  bool transposed() const { return parameter_.form == GradientForm::kProductsTransposed; }
  size_t columns() const { return transposed() || is_table() ? parameter_.outputs : parameter_.inputs; }

  void AddRows(size_t first, size_t last) {
    const int16_t* x = x_.data() + first * parameter_.inputs;
    const int16_t* g = g_.data() + first * parameter_.outputs;
    transposed() ? products_.Add(x, g, last - first) : products_.Add(g, x, last - first);
  }
  // Moves the products' sums to where there is room for 2^63.
  void Widen() {
    if (is_table()) return;
    if (wide_.empty()) wide_.resize(parameter_.count);
    for (size_t i = 0; i < products_.as(); ++i) {
      int32_t* sums = products_.row(i);
      for (size_t j = 0; j < columns(); ++j) wide_[i * columns() + j] += std::exchange(sums[j], 0);
    }
    load_ = 0;
  }

  LaneParameter parameter_;
  ProductSums products_;       // Of the parameter's own shape; empty for a table.
  int64_t load_ = 0;           // No coordinate of them is over it.
  std::vector<int64_t> wide_;  // Of the parameter's own shape; empty until products need the room.
  std::vector<int16_t> x_;
  std::vector<int16_t> g_;
  std::vector<int32_t> loads_;
  std::vector<int32_t> table_;
  std::vector<int64_t> ids_;
  size_t rows_ = 0;
  size_t used_ = 0;
};

class OuterProducts final : public SeatedGradients {
 public:
  OuterProducts(std::unique_ptr<Lanes> all, std::unique_ptr<UnitGradients> loop, OnFineTotals on_totals)
      : SeatedGradients(std::move(all), kLanesMany, std::move(loop)),
        rest_(lanes().whole_count()),
        fine_rest_(rest_.size()),
        rest_totals_(rest_.size()),
        on_totals_(std::move(on_totals)) {
    for (const LaneParameter& parameter : lanes().parameters()) {
      if (parameter.form != GradientForm::kWhole) totals_.emplace_back(parameter);
    }
    rows_ = {.factors = std::vector<FactorRows>(totals_.size()), .rest = rest_, .fine_rest = fine_rest_};
  }

  SecretVector<int64_t> Pending() const override {
    size_t count = 0;
    for (const LaneParameter& parameter : lanes().parameters())
      count = std::max(count, parameter.offset + parameter.count);
    SecretVector<int64_t> pending(count);
    for (const Totals& totals : totals_) totals.CopyTo(pending.Mutable());
    EachOfRest([&](const LaneParameter& parameter, size_t at) {
      const auto rest = std::span<const int64_t>(rest_totals_).subspan(at, parameter.count);
      std::ranges::copy(rest, pending.Mutable().subspan(parameter.offset).begin());
    });
    return pending;
  }

  bool TakeUp(std::span<const int64_t> pending) override {
    if (pending.size() != Pending().size()) return false;
    for (Totals& totals : totals_) totals.TakeUp(pending);
    EachOfRest([&](const LaneParameter& parameter, size_t at) {
      std::ranges::copy(pending.subspan(parameter.offset, parameter.count),
                        std::span<int64_t>(rest_totals_).subspan(at).begin());
    });
    return true;
  }

 private:
  bool Take(const UnitSum& sum) override {
    norm_max_ = sum.fine_norm_max();
    for (Totals& totals : totals_) totals.Clear();  // What a stopped sum left.
    std::ranges::fill(rest_totals_, 0);
    run_is_new_ = true;
    return norm_max_ >= kNormShareMin * sum.shape().parameter_clip() * sum.fine_scale();
  }

  bool Add(const Turn& turn, const SeatedUnit& unit) override {
    Gather(unit);
    const auto too_long = [](const FactorRows& factor) { return factor.g.size() > kRowsMax; };
    if (std::ranges::any_of(rows_.factors, too_long)) return false;
    const double share = turn.work.factor / static_cast<double>(std::max<size_t>(unit.lanes.size(), 1));
    const double norm = std::abs(share) * NormOf(rows_);
    if (!std::isfinite(norm)) return true;  // Adds nothing.
    const StatusOr<std::vector<double>> slots = turn.slots_of(unit.unit, norm);
    if (!slots.ok()) return true;
    const double grid = turn.sum.fine_scale();
    const double room = norm_max_ * kClipRoom;
    const double clipped = norm * grid <= room ? grid : room / norm;
    if (norm > 0 && !MakeFine(rows_, share * clipped, norm_max_)) return false;
    if (!turn.sum.AddMetrics(*slots).ok() || norm == 0) return true;
    for (size_t i = 0; i < totals_.size(); ++i) totals_[i].Take(rows_.factors[i].g.size());
    for (size_t i = 0; i < fine_rest_.size(); ++i) rest_totals_[i] += fine_rest_[i];
    return true;
  }

  // The gradient of `unit`, to `rows_`.
  void Gather(const SeatedUnit& unit) {
    const LaneGradients& gradients = lanes().gradients();
    size_t next = 0;
    for (size_t i = 0; i < lanes().parameters().size(); ++i) {
      if (lanes().parameters()[i].form == GradientForm::kWhole) continue;
      Totals& totals = totals_[next];
      if (run_is_new_) totals.Begin(lanes().seatings().back().lanes * gradients.rows[i].per_lane);
      totals.RowsOf(unit, gradients.rows[i], rows_.factors[next++]);
    }
    run_is_new_ = false;
    std::ranges::fill(rest_, 0.0F);
    for (const size_t lane : unit.lanes) {
      const float* whole = gradients.whole + lane * rest_.size();
      for (size_t j = 0; j < rest_.size(); ++j) rest_[j] += whole[j];
    }
  }

  void EndRun() override {
    run_is_new_ = true;
    for (Totals& totals : totals_) totals.AddRun();
  }

  void PutInto(UnitSum& sum) override {
    for (Totals& totals : totals_) totals.MoveTo(sum, on_totals_);
    EachOfRest([&](const LaneParameter& parameter, size_t at) {
      const auto rest = std::span<const int64_t>(rest_totals_).subspan(at, parameter.count);
      if (on_totals_) on_totals_(parameter.offset, rest);
      sum.AddFineTotals(parameter.offset, rest);
    });
  }

  // Every kWhole parameter, with its place in `rest_totals_`.
  template <typename Each>
  void EachOfRest(const Each& each) const {
    size_t at = 0;
    for (const LaneParameter& parameter : lanes().parameters()) {
      if (parameter.form != GradientForm::kWhole) continue;
      each(parameter, at);
      at += parameter.count;
    }
  }

  std::vector<float> rest_;  // The kWhole parameters of the unit at hand, one behind the other.
  std::vector<int32_t> fine_rest_;
  std::vector<int64_t> rest_totals_;
  std::vector<Totals> totals_;  // Of the others.
  UnitRows rows_;               // Of the unit at hand.
  OnFineTotals on_totals_;
  double norm_max_ = 0;
  bool run_is_new_ = true;
};

}  // namespace

std::unique_ptr<UnitGradients> MakeOuterProducts(std::unique_ptr<Lanes> lanes, std::unique_ptr<UnitGradients> loop,
                                                 OnFineTotals on_totals) {
  return std::make_unique<OuterProducts>(std::move(lanes), std::move(loop), std::move(on_totals));
}

}  // namespace aisle

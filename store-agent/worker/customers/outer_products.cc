#include "store-agent/worker/customers/outer_products.h"

#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "store-agent/worker/customers/fine_rows.h"
#include "store-agent/worker/customers/seating.h"

namespace aisle {
namespace {

constexpr double kTotalMax = 0x1p52;       // Loads added up in double, before they are moved to integers.
constexpr double kClipRoom = 1 - 0x1p-10;  // Rounding makes a norm grow, but hardly ever by this much.
constexpr double kNormShareMin = 0.75;     // Of the clip that fine_norm_max() must leave for this way to be taken.

// Of one customer in one weight: the norm takes a dot product for every two of them.
constexpr size_t kRowsMax = 512;

// Rows of a run's customers as integers, and their sum over all runs.
class Totals {
 public:
  explicit Totals(const LaneParameter& parameter) : parameter_(parameter) {
    totals_ = at::zeros({Int(is_table() || !transposed() ? Rows() : parameter.inputs),
                         Int(is_table() || transposed() ? parameter.outputs : parameter.inputs)},
                        at::kDouble);
  }

  // Room for `rows` of a run.
  void Begin(size_t rows) {
    used_ = 0;
    if (rows <= rows_) return;
    rows_ = rows;
    g_ = at::zeros({Int(rows), Int(parameter_.outputs)}, at::kDouble);
    if (!is_table()) x_ = at::zeros({Int(rows), Int(parameter_.inputs)}, at::kDouble);
    ids_.resize(rows);
  }

  // The rows of `unit`, with the next places for their integers.
  FactorRows RowsOf(const SeatedUnit& unit, const LaneGradients::Rows& rows) {
    FactorRows factor{.inputs = is_table() ? 0 : parameter_.inputs, .outputs = parameter_.outputs};
    size_t next = used_;
    for (const size_t lane : unit.lanes) {
      for (size_t i = lane * rows.per_lane; i < (lane + 1) * rows.per_lane; ++i, ++next) {
        factor.g.push_back(rows.g + i * parameter_.outputs);
        factor.fine_g.push_back(g_.data_ptr<double>() + next * parameter_.outputs);
        if (is_table()) {
          factor.ids.push_back(rows.ids[i]);
          ids_[next] = rows.ids[i];
        } else {
          factor.x.push_back(rows.x + i * parameter_.inputs);
          factor.fine_x.push_back(x_.data_ptr<double>() + next * parameter_.inputs);
        }
      }
    }
    return factor;
  }
  void Take(size_t rows) { used_ += rows; }  // What isn't taken is overwritten by the next.

  void AddRun() {
    if (used_ == 0) return;
    const at::Tensor g = g_.narrow(0, 0, Int(used_));
    if (is_table()) {
      totals_.index_add_(0, at::from_blob(ids_.data(), {Int(used_)}, at::kLong), g);
      return;
    }
    const at::Tensor x = x_.narrow(0, 0, Int(used_));
    transposed() ? totals_.addmm_(x.t(), g) : totals_.addmm_(g.t(), x);
  }
  void MoveTo(std::vector<int64_t>& sums) {
    const double* totals = totals_.data_ptr<double>();
    for (size_t i = 0; i < parameter_.count; ++i) sums[parameter_.offset + i] += static_cast<int64_t>(totals[i]);
    totals_.zero_();
  }

 private:
  bool is_table() const { return parameter_.form == GradientForm::kTable; }
  bool transposed() const { return parameter_.form == GradientForm::kProductsTransposed; }
  size_t Rows() const { return is_table() ? parameter_.inputs : parameter_.outputs; }
  static int64_t Int(size_t value) { return static_cast<int64_t>(value); }

  LaneParameter parameter_;
  at::Tensor totals_;  // Of the parameter's own shape.
  at::Tensor x_;
  at::Tensor g_;
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
        sums_(Count(lanes().parameters())),
        on_totals_(std::move(on_totals)) {
    for (const LaneParameter& parameter : lanes().parameters()) {
      if (parameter.form != GradientForm::kWhole) totals_.emplace_back(parameter);
    }
  }

 private:
  bool Begin(const UnitSum& sum) override {
    norm_max_ = sum.fine_norm_max();
    if (load_ > 0) Move();  // What a stopped sum left.
    std::ranges::fill(rest_totals_, 0);
    sums_.assign(sum.shape().parameter_count(), 0);
    run_load_ = 0;
    run_is_new_ = true;
    return norm_max_ >= kNormShareMin * sum.shape().parameter_clip() * sum.fine_scale();
  }

  bool Add(const Turn& turn, const SeatedUnit& unit) override {
    const UnitRows rows = RowsOf(unit);
    const auto too_long = [](const FactorRows& factor) { return factor.g.size() > kRowsMax; };
    if (std::ranges::any_of(rows.factors, too_long)) return false;
    const double share = turn.work.factor / static_cast<double>(std::max<size_t>(unit.lanes.size(), 1));
    const double norm = std::abs(share) * NormOf(rows);
    if (!std::isfinite(norm)) return true;  // Adds nothing.
    const StatusOr<std::vector<double>> slots = turn.slots_of(unit.unit, norm);
    if (!slots.ok()) return true;
    const double grid = turn.sum.fine_scale();
    const double room = norm_max_ * kClipRoom;
    const double clipped = norm * grid <= room ? grid : room / norm;
    double load = 0;
    if (norm > 0 && !MakeFine(rows, share * clipped, norm_max_, load)) return false;
    if (!turn.sum.AddMetrics(*slots).ok() || norm == 0) return true;
    run_load_ += load;
    for (size_t i = 0; i < totals_.size(); ++i) totals_[i].Take(rows.factors[i].g.size());
    for (size_t i = 0; i < fine_rest_.size(); ++i) rest_totals_[i] += static_cast<int64_t>(fine_rest_[i]);
    return true;
  }

  static size_t Count(const std::vector<LaneParameter>& parameters) {
    return parameters.empty() ? 0 : parameters.back().offset + parameters.back().count;
  }

  UnitRows RowsOf(const SeatedUnit& unit) {
    const LaneGradients& gradients = lanes().gradients();
    UnitRows rows{.factors = {}, .rest = rest_, .fine_rest = fine_rest_};
    size_t next = 0;
    for (size_t i = 0; i < lanes().parameters().size(); ++i) {
      if (lanes().parameters()[i].form == GradientForm::kWhole) continue;
      Totals& totals = totals_[next++];
      if (run_is_new_) totals.Begin(lanes().seatings().back().lanes * gradients.rows[i].per_lane);
      rows.factors.push_back(totals.RowsOf(unit, gradients.rows[i]));
    }
    run_is_new_ = false;
    std::ranges::fill(rest_, 0.0F);
    for (const size_t lane : unit.lanes) {
      const float* whole = gradients.whole + lane * rest_.size();
      for (size_t j = 0; j < rest_.size(); ++j) rest_[j] += whole[j];
    }
    return rows;
  }

  void EndRun() override {
    if (load_ + run_load_ > kTotalMax) Move();
    load_ += run_load_;
    run_load_ = 0;
    run_is_new_ = true;
    const at::NoGradGuard no_grad;
    for (Totals& totals : totals_) totals.AddRun();
  }

  void Move() {
    const at::NoGradGuard no_grad;
    for (Totals& totals : totals_) totals.MoveTo(sums_);
    load_ = 0;
  }

  void Finish(UnitSum& sum) override {
    Move();
    size_t next = 0;
    for (const LaneParameter& parameter : lanes().parameters()) {
      if (parameter.form != GradientForm::kWhole) continue;
      for (size_t i = 0; i < parameter.count; ++i) sums_[parameter.offset + i] = std::exchange(rest_totals_[next++], 0);
    }
    if (on_totals_) on_totals_(sums_);
    sum.AddFineTotals(sums_);
  }

  std::vector<float> rest_;
  std::vector<double> fine_rest_;
  std::vector<int64_t> rest_totals_;
  std::vector<Totals> totals_;
  std::vector<int64_t> sums_;
  OnFineTotals on_totals_;
  double norm_max_ = 0;
  double load_ = 0;      // Of what `totals_` hold.
  double run_load_ = 0;  // Of the run at hand.
  bool run_is_new_ = true;
};

}  // namespace

std::unique_ptr<UnitGradients> MakeOuterProducts(std::unique_ptr<Lanes> lanes, std::unique_ptr<UnitGradients> loop,
                                                 OnFineTotals on_totals) {
  return std::make_unique<OuterProducts>(std::move(lanes), std::move(loop), std::move(on_totals));
}

}  // namespace aisle

#include "store-agent/worker/customers/vmap_gradients.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "aggregation/norm.h"
#include "store-agent/worker/customers/seating.h"

namespace aisle {
namespace {

constexpr size_t kExamplesMax = 6;

class VmapGradients final : public SeatedGradients {
 public:
  VmapGradients(std::unique_ptr<Lanes> all, std::unique_ptr<UnitGradients> loop)
      : SeatedGradients(std::move(all), kExamplesMax, std::move(loop)), vector_(lanes().whole_count()) {}

 private:
  bool Take(const UnitSum& /*sum*/) override { return true; }

  bool Add(const Turn& turn, const SeatedUnit& unit) override {
    Sum(unit, turn.work.factor);
    const double norm = L2Norm(vector_);
    const StatusOr<std::vector<double>> slots = turn.slots_of(unit.unit, norm);
    // Whose slots fail adds nothing, as in the loop.
    if (slots.ok()) (void)turn.sum.Add(vector_, norm, *slots);
    return true;
  }
  void EndRun() override {}
  void PutInto(UnitSum& /*sum*/) override {}

  // factor * the mean over the unit's lanes, in their order: the same bits wherever they sit.
  void Sum(const SeatedUnit& unit, double factor) {
    const size_t count = vector_.size();
    if (unit.lanes.empty()) vector_.assign(count, 0);
    const auto share = static_cast<float>(factor / static_cast<double>(std::max<size_t>(unit.lanes.size(), 1)));
    for (size_t i = 0; i < unit.lanes.size(); ++i) {
      const float* lane = lanes().gradients().whole + unit.lanes[i] * count;
      for (size_t j = 0; j < count; ++j) vector_[j] = i == 0 ? lane[j] * share : vector_[j] + lane[j] * share;
    }
  }

  std::vector<float> vector_;
};

}  // namespace

std::unique_ptr<UnitGradients> MakeVmapGradients(std::unique_ptr<Lanes> lanes, std::unique_ptr<UnitGradients> loop) {
  return std::make_unique<VmapGradients>(std::move(lanes), std::move(loop));
}

}  // namespace aisle

#include "store-agent/worker/customers/choose.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "store-agent/worker/customers/lanes.h"
#include "store-agent/worker/customers/vmap_gradients.h"
#include "store-agent/worker/dry_run.h"
#include "store-agent/worker/examples.h"
#include "store-agent/worker/failures.h"

namespace aisle {
namespace {

constexpr std::string_view kMadeUpSeed = "made-up rows, alike in all shops";
static_assert(kMadeUpSeed.size() == 32);
constexpr size_t kWholeMax = size_t{1} << 19;  // Numbers written out for each lane: 100 MB for all.
constexpr double kNudge = 0.1;                 // So that weights that begin at zero don't hide a difference.

// Moves the weights a little while it lives.
class NudgedWeights {
 public:
  NudgedWeights(Program& program, RandomSource& random) : program_(program), before_(program.GetWeights()) {
    Weights nudged = before_;
    for (float& value : nudged.values) value += static_cast<float>(kNudge * (random.Fraction() - 0.5));
    (void)program_.SetWeights(nudged);
  }
  ~NudgedWeights() { (void)program_.SetWeights(before_); }
  NudgedWeights(const NudgedWeights&) = delete;
  NudgedWeights& operator=(const NudgedWeights&) = delete;

 private:
  Program& program_;
  const Weights before_;
};

// By the plan's public numbers: what a store really draws has no say in how it is worked on.
Lanes::Crowd CrowdOf(const Plan& plan) {
  const double drawn = plan.privacy.sampling_rate * static_cast<double>(plan.privacy.customers_per_store);
  return drawn > static_cast<double>(2 * kLanesFew) ? Lanes::Crowd::kMany : Lanes::Crowd::kFew;
}

StatusOr<std::unique_ptr<Lanes>> MakeLanes(Program& program, const Plan& plan, Lanes::Rows rows) {
  if (!program.keeps_units_apart()) return PlanError("the program draws random numbers or writes into its own state");
  AesCtrStream random(SecretBytes::CopyOf(kMadeUpSeed), "aisle/worker/ways");
  const TableRows tables = MakeTables(plan, kDryRunRows, random);
  AISLE_ASSIGN_OR_RETURN(const Examples examples, Examples::Prepare(program, plan, ViewsOf(tables)));
  const NudgedWeights nudged(program, random);
  AISLE_ASSIGN_OR_RETURN(std::unique_ptr<Lanes> lanes, Lanes::Make(program, rows));
  if (lanes->whole_count() > kWholeMax) {
    return PlanError("{} numbers would be written out for each example; {} is the most", lanes->whole_count(),
                     kWholeMax);
  }
  if (rows == Lanes::Rows::kYes && 2 * lanes->whole_count() >= program.trainable_count()) {
    return PlanError("most of what trains isn't only applied to inputs");
  }
  AISLE_RETURN_IF_ERROR(lanes->Agree(examples));
  AISLE_RETURN_IF_ERROR(lanes->Steady(examples, CrowdOf(plan)));
  return lanes;
}

}  // namespace

std::string_view ToString(UnitWay way) {
  switch (way) {
    case UnitWay::kLoop:
      return "loop";
    case UnitWay::kVmap:
      return "vmap";
    case UnitWay::kOuterProducts:
      return "outer products";
  }
  return "";
}

StatusOr<std::unique_ptr<UnitGradients>> TryUnitGradients(Program& program, const Plan& plan, UnitWay way,
                                                          OnFineTotals on_totals) {
  if (way == UnitWay::kLoop) return MakeUnitLoop();
  const bool rows = way == UnitWay::kOuterProducts;
  AISLE_ASSIGN_OR_RETURN(std::unique_ptr<Lanes> lanes,
                         MakeLanes(program, plan, rows ? Lanes::Rows::kYes : Lanes::Rows::kNo));
  return rows ? MakeOuterProducts(std::move(lanes), MakeUnitLoop(), std::move(on_totals))
              : MakeVmapGradients(std::move(lanes), MakeUnitLoop());
}

ChosenGradients ChooseUnitGradients(Program& program, const Plan& plan) {
  ChosenGradients chosen;
  for (const UnitWay way : {UnitWay::kOuterProducts, UnitWay::kVmap, UnitWay::kLoop}) {
    StatusOr<std::unique_ptr<UnitGradients>> tried = TryUnitGradients(program, plan, way);
    if (tried.ok()) {
      chosen.way = way;
      chosen.gradients = *std::move(tried);
      break;
    }
    if (!chosen.reason.empty()) chosen.reason += "; ";
    chosen.reason.append(ToString(way)).append(": ").append(MessageOf(tried.status()));
  }
  return chosen;
}

}  // namespace aisle

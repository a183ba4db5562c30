#include "store-agent/worker/customers/customer_task.h"

#include "plans/update_vector.h"
#include "store-agent/worker/customers/choose.h"
#include "store-agent/worker/customers/customer_examples.h"
#include "store-agent/worker/customers/customer_rows.h"
#include "store-agent/worker/customers/customer_training.h"

namespace aisle {
namespace {

constexpr size_t kSeedSize = 32;

StatusOr<std::unique_ptr<AesCtrStream>> StreamOf(const std::string& seed, std::string_view what,
                                                 std::string_view purpose) {
  if (seed.size() != kSeedSize)
    return InvalidArgument("the {} has {} bytes; it must be {}", what, seed.size(), kSeedSize);
  return std::make_unique<AesCtrStream>(SecretBytes::CopyOf(seed), purpose);
}

}  // namespace

StatusOr<CustomerWays> CustomerWays::Of(Program& program, const Plan& plan) {
  CustomerWays ways;
  AISLE_ASSIGN_OR_RETURN(ways.form, ExpectedForm(program, plan));
  const bool one_gradient = plan.privacy.mode == PrivacyMode::kLocalSgd || plan.training.local_steps == 1;
  if (!one_gradient) {
    ways.way = "steps, customer by customer";
    ways.gradients = MakeUnitSteps(plan.training.local_steps);
    return ways;
  }
  ChosenGradients chosen = ChooseUnitGradients(program, plan);
  ways.way = std::string(ToString(chosen.way)) + (chosen.reason.empty() ? "" : " (" + chosen.reason + ")");
  ways.gradients = std::move(chosen.gradients);
  return ways;
}

StatusOr<SecretVector<int32_t>> RunCustomerTask(Program& program, const CustomerTask& task, CustomerWays& ways,
                                                RandomSource& random, const TrainingHooks& hooks,
                                                v1::TrainResult& result) {
  const Plan& plan = task.plan;
  AISLE_ASSIGN_OR_RETURN(const UpdateShape shape, UpdateShapeOf(plan, program.layout()));
  AISLE_ASSIGN_OR_RETURN(const Quantizer quantizer, QuantizerOf(plan, shape));
  AISLE_ASSIGN_OR_RETURN(const CustomerRows rows, CustomerRows::Group(task.tables, plan));
  AISLE_ASSIGN_OR_RETURN(const auto coins, StreamOf(task.seed, "seed", "aisle/worker/coins"));
  CustomerExamples customers(program, plan, rows, ways.form, random, task.watch);
  CustomerReport report;
  StatusOr<SecretVector<int32_t>> update = SecretVector<int32_t>();
  if (plan.privacy.mode == PrivacyMode::kLocalSgd) {
    AISLE_ASSIGN_OR_RETURN(const auto noise, StreamOf(task.noise_seed, "noise seed", "aisle/worker/noise/local-sgd"));
    update = TrainWithLocalSgd(program, customers, plan, shape, quantizer, *ways.gradients, *coins, *noise, hooks,
                               task.watch, report);
  } else {
    update =
        SumOfCustomers(program, customers, plan, shape, quantizer, *ways.gradients, *coins, hooks, task.watch, report);
  }
  result.set_examples(report.examples);
  result.set_customers(report.customers);
  result.set_customers_drawn(report.drawn);
  result.set_gradients_way(ways.way);
  result.set_seconds_training(report.seconds_training);
  return update;
}

}  // namespace aisle

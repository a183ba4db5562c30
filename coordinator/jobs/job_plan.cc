#include "coordinator/jobs/job_plan.h"

#include <algorithm>
#include <vector>

#include "aggregation/weights.h"
#include "plans/bundle.h"
#include "plans/update_vector.h"
#include "privacy/secagg/layout.h"

namespace aisle {
namespace {

constexpr size_t kWeightsHeaderMax = 4 << 20;  // 4,096 tensors with long names fit.

constexpr uint32_t kSizesTried = 32;

// A round of a cohort that no graph can protect would end in vain. Larger cohorts take more neighbours, but for a few
// sizes of which a colluder or a drop-out is rounded: so the sizes just below the largest are tried as well.
Status CheckSum(const PrivacyContract& contract, uint32_t cohort) {
  const CohortTerms terms{.cohort_min = contract.cohort_min,
                          .corrupt_permille = contract.corrupt_permille,
                          .dropout_permille = contract.dropout_permille};
  std::vector<uint32_t> sizes = {contract.cohort_min};
  for (uint32_t below = std::min(kSizesTried, cohort - contract.cohort_min); below > 0; --below) {
    sizes.push_back(cohort - below + 1);
  }
  for (const uint32_t stores : sizes) {
    if (Status found = secagg::ParametersFor(terms, stores).status(); !found.ok()) {
      return InvalidArgument(
          "a secure sum of {} stores can't keep its promise: {}; assume fewer drop-outs or colluders, change the "
          "plan's "
          "cohort or write privacy.secure_sum = false",
          stores, MessageOf(found));
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<JobPlan> OpenJobPlan(const BlobStore& blobs, const Digest& bundle) {
  AISLE_ASSIGN_OR_RETURN(const auto reader, blobs.Find(bundle));
  AISLE_ASSIGN_OR_RETURN(const std::string bytes, blobs.Read(reader->name()));
  AISLE_ASSIGN_OR_RETURN(const PlanBundle decoded, PlanBundle::Decode(bytes));
  AISLE_ASSIGN_OR_RETURN(Plan plan, decoded.plan());
  AISLE_ASSIGN_OR_RETURN(const auto weights, blobs.Find(decoded.initial_weights));
  AISLE_ASSIGN_OR_RETURN(const std::string header, weights->ReadAt(0, kWeightsHeaderMax));
  AISLE_ASSIGN_OR_RETURN(Layout layout, DecodeWeightsLayout(header));
  if (weights->size() != decoded.initial_weights_size || weights->size() != EncodedWeightsSize(layout)) {
    return InvalidArgument("the initial weights have {} bytes; the plan says {} and their layout {}", weights->size(),
                           decoded.initial_weights_size, EncodedWeightsSize(layout));
  }
  AISLE_ASSIGN_OR_RETURN(Layout trainable, plan.TrainableLayout(layout));
  AISLE_ASSIGN_OR_RETURN(UpdateShape shape, UpdateShapeOf(plan, layout));
  AISLE_ASSIGN_OR_RETURN(Quantizer quantizer, QuantizerOf(plan, shape));
  return JobPlan{.plan = std::move(plan),
                 .bundle = reader->name(),
                 .initial_weights = weights->name(),
                 .layout = std::move(layout),
                 .trainable = std::move(trainable),
                 .shape = std::move(shape),
                 .quantizer = std::move(quantizer)};
}

StatusOr<JobRecord> AdmitJob(const Submission& submission, const JobPlan& plan, std::span<const VerifyKey> plan_keys,
                             absl::Time now) {
  AISLE_RETURN_IF_ERROR(VerifyPlan(plan_keys, submission.plan, submission.plan_signature));
  const PrivacyContract& contract = plan.plan.privacy;
  if (submission.rounds < 1 || submission.rounds > contract.rounds_max) {
    return InvalidArgument("{} rounds were asked for; the plan's privacy contract allows 1 to {}", submission.rounds,
                           contract.rounds_max);
  }
  const uint32_t cohort = submission.cohort_target == 0 ? contract.cohort_target : submission.cohort_target;
  if (cohort < contract.cohort_min || cohort > contract.cohort_target) {
    return InvalidArgument("a cohort of {} was asked for; the plan allows {} to {}", cohort, contract.cohort_min,
                           contract.cohort_target);
  }
  if (contract.secure_sum) {
    AISLE_RETURN_IF_ERROR(CheckSum(contract, cohort));
  }
  return JobRecord{.id = submission.job,
                   .plan = plan.bundle,
                   .plan_signature = submission.plan_signature,
                   .plan_name = plan.plan.name,
                   .initial_weights = submission.base_weights.value_or(plan.initial_weights),
                   .rounds_total = submission.rounds,
                   .priority = submission.priority,
                   .cohort_target = cohort,
                   .submitted_at = now};
}

}  // namespace aisle

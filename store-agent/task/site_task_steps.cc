#include "store-agent/task/site_task_steps.h"

#include <malloc.h>

#include "store-agent/task/release_and_spool.h"

namespace aisle {

std::optional<TaskEnd> SiteTaskSteps::AllowFetch(const BlobName& blob) {
  const uint64_t today = parts_.meter.today();
  const uint64_t limit = parts_.policy.bytes_per_day;
  if (today <= limit && blob.size <= limit - today) return std::nullopt;
  return Refused{RefusalReason::kByteBudget,
                 fmt::format("{} moved today and {} to come; the site allows {} a day", FormatByteCount(today),
                             FormatByteCount(blob.size), FormatByteCount(limit))};
}

std::variant<BlobName, TaskEnd> SiteTaskSteps::Release(const TrainInstruction& task) {
  if (!clean_ || clean_->round != task.round || !vetted_ || vetted_->digest != task.plan.digest) {
    return TaskEnd(Failed{FailureReason::kWorkerCrash, "there is no trained update to release"});
  }
  CleanUpdate clean = *std::exchange(clean_, {});
  const ReleaseTerms terms{.debit = DebitFor(vetted_->plan, task), .cap = Cap(), .quantizer = clean.quantizer};
  auto released =
      ReleaseAndSpool(std::move(clean.values), terms, parts_.ledger, parts_.spool, parts_.random, parts_.clock.Now());
  TellLedger();
  malloc_trim(0);  // Rows, weights and vectors are gone; the box has better uses for the memory.
  return released;
}

Debit SiteTaskSteps::DebitFor(const Plan& plan, const TrainInstruction& task) const {
  const bool bounded = plan.privacy.unit() != PrivacyUnit::kNone;
  return {.population = Population::Parse(kStorePopulation).value(),
          .round = task.round,
          .plan = task.plan.digest,
          .unit = plan.privacy.unit(),
          .noise_multiplier = bounded ? plan.privacy.noise_multiplier : 0,
          .delta = plan.privacy.delta};
}

void SiteTaskSteps::TellLedger() const {
  const Spending spending = parts_.ledger.MostSpent(parts_.policy.delta);
  parts_.metrics.LedgerStands(spending.epsilon, parts_.policy.epsilon_max,
                              spending.releases + spending.unbounded_releases);
}

void SiteTaskSteps::ForgetUpdate() { clean_.reset(); }

void SiteTaskSteps::LetWorkerGo() {
  worker_.reset();
  malloc_trim(0);
}

}  // namespace aisle

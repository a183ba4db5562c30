#include "store-agent/task/site_task_steps.h"

#include <malloc.h>

#include <algorithm>

#include "base/log.h"
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

std::optional<CohortTerms> SiteTaskSteps::SumOf(const TrainInstruction& task) const {
  if (!clean_ || !vetted_ || !vetted_->plan.privacy.secure_sum) return std::nullopt;
  const PrivacyContract& contract = vetted_->plan.privacy;
  return CohortTerms{.round = task.round,
                     .plan = task.plan.digest,
                     .length = clean_->values.size(),
                     .cohort_min = contract.cohort_min,
                     .corrupt_permille = contract.corrupt_permille,
                     .dropout_permille = contract.dropout_permille};
}

Status SiteTaskSteps::ForgetTrainingsBut(const std::optional<RoundId>& round) {
  return parts_.trainings == nullptr ? OkStatus() : parts_.trainings->DropAllBut(round);
}

std::variant<BlobName, TaskEnd> SiteTaskSteps::Release(const TrainInstruction& task) {
  if (!clean_ || clean_->round != task.round || !vetted_ || vetted_->digest != task.plan.digest) {
    return TaskEnd(Failed{FailureReason::kWorkerCrash, "there is no trained update to release"});
  }
  CleanUpdate clean = *std::exchange(clean_, {});
  DropTrainings();
  if (clean.noised) return SpoolNoised(std::move(clean.values), task.round, clean.quantizer, parts_.spool);
  StatusOr<std::vector<Debit>> debits = DebitsFor(vetted_->plan, task);
  if (!debits.ok()) return TaskEnd(Refused{RefusalReason::kPrivacyUnit, std::string(MessageOf(debits.status()))});
  const ReleaseTerms terms{.debits = *std::move(debits), .caps = parts_.policy.caps, .quantizer = clean.quantizer};
  auto released =
      ReleaseAndSpool(std::move(clean.values), terms, parts_.ledger, parts_.spool, parts_.random, parts_.clock.Now());
  TellLedger();
  malloc_trim(0);  // Rows, weights and vectors are gone; the box has better uses for the memory.
  return released;
}

StatusOr<std::vector<Debit>> SiteTaskSteps::DebitsFor(const Plan& plan, const TrainInstruction& task) const {
  const CustomersPolicy& customers = parts_.policy.customers;
  const PrivacyContract& contract = plan.privacy;
  AISLE_ASSIGN_OR_RETURN(const std::vector<Population> populations, PopulationsOf(plan, parts_.schema, customers));
  std::vector<Debit> debits;
  for (const Population& population : populations) {
    Debit debit{.population = population,
                .round = task.round,
                .plan = task.plan.digest,
                .unit = contract.unit(),
                .noise_multiplier = contract.unit() == PrivacyUnit::kNone ? 0 : contract.noise_multiplier,
                .sampling_rate = contract.unit() == PrivacyUnit::kCustomer ? contract.sampling_rate : 1,
                .releases = contract.mode == PrivacyMode::kLocalSgd ? contract.steps : 1,
                .delta = contract.delta,
                .sum_stores = contract.honest_stores_min()};
    if (population.str() != kStorePopulation) {
      debit.presence = customers.presence();
      debit.stores_max = std::max(1U, customers.stores_max);
    }
    debits.push_back(std::move(debit));
  }
  return debits;
}

void SiteTaskSteps::TellLedger() const {
  const SpendingCaps& caps = parts_.policy.caps;
  const Spending spending = parts_.ledger.MostSpent(caps.delta, parts_.clock.Now());
  parts_.metrics.LedgerStands({.floor_epsilon = spending.floor_epsilon,
                               .floor_cap = caps.floor_per_year,
                               .aggregate_epsilon = spending.aggregate_epsilon,
                               .aggregate_cap = caps.aggregate_per_year,
                               .releases = spending.releases + spending.unbounded_releases});
}

void SiteTaskSteps::ForgetUpdate() {
  clean_.reset();
  DropTrainings();
}

// A task has only one, and no task begins before the last one's is gone.
void SiteTaskSteps::DropTrainings() {
  const Status dropped = ForgetTrainingsBut(std::nullopt);
  if (!dropped.ok()) LogWarning("{}; the next start tries again", MessageOf(dropped));
}

void SiteTaskSteps::LetWorkerGo() {
  worker_.reset();
  malloc_trim(0);
}

}  // namespace aisle

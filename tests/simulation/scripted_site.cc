#include "tests/simulation/scripted_site.h"

#include <cmath>
#include <cstring>
#include <set>

#include "aggregation/weights.h"
#include "base/storage/files.h"
#include "plans/bundle.h"
#include "plans/update_vector.h"

namespace aisle::simulation {
namespace {

constexpr double kNormMax = 30'000;  // Of a clean vector, well within the grid's 2^16.

// Plans that were parsed before, by digest: in a world all stores run the same one, again and again.
StatusOr<Plan> ParsePlan(const Digest& digest, const std::string& bytes) {
  static std::map<Digest, Plan> known;
  if (const auto found = known.find(digest); found != known.end()) return found->second;
  AISLE_ASSIGN_OR_RETURN(const PlanBundle bundle, PlanBundle::Decode(bytes));
  AISLE_ASSIGN_OR_RETURN(Plan plan, bundle.plan());
  if (known.size() > 16) known.clear();
  return known.emplace(digest, std::move(plan)).first->second;
}

// As VerifyPlan. What was found good is remembered: it stays good, and in a world all stores ask the same.
Status CheckSignature(const VerifyKey& key, const Digest& plan, const std::string& signature) {
  static std::set<Digest> good;
  const Digest asked = Sha256::Of(key.bytes() + plan.Hex() + signature);
  if (good.contains(asked)) return OkStatus();
  AISLE_RETURN_IF_ERROR(VerifyPlan({&key, 1}, plan, signature));
  if (good.size() > 16) good.clear();
  good.insert(asked);
  return OkStatus();
}

// The same for the same store and seed, and unlike any other's.
SecretVector<int32_t> UpdateOf(const StoreId& store, const SecretBytes& seed, size_t length) {
  const Digest key = Sha256::Of(store.str() + std::string(seed.Reveal()));
  uint64_t state = 0;
  std::memcpy(&state, key.view().data(), sizeof state);
  const auto bound = static_cast<int64_t>(kNormMax / std::sqrt(static_cast<double>(length)));
  SecretVector<int32_t> update(length);
  for (int32_t& value : update.Mutable()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    value = static_cast<int32_t>(static_cast<int64_t>(state >> 33) % (2 * bound + 1) - bound);
  }
  return update;
}

}  // namespace

std::optional<TaskEnd> ScriptedTrainer::Vet(const TrainInstruction& task) {
  plan_.reset();
  clean_.reset();
  const StatusOr<std::string> bytes = parts_.cache.Read(task.plan);
  if (!bytes.ok()) return Failed{FailureReason::kDownload, "the plan was damaged on the store's disk"};
  const Status signed_by_us = CheckSignature(parts_.plan_key, task.plan.digest, task.plan_signature);
  if (!signed_by_us.ok()) return Refused{RefusalReason::kPlanSignature, std::string(MessageOf(signed_by_us))};
  StatusOr<Plan> plan = ParsePlan(task.plan.digest, *bytes);
  if (!plan.ok()) return Refused{RefusalReason::kPlanInvalid, std::string(MessageOf(plan.status()))};
  plan_ = WithClipNorm(*std::move(plan), task.clip_norm);
  const Status allowed = parts_.ledger.Evaluate(DebitFor(task), parts_.caps, parts_.process.clock().Now());
  if (!allowed.ok()) return EndOfSpending(allowed);
  return std::nullopt;
}

Debit ScriptedTrainer::DebitFor(const TrainInstruction& task) const {
  return {.population = *Population::Parse("store"),
          .round = task.round,
          .plan = task.plan.digest,
          .unit = plan_->privacy.unit(),
          .noise_multiplier = plan_->privacy.noise_multiplier,
          .delta = plan_->privacy.delta,
          .sum_stores = plan_->privacy.honest_stores_min()};
}

bool ScriptedTrainer::Sleep(absl::Duration time, const std::stop_token& stop) const {
  Timeline& timeline = parts_.working.timeline();
  const absl::Time until = timeline.Now() + time;
  const Timeline::Id alarm = timeline.At(until, [&lane = parts_.working] { lane.Wake(); });
  const std::stop_callback waker(stop, [&lane = parts_.working] { lane.Wake(); });
  WaitUntil(parts_.process, [&] { return stop.stop_requested() || timeline.Now() >= until; });
  timeline.Cancel(alarm);
  return timeline.Now() >= until;
}

std::optional<TaskEnd> ScriptedTrainer::Train(const TrainInstruction& task, const SecretBytes& seed,
                                              absl::Time /*deadline*/, std::stop_token stop) {
  const StatusOr<std::string> weights = parts_.cache.Read(task.weights);
  if (!weights.ok()) return Failed{FailureReason::kDownload, "the weights were damaged on the store's disk"};
  const StatusOr<Layout> layout = DecodeWeightsLayout(*weights);
  if (!layout.ok()) return Failed{FailureReason::kPlanError, std::string(MessageOf(layout.status()))};
  const UpdateShape shape = UpdateShapeOf(*plan_, *layout).value();
  const TrainingScript& script = parts_.script;
  const absl::Duration takes = script.takes_min + (script.takes_max - script.takes_min) * parts_.dice.Fraction();
  if (!Sleep(takes, stop)) return Failed{FailureReason::kWorkerCrash, "the worker was stopped"};
  if (parts_.dice.Fraction() < script.fails) return Failed{FailureReason::kWorkerCrash, "the worker crashed"};
  clean_.emplace(CleanUpdate{.round = task.round,
                             .quantizer = QuantizerOf(*plan_, shape).value(),
                             .values = UpdateOf(parts_.store, seed, shape.length())});
  return std::nullopt;
}

std::optional<CohortTerms> ScriptedTrainer::SumOf(const TrainInstruction& task) const {
  if (!clean_ || !plan_->privacy.secure_sum) return std::nullopt;
  const PrivacyContract& contract = plan_->privacy;
  return CohortTerms{.round = task.round,
                     .plan = task.plan.digest,
                     .length = clean_->values.size(),
                     .cohort_min = contract.cohort_min,
                     .corrupt_permille = contract.corrupt_permille,
                     .dropout_permille = contract.dropout_permille};
}

std::variant<BlobName, TaskEnd> ScriptedTrainer::Release(const TrainInstruction& task) {
  if (!clean_ || clean_->round != task.round) {
    return TaskEnd(Failed{FailureReason::kWorkerCrash, "there is no trained update to release"});
  }
  CleanUpdate clean = *std::exchange(clean_, {});
  const ReleaseTerms terms{.debits = {DebitFor(task)}, .caps = parts_.caps, .quantizer = clean.quantizer};
  auto released = ReleaseAndSpool(std::move(clean.values), terms, parts_.ledger, parts_.spool, parts_.random,
                                  parts_.process.clock().Now());
  if (const auto* update = std::get_if<BlobName>(&released)) {
    const std::string bytes = ReadFile(parts_.spool.PathOf(task.round)).value_or("");
    std::vector<uint32_t> values(bytes.size() / sizeof(uint32_t));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(uint32_t));
    parts_.released({.store = parts_.store, .round = task.round, .update = *update, .values = values});
  }
  return released;
}

}  // namespace aisle::simulation

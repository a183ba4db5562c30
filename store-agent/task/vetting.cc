// Vetting begins when the plan is in the cache, and says whether this site takes the task: HQ can ask, only the store
// can say yes. Nothing of the plan runs here.
#include "base/log.h"
#include "plans/update_vector.h"
#include "store-agent/task/release_and_spool.h"
#include "store-agent/task/site_task_steps.h"

namespace aisle {
namespace {

TaskEnd Refuse(RefusalReason reason, const Status& status) { return Refused{reason, std::string(MessageOf(status))}; }

}  // namespace

std::optional<TaskEnd> SiteTaskSteps::Vet(const TrainInstruction& task) {
  vetted_.reset();
  clean_.reset();
  auto opened = OpenPlan(task);
  if (auto* end = std::get_if<TaskEnd>(&opened)) return std::move(*end);
  auto& vetted = std::get<VettedPlan>(opened);
  if (std::optional<TaskEnd> end = CheckPolicy(vetted, task)) return end;
  // Mode local-sgd pays before training; one that is taken up again has done so. If it hasn't, PayForSteps will tell.
  const bool may_be_paid = vetted.plan.privacy.mode == PrivacyMode::kLocalSgd && parts_.trainings != nullptr &&
                           parts_.trainings->HasTask(task.round);
  if (!may_be_paid) {
    if (std::optional<TaskEnd> end = CheckBudget(vetted, task)) return end;
  }
  const Status started = EnsureWorker();  // It loads LibTorch while the weights are fetched.
  if (!started.ok()) LogWarning("the worker can't be started: {}", MessageOf(started));
  vetted_ = std::move(vetted);
  return std::nullopt;
}

std::variant<SiteTaskSteps::VettedPlan, TaskEnd> SiteTaskSteps::OpenPlan(const TrainInstruction& task) const {
  StatusOr<std::string> bytes = parts_.cache.Read(task.plan);
  if (!bytes.ok()) return TaskEnd(Failed{FailureReason::kDownload, "the plan was damaged on the store's disk"});
  const Status signed_by_us = VerifyPlan(parts_.plan_keys(), task.plan.digest, task.plan_signature);
  if (!signed_by_us.ok()) return Refuse(RefusalReason::kPlanSignature, signed_by_us);
  const StatusOr<PlanBundle> bundle = PlanBundle::Decode(*bytes);
  if (!bundle.ok()) return Refuse(RefusalReason::kPlanInvalid, bundle.status());
  StatusOr<Plan> plan = bundle->plan();
  if (!plan.ok()) return Refuse(RefusalReason::kPlanInvalid, plan.status());
  return VettedPlan{
      .digest = task.plan.digest, .bundle = *std::move(bytes), .plan = WithClipNorm(*std::move(plan), task.clip_norm)};
}

StatusOr<SiteFacts> SiteTaskSteps::Facts() const {
  SiteFacts facts{.schema = parts_.schema, .bytes_today = parts_.meter.today()};
  for (const TableSchema& table : parts_.schema.tables) {
    AISLE_ASSIGN_OR_RETURN(facts.rows[table.name.str()], parts_.tables.RowCount(table.name));
  }
  return facts;
}

std::optional<TaskEnd> SiteTaskSteps::CheckPolicy(const VettedPlan& vetted, const TrainInstruction& task) const {
  const StatusOr<SiteFacts> facts = Facts();
  if (!facts.ok()) return Failed{FailureReason::kStorage, "the store's tables can't be read"};
  // The update is about as large as the weights.
  const uint64_t down = parts_.cache.Has(task.weights) ? 0 : task.weights.size;
  const PlanFacts asked{.plan = vetted.plan, .digest = vetted.digest, .transfer_bytes = down + task.weights.size};
  std::vector<Refused> refusals = Evaluate(parts_.policy, asked, *facts, parts_.clock.Now());
  if (refusals.empty()) return std::nullopt;
  for (const Refused& refused : refusals) LogInfo("{} is refused: {}", task.round, refused.detail);
  return refusals.front();
}

// The price of the release, put to the ledger before any work is done for it.
std::optional<TaskEnd> SiteTaskSteps::CheckBudget(const VettedPlan& vetted, const TrainInstruction& task) const {
  const PrivacyContract& contract = vetted.plan.privacy;
  const uint64_t taken_part = parts_.ledger.TimesSpentFor(task.round.job, task.plan.digest);
  if (taken_part >= contract.rounds_max) {
    return Refused{RefusalReason::kPrivacyBudget, fmt::format("this store took part in {} rounds of the plan, all it "
                                                              "may by its contract",
                                                              taken_part)};
  }
  const StatusOr<std::vector<Debit>> debits = DebitsFor(vetted.plan, task);
  if (!debits.ok()) return Refuse(RefusalReason::kPrivacyUnit, debits.status());
  const Status allowed = parts_.ledger.Evaluate(*debits, parts_.policy.caps, parts_.clock.Now());
  if (allowed.ok()) return std::nullopt;
  return EndOfSpending(allowed);
}

}  // namespace aisle

// Start, restart, and what a lost write means: memory is thrown away and read anew from what is durable.
#include "coordinator/driver/coordinator.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/cover.h"
#include "base/log.h"
#include "base/reason.h"

namespace aisle {
namespace {

constexpr absl::Duration kOpenAfterLostWrite = absl::Seconds(1);

}  // namespace

Coordinator::Coordinator(Parts parts, CoordinatorPolicy policy)
    : parts_(std::move(parts)),
      policy_(policy),
      commit_(parts_.state, parts_.executor, [this](const Status& lost) { ReloadAfter(lost); }),
      stores_(parts_.state, parts_.executor),
      desk_(parts_.authority, policy.enrolment, stores_, parts_.executor, parts_.random),
      waiting_(parts_.executor) {}

Coordinator::~Coordinator() = default;

Status Coordinator::Start() { return Load(); }

void Coordinator::Stop() {
  parts_.executor.Post([this] {
    stopping_ = true;
    waiting_.AnswerAll(Unavailable("the coordinator is stopping; try again"));
    watchers_.clear();
    for (auto& [id, job] : jobs_) parts_.executor.Cancel(job.reopen);
  });
}

void Coordinator::ChangeIdentity(std::shared_ptr<const HouseIdentity> identity) {
  parts_.executor.Post([this, identity = std::move(identity)]() mutable {
    desk_.ChangeAuthority(*identity->issuer);
    parts_.credentials = CredentialsOf(*identity);
    identity_ = std::move(identity);
  });
}

const std::string& Coordinator::roots_pem() const {
  return identity_ == nullptr ? parts_.authority.root_pem() : identity_->roots_pem();
}

Status Coordinator::Load() {
  jobs_.clear();
  AISLE_ASSIGN_OR_RETURN(restored_, FindRestored(parts_.state));
  if (restored_) desk_.TrustIssuedBetween(restored_->made_at, restored_->at);
  AISLE_ASSIGN_OR_RETURN(const std::vector<JobRecord> records, parts_.state.ListJobs());
  AISLE_ASSIGN_OR_RETURN(const std::vector<RoundId> journals, parts_.state.ListJournals());
  for (const JobRecord& record : records) {
    const bool active = record.state == JobState::kQueued || record.state == JobState::kRunning;
    // A job that was cancelled while its round was committing still owes that round its end.
    const auto open = std::ranges::find(journals, record.id, &RoundId::job);
    if (active || open != journals.end()) {
      AISLE_RETURN_IF_ERROR(LoadJob(record, open == journals.end() ? std::nullopt : std::optional(*open)));
    }
  }
  std::set<std::string> spools;
  for (const auto& [id, job] : jobs_) {
    if (job.round != nullptr) spools.insert(SpoolFolder(job.round->id()));
  }
  // Spools of rounds that closed just before a crash.
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(parts_.spool_folder, ignored)) {
    if (spools.contains(entry.path().string())) continue;
    spools_.erase(entry.path().string());
    (void)UploadSpool::Remove(entry.path().string());
  }
  return OkStatus();
}

Status Coordinator::LoadJob(const JobRecord& record, const std::optional<RoundId>& open) {
  AISLE_ASSIGN_OR_RETURN(JobPlan plan, OpenJobPlan(parts_.blobs, record.plan.digest));
  ActiveJob& job = jobs_.emplace(record.id, ActiveJob{.record = record}).first->second;
  job.plan = std::make_shared<const JobPlan>(std::move(plan));
  job.weights = record.initial_weights;
  AISLE_ASSIGN_OR_RETURN(const std::vector<ModelRecord> models, parts_.state.ListModels(record.id));
  for (const ModelRecord& model : models) {
    job.weights = model.reached.value_or(model.weights);
    job.published = model.weights;
    job.clip_norm = model.clip_norm;
  }
  if (!open) {
    OpenRoundAfter(job, absl::ZeroDuration());
    return OkStatus();
  }
  AISLE_ASSIGN_OR_RETURN(const std::vector<std::string> journal, parts_.state.ReadJournal(*open));
  AISLE_RETURN_IF_ERROR(OpenSpool(job, *open));
  AISLE_ASSIGN_OR_RETURN(job.round, RoundDriver::Resume(*open, journal, parts_.executor, commit_, HouseOf(record.id)));
  AISLE_COVER("coordinator.round_resumed");
  AISLE_ASSIGN_OR_RETURN(const std::optional<RoundRecord> known, parts_.state.FindRound(*open));
  if (known) job.round->CarryOn(*known);
  LogInfo("round {} goes on, {}", *open, NameOf(NameOfPhase(job.round->machine().phase())));
  job.phase_began = parts_.executor.Now();
  SignRoster(job);
  job.round->Restart(policy_.restart_grace);
  return OkStatus();
}

void Coordinator::ReloadAfter(const Status& lost) {
  AISLE_COVER("coordinator.write_lost");
  LogError("a write to the state store failed: {}; going back to what is durable", MessageOf(lost));
  parts_.metrics.WriteLost();
  Status loaded = Load();
  lost_ = !loaded.ok();
  // Opening a round is a write as well: at once it would be lost likewise, without end.
  for (auto& [id, job] : jobs_) {
    if (job.round == nullptr) OpenRoundAfter(job, kOpenAfterLostWrite);
  }
  if (!loaded.ok()) {
    LogError("the state store can't be read either: {}; trying again in 5 s", MessageOf(loaded));
    jobs_.clear();  // Half of it would be worse than none: a timer could open a round beside the one that is open.
    parts_.executor.PostAt(parts_.executor.Now() + absl::Seconds(5), [this, lost] {
      if (!stopping_) ReloadAfter(lost);
    });
  }
}

void Coordinator::Read(std::function<void(const Coordinator&)> look) {
  parts_.executor.Post([this, look = std::move(look)] {
    if (!commit_.pending()) return look(*this);
    commit_.Then([this, look](const Status&) { look(*this); });  // Nothing is shown before it is written down.
  });
}

uint64_t Coordinator::Watch(JobId job, std::function<void()> changed) {
  const uint64_t watch = ++last_watch_;
  parts_.executor.Post([this, watch, job = std::move(job), changed = std::move(changed)]() mutable {
    changed();
    watchers_.emplace(watch, Watcher{std::move(job), std::move(changed)});
  });
  return watch;
}

void Coordinator::Unwatch(uint64_t watch) {
  parts_.executor.Post([this, watch] { watchers_.erase(watch); });
}

void Coordinator::NotifyWatchers(const JobId& job) {
  parts_.metrics.SetActiveJobs(jobs_.size());
  for (const auto& [watch, watcher] : watchers_) {
    if (watcher.job == job) watcher.changed();
  }
}

const ActiveJob* Coordinator::FindRound(const RoundId& round) const {
  const auto found = jobs_.find(round.job);
  if (found == jobs_.end() || found->second.round == nullptr || found->second.round->id() != round) return nullptr;
  return &found->second;
}

ActiveJob* Coordinator::FindRound(const RoundId& round) {
  return const_cast<ActiveJob*>(std::as_const(*this).FindRound(round));
}

Status Coordinator::RoundGone(const RoundId& round) const {
  const StatusOr<std::optional<RoundRecord>> record = parts_.state.FindRound(round);
  if (record.ok() && *record) {
    return WithReason(FailedPrecondition("round {} is over ({})", round, NameOf((*record)->phase)),
                      Reason::kRoundClosed);
  }
  return WithReason(NotFound("there is no round {}", round), Reason::kRoundUnknown);
}

}  // namespace aisle

// What the data team and operations ask for.
#include "base/cover.h"
#include "base/log.h"
#include "base/reason.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

void Coordinator::Submit(Submission submission, Reply<JobRecord> reply) {
  parts_.executor.Post([=, this, submission = std::move(submission), reply = std::move(reply)] {
    const auto admit = [&]() -> StatusOr<JobRecord> {
      AISLE_RETURN_IF_ERROR(CanAnswer());
      AISLE_ASSIGN_OR_RETURN(const std::optional<JobRecord> known, parts_.state.FindJob(submission.job));
      if (known || jobs_.contains(submission.job)) {
        return AlreadyExists("there is a job {} already; choose another name", submission.job);
      }
      if (jobs_.size() >= policy_.jobs_max) {
        return ResourceExhausted("{} jobs are active, which is the limit; wait for one to end, or cancel one",
                                 jobs_.size());
      }
      AISLE_ASSIGN_OR_RETURN(JobPlan plan, OpenJobPlan(parts_.blobs, submission.plan));
      AISLE_ASSIGN_OR_RETURN(JobRecord record, AdmitJob(submission, plan, parts_.plan_keys, parts_.executor.Now()));
      if (restored_) {  // A job of this name may have been, after the backup: its numbers aren't used again.
        record.next_round_number += static_cast<uint32_t>(restored_->numbers_from);
        record.version_floor = restored_->numbers_from;
      }
      ActiveJob& job = jobs_.emplace(record.id, ActiveJob{.record = record}).first->second;
      job.plan = std::make_shared<const JobPlan>(std::move(plan));
      job.weights = record.initial_weights;
      return record;
    };
    const StatusOr<JobRecord> admitted = admit();
    if (!admitted.ok()) return reply(admitted);
    AISLE_COVER("commit.job.before");
    commit_.change().Put(*admitted);
    commit_.Then([=, this](const Status& durable) {
      if (!durable.ok()) return reply(durable);
      AISLE_COVER("commit.job.after");
      LogInfo("job {} was submitted: plan {}, {} rounds", admitted->id, admitted->plan_name, admitted->rounds_total);
      reply(admitted);
      const auto found = jobs_.find(admitted->id);
      if (found != jobs_.end()) OpenRound(found->second);
    });
  });
}

void Coordinator::Cancel(JobId id, std::string reason, Reply<JobRecord> reply) {
  parts_.executor.Post([=, this, id = std::move(id), reason = std::move(reason), reply = std::move(reply)] {
    if (Status can = CanAnswer(); !can.ok()) return reply(can);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) {
      return reply(NotFound("no job {} is active; 'aisle job list' shows them all", id));
    }
    ActiveJob& job = found->second;
    job.record.state = JobState::kCancelled;
    job.record.state_reason = reason;
    commit_.change().Put(job.record);
    if (job.round == nullptr) {
      EndJob(job, JobState::kCancelled, reason);
    } else {  // Closing the round ends the job; a round that is committing publishes first.
      job.round->Submit(RoundCancelled{reason.empty() ? "the job was cancelled" : "the job was cancelled: " + reason},
                        [](const Status&) {});
    }
    commit_.Then([record = job.record, reply](const Status& durable) {
      reply(durable.ok() ? StatusOr<JobRecord>(record) : durable);
    });
  });
}

void Coordinator::Invite(StoreId store, std::optional<absl::Duration> code_lifetime, Reply<IssuedCode> reply) {
  parts_.executor.Post([=, this, store = std::move(store), reply = std::move(reply)] {
    EnrolmentPolicy terms = policy_.enrolment;
    terms.code_lifetime = code_lifetime.value_or(terms.code_lifetime);
    reply(EnrolmentDesk(issuer(), terms, stores_, parts_.executor, parts_.random).Invite(store));
  });
}

void Coordinator::Revoke(StoreId store, std::string reason, Reply<StoreRecord> reply) {
  parts_.executor.Post([=, this, store = std::move(store), reason = std::move(reason), reply = std::move(reply)] {
    StatusOr<StoreRecord> revoked = stores_.Revoke(store, reason);
    if (revoked.ok()) {
      LogWarning("store {} was revoked: {}", store, revoked->revoke_reason);
      const Status why =
          WithReason(PermissionDenied("store {} was revoked: {}", store, revoked->revoke_reason), Reason::kRevoked);
      CutOff(store, why);
    }
    reply(std::move(revoked));
  });
}

void Coordinator::Reinstate(StoreId store, Reply<StoreRecord> reply) {
  parts_.executor.Post([=, this, store = std::move(store), reply = std::move(reply)] {
    StatusOr<StoreRecord> reinstated = stores_.Reinstate(store);
    if (reinstated.ok()) LogInfo("store {} was reinstated", store);
    reply(std::move(reinstated));
  });
}

}  // namespace aisle

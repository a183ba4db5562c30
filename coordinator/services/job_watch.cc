#include "coordinator/services/job_watch.h"

#include <memory>

#include "base/net/status_conversion.h"
#include "coordinator/services/read_models.h"

namespace aisle {
namespace {

bool HasEnded(const v1::Job& job) {
  return job.state() != v1::JOB_STATE_QUEUED && job.state() != v1::JOB_STATE_RUNNING;
}

}  // namespace

JobWatch::JobWatch(Coordinator& coordinator, StatusOr<JobId> job) : coordinator_(coordinator), job_(std::move(job)) {
  if (!job_.ok()) {
    FinishOnce(job_.status());
    return;
  }
  watch_ = coordinator_.Watch(*job_, [this] { Changed(); });
}

// On the executor, so Unwatch (posted there too) ends these calls before OnDone's deletion, which is posted behind it.
void JobWatch::Changed() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    dirty_ = true;
    if (writing_) return;
  }
  coordinator_.Read([this](const Coordinator& coordinator) { Look(coordinator); });
}

void JobWatch::Look(const Coordinator& coordinator) {
  const StatusOr<v1::JobSnapshot> snapshot = SnapshotOf(coordinator, *job_);
  if (!snapshot.ok()) return FinishOnce(snapshot.status());
  const std::lock_guard lock(mutex_);
  if (finished_ || writing_ || !dirty_) return;
  dirty_ = false;
  writing_ = true;
  sending_ = *snapshot;
  // An ended job is over once its last round is closed and the coordinator has let go of it.
  last_ = HasEnded(sending_.job()) && !coordinator.jobs().contains(*job_);
  StartWrite(&sending_);
}

void JobWatch::OnWriteDone(bool ok) {
  bool look = false;
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    look = dirty_ && ok && !last_;
  }
  if (!ok) return FinishOnce(MakeStatus(StatusCode::kCancelled, "the watcher hung up"));
  if (last_) return FinishOnce(OkStatus());
  if (look) coordinator_.Read([this](const Coordinator& coordinator) { Look(coordinator); });
}

void JobWatch::OnCancel() { FinishOnce(MakeStatus(StatusCode::kCancelled, "the watcher hung up")); }

void JobWatch::FinishOnce(const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
  }
  Finish(ToGrpc(status));
}

void JobWatch::OnDone() {
  if (watch_ == 0) {
    delete this;
    return;
  }
  coordinator_.Unwatch(watch_);
  coordinator_.Read([this](const Coordinator&) { delete this; });
}

}  // namespace aisle

// What stores fetch and send in pieces, each piece when the store likes; cut off with the store.
#include <algorithm>

#include "base/reason.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

void Coordinator::OpenBlob(Certificate caller, Digest blob, Reply<std::shared_ptr<const BlobReader>> reply) {
  parts_.executor.Post([=, this, caller = std::move(caller), reply = std::move(reply)] {
    const StatusOr<StoreId> store = AdmitCaller(caller);
    if (!store.ok()) return reply(store.status());
    if (!IsFetchable(blob)) return reply(NotFound("no plan or model of an active job has digest {}", blob));
    reply(parts_.blobs.Find(blob));
  });
}

bool Coordinator::IsFetchable(const Digest& blob) const {
  return std::ranges::any_of(jobs_, [&](const auto& entry) {
    const ActiveJob& job = entry.second;
    return job.record.plan.digest == blob || job.weights.digest == blob;
  });
}

void Coordinator::CountDownload(StoreId store, uint64_t bytes) {
  parts_.executor.Post([=, this, store = std::move(store)] {
    parts_.metrics.Downloaded(bytes);
    for (auto& [id, job] : jobs_) {
      if (job.round == nullptr) continue;
      const Duty duty = job.round->machine().DutyOf(store);
      if (std::holds_alternative<DutyTrain>(duty)) job.round->CountDownload(bytes);
    }
  });
}

void Coordinator::FindUpload(Certificate caller, RoundId round, Digest update, Reply<UploadStatus> reply) {
  parts_.executor.Post([=, this, caller = std::move(caller), round = std::move(round), reply = std::move(reply)] {
    const StatusOr<StoreId> store = AdmitCaller(caller);
    if (!store.ok()) return reply(store.status());
    ActiveJob* job = FindRound(round);
    if (job == nullptr) return reply(RoundGone(round));
    StatusOr<UploadStatus> status = job->spool->Find(*store, {.digest = update, .size = job->plan->update_size()});
    if (status.ok()) {  // Whole in the spool isn't yet part of the round: that takes the journal's word.
      const Roster* roster = RosterOf(job->round->machine().phase());
      const Seat* seat = roster == nullptr ? nullptr : roster->Find(*store);
      status->complete = seat != nullptr && std::holds_alternative<GaveUpdate>(*seat);
    }
    reply(std::move(status));
  });
}

void Coordinator::BeginUpload(Certificate caller, UploadHeader header, Reply<Upload> reply) {
  parts_.executor.Post([=, this, caller = std::move(caller), header = std::move(header), reply = std::move(reply)] {
    const StatusOr<StoreId> store = AdmitCaller(caller);
    if (!store.ok()) return reply(store.status());
    ActiveJob* job = FindRound(header.round);
    if (job == nullptr) return reply(RoundGone(header.round));
    Status welcome = job->round->machine().Check(UpdateCollected{.store = *store, .digest = header.update.digest});
    if (!welcome.ok()) return reply(welcome);
    StatusOr<std::unique_ptr<UploadSession>> session = job->spool->Begin(*store, header.update, header.offset);
    if (!session.ok()) return reply(session.status());
    reply(Upload{.spool = job->spool, .session = *std::move(session)});
  });
}

void Coordinator::AcceptUpload(Certificate caller, UploadHeader header, Done done) {
  parts_.executor.Post([=, this, caller = std::move(caller), header = std::move(header), done = std::move(done)] {
    const StatusOr<StoreId> store = RecogniseCaller(caller);  // It may have been revoked while it sent.
    if (!store.ok()) return done(store.status());
    ActiveJob* job = FindRound(header.round);
    if (job == nullptr) return done(RoundGone(header.round));
    parts_.metrics.Uploaded(header.update.size);
    job->round->Submit(UpdateCollected{.store = *store, .digest = header.update.digest}, done);
  });
}

uint64_t Coordinator::BeginTransfer(StoreId store, std::function<void(const Status&)> cut) {
  const uint64_t transfer = ++last_transfer_;
  parts_.executor.Post([this, transfer, opened = Transfer{std::move(store), std::move(cut)}]() mutable {
    transfers_.emplace(transfer, std::move(opened));
  });
  return transfer;
}

void Coordinator::EndTransfer(uint64_t transfer, std::function<void()> ended) {
  parts_.executor.Post([this, transfer, ended = std::move(ended)] {
    transfers_.erase(transfer);
    ended();
  });
}

}  // namespace aisle

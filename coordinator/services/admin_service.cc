#include "coordinator/services/admin_service.h"

#include "base/net/peer.h"
#include "base/net/process_metrics.h"
#include "base/net/status_conversion.h"
#include "base/version.h"
#include "coordinator/services/backup_stream.h"
#include "coordinator/services/blob_stream.h"
#include "coordinator/services/blob_upload.h"
#include "coordinator/services/explain.h"
#include "coordinator/services/job_watch.h"
#include "coordinator/services/read_models.h"
#include "coordinator/services/submission.h"
#include "coordinator/services/unary.h"
#include "proto/convert/fleet.h"

namespace aisle {
namespace {

constexpr uint32_t kRoundsListedByDefault = 100;

// The weights of the model that a job is to start from.
Status FindBase(const Coordinator& coordinator, const v1::SubmitJobRequest& request, Submission& submission) {
  if (request.base_model_job().empty()) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(const JobId base, JobId::Parse(request.base_model_job()));
  AISLE_ASSIGN_OR_RETURN(const auto model, coordinator.state().FindModel(base, request.base_model_version()));
  if (!model) return NotFound("job {} has no model version {}", base, request.base_model_version());
  submission.base_weights = model->weights;
  return OkStatus();
}

}  // namespace

AdminService::AdminService(Coordinator& coordinator, BlobStore& blobs, BackupDesk& backups, ThreadPool& disk,
                           ChainName chain, const Clock& clock)
    : coordinator_(coordinator),
      blobs_(blobs),
      backups_(backups),
      disk_(disk),
      chain_(std::move(chain)),
      clock_(clock),
      started_(clock.Now()) {}

Status AdminService::Authorize(const grpc::CallbackServerContext& context) const {
  return PeerAdminOf(context, chain_, clock_.Now()).status();
}

grpc::ServerUnaryReactor* AdminService::Read(grpc::CallbackServerContext* context,
                                             std::function<Status(const Coordinator&)> look) {
  if (Status authorized = Authorize(*context); !authorized.ok()) return FinishNow(context, authorized);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Read([reactor, look = std::move(look)](const Coordinator& coordinator) {
    reactor->Finish(ToGrpc(look(coordinator)));
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::GetOverview(grpc::CallbackServerContext* context, const v1::GetOverviewRequest*,
                                                    v1::Overview* overview) {
  return Read(context, [=, this](const Coordinator& coordinator) -> Status {
    overview->set_version(std::string(Version()));
    overview->set_chain(chain_.str());
    overview->set_jobs_active(coordinator.jobs().size());
    overview->set_stores_waiting(coordinator.waiting());
    overview->set_started_unix_ms(absl::ToUnixMillis(started_));
    AISLE_ASSIGN_OR_RETURN(const std::vector<StoreRecord> stores, coordinator.stores().List());
    uint64_t enrolled = 0;
    for (const StoreRecord& store : stores) enrolled += store.state == StoreState::kEnrolled ? 1 : 0;
    overview->set_stores_enrolled(enrolled);
    AISLE_ASSIGN_OR_RETURN(const ProcessUsage usage, ReadProcessUsage());
    overview->set_resident_bytes(usage.resident_bytes);
    overview->set_resident_peak_bytes(usage.resident_peak_bytes);
    return OkStatus();
  });
}

grpc::ServerReadReactor<v1::PutBlobRequest>* AdminService::PutBlob(grpc::CallbackServerContext* context,
                                                                   v1::PutBlobResponse* response) {
  return new BlobUpload(Authorize(*context), blobs_, disk_, response);
}

grpc::ServerWriteReactor<v1::FetchBlobResponse>* AdminService::FetchBlob(grpc::CallbackServerContext* context,
                                                                         const v1::FetchBlobRequest* request) {
  auto* stream = new BlobStream(coordinator_, std::nullopt, request->offset_bytes(), false, [](uint64_t) {});
  const auto find = [&]() -> StatusOr<std::shared_ptr<const BlobReader>> {
    AISLE_RETURN_IF_ERROR(Authorize(*context));
    AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestFromProto("sha256", request->sha256()));
    return blobs_.Find(digest);
  };
  stream->Begin(find());
  return stream;
}

grpc::ServerUnaryReactor* AdminService::SubmitJob(grpc::CallbackServerContext* context,
                                                  const v1::SubmitJobRequest* request, v1::Job* job) {
  if (Status authorized = Authorize(*context); !authorized.ok()) return FinishNow(context, authorized);
  StatusOr<Submission> submission = SubmissionOf(*request);
  if (!submission.ok()) return FinishNow(context, submission.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Read([=, this, submission = *submission](const Coordinator& coordinator) mutable {
    if (Status base = FindBase(coordinator, *request, submission); !base.ok()) return reactor->Finish(ToGrpc(base));
    coordinator_.Submit(std::move(submission), [=, this](StatusOr<JobRecord> record) {
      if (!record.ok()) return reactor->Finish(ToGrpc(record.status()));
      coordinator_.Read([=](const Coordinator& now) {
        *job = JobView(*record, now);
        reactor->Finish(grpc::Status::OK);
      });
    });
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::CancelJob(grpc::CallbackServerContext* context,
                                                  const v1::CancelJobRequest* request, v1::Job* job) {
  if (Status authorized = Authorize(*context); !authorized.ok()) return FinishNow(context, authorized);
  StatusOr<JobId> id = JobId::Parse(request->job());
  if (!id.ok()) return FinishNow(context, id.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Cancel(*std::move(id), request->reason(), [=, this](StatusOr<JobRecord> record) {
    if (!record.ok()) return reactor->Finish(ToGrpc(record.status()));
    coordinator_.Read([=](const Coordinator& now) {
      *job = JobView(*record, now);
      reactor->Finish(grpc::Status::OK);
    });
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::GetJob(grpc::CallbackServerContext* context, const v1::GetJobRequest* request,
                                               v1::Job* job) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    AISLE_ASSIGN_OR_RETURN(const JobId id, JobId::Parse(request->job()));
    AISLE_ASSIGN_OR_RETURN(const JobRecord record, FindJobRecord(coordinator, id));
    *job = JobView(record, coordinator);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::ListJobs(grpc::CallbackServerContext* context, const v1::ListJobsRequest*,
                                                 v1::ListJobsResponse* response) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    AISLE_ASSIGN_OR_RETURN(const std::vector<JobRecord> records, coordinator.state().ListJobs());
    for (const JobRecord& record : records) *response->add_jobs() = JobView(record, coordinator);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::GetRound(grpc::CallbackServerContext* context,
                                                 const v1::GetRoundRequest* request, v1::Round* round) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    AISLE_ASSIGN_OR_RETURN(const RoundId id, aisle::FromProto(request->round()));
    AISLE_ASSIGN_OR_RETURN(const RoundRecord record, FindRoundRecord(coordinator, id));
    *round = RoundView(record, true);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::ListRounds(grpc::CallbackServerContext* context,
                                                   const v1::ListRoundsRequest* request,
                                                   v1::ListRoundsResponse* response) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    AISLE_ASSIGN_OR_RETURN(const JobId job, JobId::Parse(request->job()));
    AISLE_RETURN_IF_ERROR(FindJobRecord(coordinator, job).status());
    const uint32_t last = request->last() == 0 ? kRoundsListedByDefault : request->last();
    AISLE_ASSIGN_OR_RETURN(const std::vector<RoundRecord> records, coordinator.state().ListRounds(job, last));
    for (const RoundRecord& record : records) {
      const StatusOr<RoundRecord> now = FindRoundRecord(coordinator, record.id);
      *response->add_rounds() = RoundView(now.ok() ? *now : record, false);
    }
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::AddStore(grpc::CallbackServerContext* context,
                                                 const v1::AddStoreRequest* request, v1::AddStoreResponse* response) {
  if (Status authorized = Authorize(*context); !authorized.ok()) return FinishNow(context, authorized);
  StatusOr<StoreId> store = StoreId::Parse(request->store());
  if (!store.ok()) return FinishNow(context, store.status());
  std::optional<absl::Duration> lifetime;
  if (request->code_lifetime_s() > 0) lifetime = absl::Seconds(request->code_lifetime_s());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Invite(*std::move(store), lifetime, [=, this](StatusOr<IssuedCode> issued) {
    if (!issued.ok()) return reactor->Finish(ToGrpc(issued.status()));
    response->set_store(issued->record.store.str());
    response->set_code(std::string(issued->code.Reveal().Reveal()));
    response->set_code_expires_unix_ms(absl::ToUnixMillis(issued->record.expires_at));
    response->set_ca_pem(coordinator_.roots_pem());
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::RevokeStore(grpc::CallbackServerContext* context,
                                                    const v1::RevokeStoreRequest* request, v1::Store* response) {
  if (Status authorized = Authorize(*context); !authorized.ok()) return FinishNow(context, authorized);
  StatusOr<StoreId> store = StoreId::Parse(request->store());
  if (!store.ok()) return FinishNow(context, store.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Revoke(*std::move(store), request->reason(), [=](StatusOr<StoreRecord> revoked) {
    if (!revoked.ok()) return reactor->Finish(ToGrpc(revoked.status()));
    *response = StoreView(*revoked);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::ReinstateStore(grpc::CallbackServerContext* context,
                                                       const v1::ReinstateStoreRequest* request, v1::Store* response) {
  if (Status authorized = Authorize(*context); !authorized.ok()) return FinishNow(context, authorized);
  StatusOr<StoreId> store = StoreId::Parse(request->store());
  if (!store.ok()) return FinishNow(context, store.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  coordinator_.Reinstate(*std::move(store), [=](StatusOr<StoreRecord> reinstated) {
    if (!reinstated.ok()) return reactor->Finish(ToGrpc(reinstated.status()));
    *response = StoreView(*reinstated);
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::ListStores(grpc::CallbackServerContext* context, const v1::ListStoresRequest*,
                                                   v1::ListStoresResponse* response) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    AISLE_ASSIGN_OR_RETURN(const std::vector<StoreRecord> records, coordinator.stores().List());
    for (const StoreRecord& record : records) *response->add_stores() = StoreView(record);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::ListModels(grpc::CallbackServerContext* context,
                                                   const v1::ListModelsRequest* request,
                                                   v1::ListModelsResponse* response) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    std::vector<ModelRecord> records;
    if (request->job().empty()) {
      AISLE_ASSIGN_OR_RETURN(records, coordinator.state().ListModels());
    } else {
      AISLE_ASSIGN_OR_RETURN(const JobId job, JobId::Parse(request->job()));
      AISLE_ASSIGN_OR_RETURN(records, coordinator.state().ListModels(job));
    }
    for (const ModelRecord& record : records) *response->add_models() = ModelView(record);
    return OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::GetModel(grpc::CallbackServerContext* context,
                                                 const v1::GetModelRequest* request, v1::Model* response) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    AISLE_ASSIGN_OR_RETURN(const JobId job, JobId::Parse(request->job()));
    AISLE_ASSIGN_OR_RETURN(const JobRecord record, FindJobRecord(coordinator, job));
    const uint64_t version = request->version() == 0 ? record.model_version : request->version();
    if (version == 0) return NotFound("job {} has not published a model yet", job);
    AISLE_ASSIGN_OR_RETURN(const std::optional<ModelRecord> model, coordinator.state().FindModel(job, version));
    if (!model) return NotFound("job {} has no model version {}; the latest is {}", job, version, record.model_version);
    *response = ModelView(*model);
    return OkStatus();
  });
}

grpc::ServerWriteReactor<v1::JobSnapshot>* AdminService::WatchJob(grpc::CallbackServerContext* context,
                                                                  const v1::WatchJobRequest* request) {
  if (Status authorized = Authorize(*context); !authorized.ok()) return new JobWatch(coordinator_, authorized);
  return new JobWatch(coordinator_, JobId::Parse(request->job()));
}

grpc::ServerUnaryReactor* AdminService::Explain(grpc::CallbackServerContext* context, const v1::ExplainRequest* request,
                                                v1::Explanation* response) {
  return Read(context, [=](const Coordinator& coordinator) -> Status {
    AISLE_ASSIGN_OR_RETURN(*response, aisle::Explain(coordinator, *request));
    return OkStatus();
  });
}

grpc::ServerWriteReactor<v1::BackUpResponse>* AdminService::BackUp(grpc::CallbackServerContext* context,
                                                                   const v1::BackUpRequest* request) {
  return new BackupStream(Authorize(*context), *request, backups_, disk_, chain_.str(), clock_.Now());
}

}  // namespace aisle

// The coordinator's Admin service as a client sees it: calls with deadlines, blobs that resume, errors that tell what
// to do.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aisle/v1/admin.pb.h"
#include "base/fleet.h"
#include "base/status.h"

namespace grpc {
class Channel;
class Status;
}  // namespace grpc

namespace aisle::cli {

inline constexpr absl::Duration kCallDeadline = absl::Seconds(30);
inline constexpr int kStreamAttemptsMax = 5;  // A blob that makes no progress this many times in a row is given up.

// Bytes done, of how many.
using ProgressFunction = std::function<void(uint64_t done, uint64_t total)>;

// Blocking calls, one at a time. Errors carry the coordinator's own words; Unavailable names the address that was
// dialled.
class AdminClient {
 public:
  // `open` makes a channel; after a call that found nobody it is asked for a fresh one, which tries at once, while the
  // old one would sit out gRPC's own growing pause. `address` is for messages only.
  using ChannelMaker = std::function<std::shared_ptr<grpc::Channel>()>;
  AdminClient(ChannelMaker open, std::string address);
  ~AdminClient();

  StatusOr<v1::Overview> GetOverview();
  StatusOr<v1::Job> SubmitJob(const v1::SubmitJobRequest& request);
  StatusOr<v1::Job> CancelJob(const std::string& job, const std::string& reason);
  StatusOr<v1::Job> GetJob(const std::string& job);
  StatusOr<v1::ListJobsResponse> ListJobs();
  StatusOr<v1::Round> GetRound(const std::string& job, uint32_t number);
  StatusOr<v1::ListRoundsResponse> ListRounds(const std::string& job, uint32_t last);
  StatusOr<v1::AddStoreResponse> AddStore(const std::string& store, absl::Duration code_lifetime);
  StatusOr<v1::Store> RevokeStore(const std::string& store, const std::string& reason);
  StatusOr<v1::Store> ReinstateStore(const std::string& store);
  StatusOr<v1::ListStoresResponse> ListStores();
  StatusOr<v1::ListModelsResponse> ListModels(const std::string& job);
  StatusOr<v1::Model> GetModel(const std::string& job, uint64_t version);

  StatusOr<v1::Explanation> Explain(const v1::ExplainRequest& request);

  // Hands each message of a backup to `taken`, in order, until it returns an error. DataLoss if the stream ended early:
  // then what came is no backup.
  Status BackUp(const v1::BackUpRequest& request, const std::function<Status(const v1::BackUpResponse&)>& taken);

  // Stores `bytes` under their own digest; sends them again after a broken connection.
  Status PutBlob(std::string_view bytes, const ProgressFunction& progress);

  // Hands the blob's bytes to `sink` in order, resuming where a connection broke. DataLoss if what came isn't `blob`:
  // the sink must not be trusted before this has returned OK.
  Status FetchBlob(const BlobName& blob, const std::function<Status(std::string_view)>& sink,
                   const ProgressFunction& progress);

  // Calls `seen` for each snapshot until the job has ended or `seen` returns false. Doesn't reconnect.
  Status WatchJob(const std::string& job, const std::function<bool(const v1::JobSnapshot&)>& seen);

 private:
  struct Connection;
  template <typename Request, typename Response, typename Method>
  StatusOr<Response> Call(Method method, const Request& request);
  // Our status of gRPC's, in words that help; remembers whether anybody was found.
  Status Judge(const grpc::Status& status);
  Status Explain(const Status& status) const;
  Status PutBlobOnce(const v1::BlobRef& blob, std::string_view bytes, const ProgressFunction& progress);
  Status FetchBlobOnce(const BlobName& blob, uint64_t& offset, const std::function<Status(std::string_view)>& sink,
                       const ProgressFunction& progress);

  std::unique_ptr<Connection> connection_;
  std::string address_;
};

}  // namespace aisle::cli

// A real coordinator in this process: its own chain, folder and port, TLS both ways. Callers are plain stubs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aisle/v1/admin.grpc.pb.h"
#include "aisle/v1/fleet.grpc.pb.h"
#include "base/fleet.h"
#include "base/identity/chain_folder.h"
#include "base/identity/tls_identity.h"
#include "coordinator/program/server.h"
#include "tests/storage/temporary_folder.h"

namespace aisle::test {

// Parameters of a model whose updates take four messages: 1 MiB.
inline constexpr uint64_t kFourMessages = 1 << 18;

// A context with a deadline that only a hang ever meets.
class Call : public grpc::ClientContext {
 public:
  Call();
};

// Whom a job under test takes in a round, and how their vectors are added.
struct LiveCohort {
  uint32_t min = 1;
  uint32_t target = 1;
  bool secure_sum = false;
};

class LiveHeadquarters {
 public:
  // State, blobs and spools go to `data`, or into a folder of its own.
  explicit LiveHeadquarters(const CoordinatorPolicy& policy = {}, std::string data = "");

  // The process ends and another one starts over the same data, at another port: connections are gone.
  void Restart();
  // The same, over another data folder; the chain's keys come along.
  void MoveTo(std::string data);
  CoordinatorConfig config() const;
  CertificateAuthority authority() const { return LoadAuthority({folder_.File("identity")}).value(); }
  int port() const { return server_->port(); }
  int metrics_port() const { return server_->metrics_port(); }
  v1::Admin::Stub& admin() { return *admin_; }
  std::shared_ptr<grpc::Channel> Connect(const TlsIdentity& identity) const;
  std::unique_ptr<v1::Fleet::Stub> FleetOf(const TlsIdentity& identity) const;
  // A caller without a certificate.
  std::unique_ptr<v1::Fleet::Stub> Stranger() const;

  v1::AddStoreResponse Invite(const std::string& store);
  StatusOr<v1::AddStoreResponse> TryInvite(const std::string& store);
  // What an agent does with its code. The key is made here.
  StatusOr<TlsIdentity> Redeem(const std::string& code);
  TlsIdentity Enrol(const std::string& store);
  Status Revoke(const std::string& store, const std::string& reason);
  Status Reinstate(const std::string& store);
  Status PutBlob(std::string_view bytes);
  // A job of cohorts of one store, with `parameters` numbers to train.
  Status SubmitJob(const std::string& job, uint64_t parameters, uint32_t rounds = 1);
  Status SubmitJob(const v1::SubmitJobRequest& request);
  // The same, signed and stored but not submitted.
  v1::SubmitJobRequest PrepareJob(const std::string& job, uint64_t parameters, uint32_t rounds = 1,
                                  const LiveCohort& cohort = {});

 private:
  TemporaryFolder folder_;
  CoordinatorPolicy policy_;
  std::string data_;
  std::unique_ptr<CoordinatorServer> server_;
  std::unique_ptr<v1::Admin::Stub> admin_;
};

// Plays a store over the wire, one blocking call at a time.
class LiveStore {
 public:
  LiveStore(const LiveHeadquarters& headquarters, const TlsIdentity& identity)
      : fleet(headquarters.FleetOf(identity)) {}

  v1::CheckInRequest Greeting(v1::StoreStanding standing = v1::STORE_STANDING_IDLE) const;
  StatusOr<v1::CheckInResponse> CheckIn(v1::StoreStanding standing = v1::STORE_STANDING_IDLE);
  StatusOr<v1::CheckInResponse> CheckIn(const v1::CheckInRequest& request);
  // Asks for work until there is a task.
  StatusOr<v1::TrainInstruction> AskForTask();
  // Says that it has trained an update of this name.
  Status Report(const BlobName& update);
  // Takes a task, says that it has trained `update`, and waits to be asked for it.
  Status TrainUpTo(const std::string& update);
  // The first message of an upload of `update`, with as much data as is given.
  v1::UploadRequest FirstMessage(const std::string& update, std::string_view data) const;
  StatusOr<v1::GetUploadStatusResponse> UploadStatus(const std::string& update);
  // Sends the messages in one stream. OK only if the update is complete then.
  Status Upload(const std::vector<v1::UploadRequest>& messages);
  Status Upload(const std::string& update);

  std::unique_ptr<v1::Fleet::Stub> fleet;
  v1::RoundRef round;
};

// The vector of a job of so many parameters: they, and no metric.
std::string UpdateOfLength(uint64_t parameters);

}  // namespace aisle::test

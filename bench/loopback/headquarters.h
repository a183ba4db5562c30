// A chain made for a benchmark: its keys, a coordinator process over a folder of its own, enrolled stores, a job.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aisle/v1/admin.grpc.pb.h"
#include "base/identity/tls_identity.h"
#include "base/status.h"
#include "bench/loopback/child.h"
#include "bench/scratch_folder.h"

namespace aisle {

// Where programs of the build lie: beside this one.
std::string ProgramPath(std::string_view name);

struct HeadquartersOptions {
  uint32_t stores = 0;   // In the chain from the start, enrolled straight in the coordinator's state: store-0 and on.
  std::string settings;  // Further lines of coordinator.toml.
};

class Headquarters {
 public:
  static StatusOr<std::unique_ptr<Headquarters>> Start(const HeadquartersOptions& options = {});

  const Child& coordinator() const { return *coordinator_; }
  const std::string& identity_folder() const { return identity_; }
  // Of the stores enrolled from the start.
  const std::vector<TlsIdentity>& stores() const { return stores_; }
  // A crash, and the same coordinator again: the same port, the same folder.
  void KillCoordinator() { coordinator_->Kill(); }
  Status RestartCoordinator();
  // A folder of the benchmark's own.
  const std::string& folder() const { return folder_.path(); }
  StatusOr<v1::AddStoreResponse> Invite(const std::string& store);
  // Invites and enrols a store, as an agent would.
  StatusOr<TlsIdentity> Enrol(const std::string& store);
  // Stores a plan with `length` parameters and submits it: cohorts of exactly `stores`.
  Status PrepareJob(uint64_t length, uint32_t stores, uint32_t rounds);
  Status SubmitJob(const std::string& job = "bench");
  StatusOr<v1::Overview> Overview();
  StatusOr<v1::ListJobsResponse> Jobs();
  // Bytes of the encoded weights.
  uint64_t weights_size() const { return weights_size_; }

 private:
  Headquarters() = default;
  std::string ConfigPath() const { return folder() + "/coordinator.toml"; }
  Status MakeChain();
  Status EnrolStores(uint32_t count);
  Status PutBlob(std::string_view bytes);

  ScratchFolder folder_;
  std::string identity_;
  std::vector<TlsIdentity> stores_;
  std::unique_ptr<Child> coordinator_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  v1::SubmitJobRequest job_;
  uint64_t weights_size_ = 0;
};

}  // namespace aisle

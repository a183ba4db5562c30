// A whole coordinator on one thread in virtual time: real rounds, real blobs and spools on disk, state in memory that
// can lose power. Stores are scripted: each has a real certificate and a vector of integers it always sends.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/identity/authority.h"
#include "coordinator/catalog/memory_state_store.h"
#include "coordinator/driver/coordinator.h"
#include "tests/coordinator-driver/sum_part.h"
#include "tests/storage/temporary_folder.h"

namespace prometheus {
class Registry;
}

namespace aisle::test {

// What a plan under test says beside its shape: two trainable numbers and one metric.
struct PlanTerms {
  uint32_t cohort_min = 2;
  uint32_t cohort_target = 3;
  std::string server = "optimizer = \"fedavg\"";
  std::string tables = "sales";
  bool secure_sum = false;
  std::string privacy = "";  // More lines of [privacy].
};

class ScriptedStore;

class Headquarters {
 public:
  explicit Headquarters(const CoordinatorPolicy& policy = {});
  ~Headquarters();

  // The process dies and a new one starts over what was durable: unsynced state is lost too if `power`.
  void Restart(bool power = false);
  Coordinator& coordinator() { return *coordinator_; }
  ManualExecutor& executor() { return executor_; }
  MemoryStateStore& state() { return state_; }
  BlobStore& blobs() { return *blobs_; }
  std::string blob_folder() const { return folder_.File("blobs"); }

  // A signed plan in the blob store, ready to be submitted.
  Submission PlanFor(const std::string& job, uint32_t rounds, const PlanTerms& terms = {});
  StatusOr<JobRecord> Submit(const Submission& submission);
  JobRecord Job(const std::string& job);
  std::vector<ModelRecord> Models(const std::string& job);
  std::vector<RoundRecord> Rounds(const std::string& job);
  // The weights of the latest model, as stored.
  std::string LatestWeights(const std::string& job);

  struct Enrolled {
    Certificate certificate;
    std::shared_ptr<const KeyPair> key;
  };
  Enrolled Enrol(const std::string& store);
  std::string root_pem() const { return authority_->root_pem(); }
  // Runs what is due now, and lets `by` pass.
  void Advance(absl::Duration by = absl::ZeroDuration());

 private:
  void Start();

  const CoordinatorPolicy policy_;
  TemporaryFolder folder_;
  ManualExecutor executor_;
  MemoryStateStore state_;
  SecureRandom random_;
  std::unique_ptr<BlobStore> blobs_;
  std::unique_ptr<CertificateAuthority> authority_;
  std::unique_ptr<SigningKey> plan_key_;
  secagg::Credentials credentials_;
  std::shared_ptr<prometheus::Registry> registry_;
  std::unique_ptr<CoordinatorMetrics> metrics_;
  std::unique_ptr<Coordinator> coordinator_;
};

// Plays a store's part, one call at a time.
class ScriptedStore {
 public:
  ScriptedStore(Headquarters& headquarters, const std::string& name);

  const StoreId& id() const { return id_; }
  const Certificate& certificate() const { return certificate_; }
  const KeyPair& key() const { return *key_; }
  // Calls with a fresh certificate and key from now on; cohorts that it is in go on under the one before.
  void Renew();
  // The answer, if it has come; held calls answer later, into answer().
  void CheckIn(StoreStanding standing = StoreStanding::kIdle, std::optional<RoundId> round = std::nullopt);
  const std::optional<StatusOr<Instruction>>& answer() const { return *answer_; }
  template <typename Kind>
  const Kind* Got() const {
    if (!*answer_ || !(*answer_)->ok()) return nullptr;
    return std::get_if<Kind>(&***answer_);
  }
  // Trains, that is: reports the vector of `value`s for the round.
  Status Report(const RoundId& round, int32_t value);
  Status Refuse(const RoundId& round, RefusalReason reason);
  Status Upload(const RoundId& round);
  // The same in two halves: a stream that has brought all bytes, and its end.
  struct Stream {
    UploadHeader header;
    aisle::Upload upload;
  };
  StatusOr<Stream> BeginUpload(const RoundId& round) { return BeginSending(round, vector_); }
  Status EndUpload(Stream stream);
  // A step of the secure sum, and the upload masked with what the inbox says.
  Status TakeStep(const Instruction& instruction);
  Status Say(const SumReport& report);
  Status UploadMasked(const CollectInstruction& collect);

  // One check-in and what it asks for. False if nothing is asked for right now.
  bool Step();
  // Steps until nothing more is asked for.
  void Play();

  std::vector<TableName> tables = {*TableName::Parse("sales")};
  std::vector<Digest> declined;
  bool willing = true;
  std::optional<LedgerClaim> ledger;
  std::optional<LedgerHead> acknowledged;  // As the latest answer said.
  int32_t value = 1000;
  size_t metric_slots = 1;                                     // Of the plan.
  std::function<void(const Instruction&, SumReport&)> tamper;  // With what it says in the secure sum.
  bool secure_sum = false;                                     // What the plan says of it …
  uint32_t cohort_min = 2;                                     // … and of the smallest cohort.
  std::vector<RoundClosed> closed;

 private:
  Headquarters& headquarters_;
  ScriptedStore(Headquarters& headquarters, const std::string& name, Headquarters::Enrolled enrolled);
  Status Send(const RoundId& round, const std::string& vector);
  StatusOr<Stream> BeginSending(const RoundId& round, const std::string& vector);
  StoreId id_;
  Certificate certificate_;
  std::shared_ptr<const KeyPair> key_;
  SumPart sum_;
  Digest plan_;
  using Answer = std::optional<StatusOr<Instruction>>;
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>();  // Each call's own: a late one writes into the past.
  StoreStanding standing_ = StoreStanding::kIdle;
  std::optional<RoundId> round_;
  std::string vector_;
  uint64_t calls_ = 0;
};

}  // namespace aisle::test

// Headquarters in one place: it owns every job and round, answers every store, and lets nothing be said before it is
// written down. The story is split by concept:
//   coordinator.cc  start and restart
//   callers.cc      who calls: which store a certificate stands for, and how it gets one
//   check_ins.cc    what each store is told
//   transfers.cc    what stores fetch and send in pieces
//   sum_steps.cc    the secure sum's steps: what is asked of stores, what is believed of their answers
//   rounds.cc       opening, committing and closing rounds
//   absent.cc       who takes no part in a round, and why
//   jobs.cc         what the data team asks
#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/identity/authority.h"
#include "base/identity/signing.h"
#include "base/random.h"
#include "coordinator/backup/restoration.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/catalog/state_store.h"
#include "coordinator/driver/group_commit.h"
#include "coordinator/driver/pace.h"
#include "coordinator/driver/round_driver.h"
#include "coordinator/driver/waiting_room.h"
#include "coordinator/enrolment/enrolment_desk.h"
#include "coordinator/enrolment/house_identity.h"
#include "coordinator/explain/absence.h"
#include "coordinator/jobs/job_plan.h"
#include "coordinator/jobs/job_queue.h"
#include "coordinator/jobs/publication.h"
#include "coordinator/metrics/coordinator_metrics.h"
#include "coordinator/stores/store_book.h"
#include "coordinator/uploads/fold_line.h"
#include "coordinator/uploads/upload_spool.h"
#include "privacy/secagg/trust.h"
#include "proto/convert/fleet.h"

namespace aisle {

struct CoordinatorPolicy {
  PacePolicy pace;
  EnrolmentPolicy enrolment;
  absl::Duration presence_window = absl::Minutes(2);  // A store heard of within this is expected to come again.
  absl::Duration turn_wait = absl::Milliseconds(40);  // A full round waits so long for stores that served less.
  absl::Duration restart_grace =
      absl::Seconds(90);  // To find a coordinator that restarted: over a store's longest back-off.
  absl::Duration reopen_min = absl::Milliseconds(500);  // After an aborted round, doubled each time …
  absl::Duration reopen_max = absl::Minutes(10);        // … up to here.
  uint32_t aborts_in_a_row_max = 20;                    // Then the job has failed; rounds nobody came to don't count.
  size_t jobs_max = 64;                                 // Active at once.
};

// A job that isn't over.
struct ActiveJob {
  JobRecord record;
  std::shared_ptr<const JobPlan> plan;  // Shared with the workshop.
  BlobName weights;                     // That training goes on from.
  BlobName published;                   // As the latest version: the same, or a mean over rounds.
  double clip_norm = 0;                 // Of the next round, where it adapts; 0: the plan's.
  uint64_t stores_served = 0;
  std::unique_ptr<RoundDriver> round;  // Null between rounds.
  std::shared_ptr<UploadSpool> spool;  // Of `round`; sessions may outlive it.
  std::unique_ptr<FoldLine> folds;
  std::optional<RosterHead> roster;  // Of the present cohort of the secure sum, signed.
  Executor::TimerId reopen = 0;
  uint32_t pauses_in_a_row = 0;  // After aborted rounds, since one was committed; a restart forgets them.
  absl::Time phase_began;
  std::vector<double> round_seconds;  // Of committed rounds since this program began.
};

// What an upload stream holds on to.
struct Upload {
  std::shared_ptr<UploadSpool> spool;  // Outlives the session.
  std::unique_ptr<UploadSession> session;
};

// Every public function may be called from any thread; callbacks come on the coordinator's executor.
class Coordinator {
 public:
  struct Parts {
    Executor& executor;  // The coordinator's own.
    Executor& workshop;  // Where sums become models: long computations, one after another.
    StateStore& state;
    BlobStore& blobs;
    std::string spool_folder;
    const CertificateAuthority& authority;  // Until ChangeIdentity says otherwise, as are the credentials.
    std::vector<VerifyKey> plan_keys;
    RandomSource& random;  // Used on the executor only.
    CoordinatorMetrics& metrics;
    secagg::Credentials credentials;  // The coordinator's own: signs the rosters of the secure sum.
  };
  template <typename T>
  using Reply = std::function<void(StatusOr<T>)>;
  struct CheckInAnswered {
    Instruction instruction;
    std::optional<LedgerHead> ledger;  // The last head of the store's privacy ledger that is known here.
  };
  using Done = std::function<void(const Status&)>;

  Coordinator(Parts parts, CoordinatorPolicy policy);
  // Call Stop and drain the executors first.
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  // Resumes every open job and round. Call once, on the executor, before serving.
  Status Start();
  // Answers whoever waits; accepts nothing more.
  void Stop();

  // From now on certificates are issued, callers' statements believed and rosters signed by this.
  void ChangeIdentity(std::shared_ptr<const HouseIdentity> identity);

  // ---- Stores. Every call but Enrol first asks whether the certificate's key is still the store's.
  void Enrol(std::string code, std::string csr_pem, Reply<EnrolmentDesk::Enrolled> reply);
  void Renew(Certificate caller, std::string csr_pem, Reply<Certificate> reply);
  void RenewLate(std::string ended_pem, std::string csr_pem, std::string proof, Reply<Certificate> reply);
  void AnswerCheckIn(Certificate caller, uint64_t call, CheckIn check_in, Reply<CheckInAnswered> reply);
  void HangUp(Certificate caller, uint64_t call);
  void Report(Certificate caller, OutcomeReport report, Done done);
  // A step of the secure sum (sum_steps.cc). OK: it is in the round, durably. Unauthenticated: a signature in it isn't
  // the store's.
  void TakeStep(Certificate caller, SumReport report, Done done);
  void OpenBlob(Certificate caller, Digest blob, Reply<std::shared_ptr<const BlobReader>> reply);
  void CountDownload(StoreId store, uint64_t bytes);
  void FindUpload(Certificate caller, RoundId round, Digest update, Reply<UploadStatus> reply);
  void BeginUpload(Certificate caller, UploadHeader header, Reply<Upload> reply);
  // After the session said complete. OK: the update is in the round, durably.
  void AcceptUpload(Certificate caller, UploadHeader header, Done done);
  // A stream of the store is open: `cut` is called, on the executor, if the store is revoked before EndTransfer.
  uint64_t BeginTransfer(StoreId store, std::function<void(const Status& why)> cut);
  // `ended` runs on the executor, after the last call of `cut`.
  void EndTransfer(uint64_t transfer, std::function<void()> ended);

  // ---- The data team (jobs.cc).
  void Submit(Submission submission, Reply<JobRecord> reply);
  void Cancel(JobId job, std::string reason, Reply<JobRecord> reply);
  void Invite(StoreId store, std::optional<absl::Duration> code_lifetime, Reply<IssuedCode> reply);
  void Revoke(StoreId store, std::string reason, Reply<StoreRecord> reply);
  void Reinstate(StoreId store, Reply<StoreRecord> reply);
  // Runs `look` on the executor: the one way to read what follows.
  void Read(std::function<void(const Coordinator&)> look);
  // Calls `changed` on the executor after every change of the job, until Unwatch.
  uint64_t Watch(JobId job, std::function<void()> changed);
  void Unwatch(uint64_t watch);

  // ---- Only within Read.
  const StateStore& state() const { return parts_.state; }
  const StoreBook& stores() const { return stores_; }
  const std::map<JobId, ActiveJob>& jobs() const { return jobs_; }
  size_t waiting() const { return waiting_.size(); }
  // All that stores are to trust. Also within the callbacks of Enrol, Renew and Invite.
  const std::string& roots_pem() const;
  BlobStore& blobs() const { return parts_.blobs; }
  const std::vector<VerifyKey>& plan_keys() const { return parts_.plan_keys; }
  absl::Time now() const { return parts_.executor.Now(); }
  // absent.cc: what is known of a store this moment; `latest` is valid within this Read. And the round that it works
  // for, if it does for one that is open.
  StoreAtHand AtHand(const StoreRecord& store) const;
  std::optional<RoundId> WorksFor(const StoreId& store) const;
  static Opening OpeningOf(const ActiveJob& job);
  static bool IsLeftOut(const ActiveJob& job, const StoreId& store);
  const CoordinatorPolicy& policy() const { return policy_; }

 private:
  // absent.cc
  std::vector<AbsentStores> AbsentFrom(const ActiveJob& job, const std::set<StoreId>& offered) const;

  // callers.cc
  Status CanAnswer() const;
  StatusOr<StoreId> AdmitCaller(const Certificate& caller);
  StatusOr<StoreId> RecogniseCaller(const Certificate& caller);
  void CutOff(const StoreId& store, const Status& why);

  // check_ins.cc
  ComeBack ComeBackLater();
  void OnCheckIn(const StoreId& store, uint64_t call, CheckIn check_in, WaitingRoom::Reply reply);
  std::optional<Instruction> InstructionFor(const StoreId& store, const CheckIn& check_in) const;
  std::optional<Instruction> InstructionInRound(const StoreId& store, const ActiveJob& job,
                                                StoreStanding standing) const;
  TrainInstruction TrainingTask(const ActiveJob& job, absl::Time deadline) const;
  Instruction ClosedRound(const StoreId& store, const RoundId& round) const;
  void AnswerIfDue(const StoreId& store);
  bool IsBusy(const StoreId& store) const;
  void Offer(const StoreId& store, const CheckIn& check_in);
  void OfferWaiting(const RoundId& opened);

  // transfers.cc
  bool IsFetchable(const Digest& blob) const;

  // sum_steps.cc
  Status CheckSaid(const Certificate& caller, const ActiveJob& job, const StoreId& store,
                   const SumReport& report) const;
  std::optional<Instruction> StepFor(const StoreId& store, const ActiveJob& job) const;
  void SignRoster(ActiveJob& job);

  // rounds.cc
  void OpenRound(ActiveJob& job);
  void OpenRoundAfter(ActiveJob& job, absl::Duration pause);
  RoundDriver::House HouseOf(const JobId& job);
  Status OpenSpool(ActiveJob& job, const RoundId& round);
  std::string SpoolFolder(const RoundId& round) const;
  void OnRoundChanged(ActiveJob& job, PhaseName before, PhaseName now);
  void ApplySum(ActiveJob& job, const aisle::ApplySum& apply);
  void LeaveOut(ActiveJob& job, const StoreId& store, const std::string& why);
  void Publish(ActiveJob& job, const RoundId& round, const std::vector<StoreId>& survivors, NextModel next);
  void OnRoundClosed(ActiveJob& job);
  void EndJob(ActiveJob& job, JobState state, std::string reason);

  // coordinator.cc
  const CertificateAuthority& issuer() const { return identity_ == nullptr ? parts_.authority : *identity_->issuer; }
  Status Load();
  Status LoadJob(const JobRecord& record, const std::optional<RoundId>& open);
  void ReloadAfter(const Status& lost);
  ActiveJob* FindRound(const RoundId& round);
  const ActiveJob* FindRound(const RoundId& round) const;
  Status RoundGone(const RoundId& round) const;
  void NotifyWatchers(const JobId& job);

  Parts parts_;
  CoordinatorPolicy policy_;
  std::shared_ptr<const HouseIdentity> identity_;  // Null: as in the parts.
  GroupCommit commit_;
  StoreBook stores_;
  EnrolmentDesk desk_;
  WaitingRoom waiting_;
  std::map<JobId, ActiveJob> jobs_;
  // By folder, as long as somebody has one: streams go on while the rest goes back to what is durable, and two spools
  // of one folder would write over each other.
  std::map<std::string, std::weak_ptr<UploadSpool>> spools_;
  std::optional<Restored> restored_;  // The latest restoration from a backup, if there ever was one.
  struct Watcher {
    JobId job;
    std::function<void()> changed;
  };
  std::map<uint64_t, Watcher> watchers_;
  std::atomic<uint64_t> last_watch_ = 0;
  struct Transfer {
    StoreId store;
    std::function<void(const Status&)> cut;
  };
  std::map<uint64_t, Transfer> transfers_;
  std::atomic<uint64_t> last_transfer_ = 0;
  bool stopping_ = false;
  bool lost_ = false;  // The state couldn't be read: until it is, nothing is said of any round or job.
};

}  // namespace aisle

// A chain in virtual time: headquarters' real identity keeper, enrolment desk and store book; stores with their real
// membership files and certificate keepers. Only TLS is played: a handshake asks of both certificates what TLS would,
// by each side's own clock.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "base/executor.h"
#include "base/identity/trusted_roots.h"
#include "base/random.h"
#include "coordinator/catalog/memory_state_store.h"
#include "coordinator/enrolment/enrolment_desk.h"
#include "coordinator/enrolment/identity_keeper.h"
#include "coordinator/stores/store_book.h"
#include "store-agent/program/certificate_keeper.h"
#include "tests/storage/temporary_folder.h"

namespace aisle::test {

class PlayedHeadquarters {
 public:
  explicit PlayedHeadquarters(ManualExecutor& clock);

  ChainPaths paths() const { return {folder_.File("chain")}; }
  const HouseIdentity& identity() const { return *keeper_->present(); }
  absl::Time now() const { return clock_.Now(); }
  void Tend();  // As the coordinator does every few minutes.
  void Restart();
  std::string InvitationFor(const std::string& store, const std::string& path);

  // The client's half and the server's half of a handshake, both if it shows a certificate. Unavailable if either
  // fails.
  Status Greet(const std::string& client_roots, absl::Time client_now, const Certificate* client);
  EnrolmentDesk& desk() { return *desk_; }
  EnrolAnswer AnswerWith(const Certificate& certificate) const;

  bool reachable = true;

 private:
  Status CheckUnder(const std::string& roots, const Certificate& certificate, absl::Time now);

  const TemporaryFolder folder_;
  ManualExecutor& clock_;
  SecureRandom random_;
  MemoryStateStore state_;
  StoreBook book_{state_, clock_};
  std::unique_ptr<IdentityKeeper> keeper_;
  std::shared_ptr<const HouseIdentity> shown_;
  std::unique_ptr<EnrolmentDesk> desk_;
  std::unordered_map<std::string, TrustedRoots::Span> checked_;  // By roots and certificate: signatures cost a lot.
};

// A clock that is some way off and runs too fast or too slow.
class OwnClock final : public Clock {
 public:
  OwnClock(const Clock& truth, absl::Duration off, double drift)
      : truth_(truth), began_(truth.Now()), off_(off), drift_(drift) {}
  absl::Time Now() const override { return truth_.Now() + off_ + drift_ * (truth_.Now() - began_); }
  void Set(absl::Duration off) {
    began_ = truth_.Now();
    off_ = off;
  }

 private:
  const Clock& truth_;
  absl::Time began_;
  absl::Duration off_;
  const double drift_;
};

class PlayedStore final : public FleetLink {
 public:
  PlayedStore(PlayedHeadquarters& headquarters, std::string name, std::string folder, OwnClock& clock);

  // Takes up what is on its disk; joins by the invitation if there is nothing.
  Status Start(const std::string& invitation = "");
  // What an agent does again and again: looks after its certificate, then asks for work.
  Status CheckIn();
  const Certificate& certificate() const { return shown_->certificate; }
  const std::string& roots_pem() const { return shown_->ca_pem; }

  bool loses_answers = false;  // Of renewals, on their way back.
  std::set<Digest> keys;       // All that it ever showed.
  int late_renewals = 0;

 private:
  StatusOr<CheckInAnswer> AskForWork(const aisle::CheckIn& check_in, std::stop_token stop) override;
  StatusOr<EnrolAnswer> Renew(const std::string& csr_pem) override;
  StatusOr<EnrolAnswer> RenewLate(const LateRenewal& renewal) override;
  Status Report(const RoundId&, const TaskOutcome&, std::stop_token) override { return Unasked(); }
  Status Fetch(const BlobName&, uint64_t, const Sink&, std::stop_token) override { return Unasked(); }
  StatusOr<UploadStatus> AskUploadStatus(const RoundId&, const Digest&, std::stop_token) override { return Unasked(); }
  StatusOr<UploadStatus> Upload(const UploadHeader&, const Source&, std::stop_token) override { return Unasked(); }
  Status SumStep(const SumReport&, std::stop_token) override { return Unasked(); }
  static Status Unasked() { return Unimplemented("nobody asks for it here"); }
  Status Show(const TlsIdentity& identity);
  StatusOr<EnrolAnswer> Delivered(StatusOr<Certificate> certificate) const;

  PlayedHeadquarters& headquarters_;
  const std::string name_;
  const std::string folder_;
  OwnClock& clock_;
  SecureRandom random_;
  AgentMetrics metrics_;
  std::optional<TlsIdentity> shown_;
  std::unique_ptr<CertificateKeeper> keeper_;
};

}  // namespace aisle::test

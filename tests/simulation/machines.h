// The two kinds of machines of a world: headquarters' and the stores'. A machine has a disk and a clock that outlast
// its processes; the process on it is the real program's parts, put together anew over the disk at every start.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fleet.h"
#include "base/identity/authority.h"
#include "base/identity/signing.h"
#include "base/identity/tls_identity.h"
#include "coordinator/catalog/memory_state_store.h"
#include "coordinator/driver/coordinator.h"
#include "store-agent/ledger/ledger_file.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/process.h"

namespace aisle::simulation {

class World;

class Machine {
 public:
  Machine(World& world, const std::string& name);
  virtual ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const std::string& name() const { return name_; }
  Disk& disk() { return disk_; }
  MachineClock& clock() { return clock_; }
  bool running() const { return process_ != nullptr; }

  // A new process over the disk. Nothing if one runs. If the disk doesn't let it start, tries again in a while, as an
  // init system does.
  void Start();
  // Kill -9. Nothing if none runs.
  void Kill();
  // The same, and the disk forgets what wasn't synced.
  void LosePower();
  // A sync has failed: the program ends where it stands, and its supervisor starts it anew.
  void LoseDurability();
  // Kills the process, or cuts the power, at the `nth` change of its disk from now on (1: the next), before it happens.
  void DieAtChange(uint64_t nth, bool power);

 protected:
  virtual Status Boot() = 0;        // Builds what runs, on process().
  virtual void Bury() = 0;          // Destroys it; the process has died.
  virtual void ForgetUnsynced() {}  // Beside the disk.
  // A change of something durable that isn't on the disk is about to happen. False: it mustn't, the process is dead.
  bool BeforeChange();
  Process& process() { return *process_; }
  World& world() const { return world_; }

 private:
  void EndProcess();
  void CountDown();
  World& world_;
  const std::string name_;
  Disk disk_;
  MachineClock clock_;
  std::unique_ptr<Process> process_;
  uint64_t changes_left_ = 0;  // Until it dies; 0: it doesn't.
  bool power_ = false;         // When it dies, so.
};

// The coordinator's state: MemoryStateStore, which asks the machine before it commits and tells the checks after.
class HeadquartersMachine final : public Machine {
 public:
  explicit HeadquartersMachine(World& world);
  ~HeadquartersMachine() override;

  // Null while it is down.
  Coordinator* coordinator();
  const StateStore& state() const;
  uint64_t commits() const { return commits_; }  // Of the state, so far.
  // While it runs, before anything goes wrong. Enrols a store as the program would, but over no network.
  TlsIdentity Enrol(const StoreId& store);
  void SubmitJob();  // The scenario's, under the id job().
  const JobId& job() const { return job_; }
  const JobPlan& plan() const;
  const std::string& initial_weights() const;  // The blob.
  const SigningKey& plan_key() const;
  const CertificateAuthority& authority() const;
  // The next `count` commits of the state store fail with that.
  void FailCommits(Status failure, size_t count);

 private:
  struct Lasting;
  struct Running;
  Status Boot() override;
  void Bury() override;
  void ForgetUnsynced() override;
  const JobId job_;
  uint64_t commits_ = 0;
  std::unique_ptr<Lasting> lasting_;
  std::unique_ptr<Running> running_;
};

class StoreMachine final : public Machine {
 public:
  StoreMachine(World& world, const StoreId& id);
  ~StoreMachine() override;

  const StoreId& id() const { return id_; }
  // Null while it is down.
  const LedgerFile* ledger() const;
  // Whether the site lets it take tasks: what its hours do.
  void SetWilling(bool willing);
  // The identity that its next process starts with; the present one, if it runs, keeps its own.
  void SetIdentity(TlsIdentity identity);
  const Certificate& certificate() const;
  SpendingCaps caps() const;  // Of its site policy.

 private:
  struct Running;
  Status Boot() override;
  void TellSpooled();
  void Work();
  void Bury() override;
  const StoreId id_;
  std::optional<TlsIdentity> identity_;
  bool willing_ = true;
  std::unique_ptr<Running> running_;
};

}  // namespace aisle::simulation

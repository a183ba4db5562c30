// What must hold at every moment of every world, whatever goes wrong in it. A check sees what happens as it happens,
// and calls World::Fail where it mustn't.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/fleet.h"
#include "coordinator/catalog/state_change.h"
#include "tests/simulation/network.h"

namespace aisle::simulation {

class World;

// A finished vector was made durable in a store's spool: noised, and unmasked.
struct Released {
  StoreId store;
  RoundId round;
  BlobName update;
  std::span<const uint32_t> values;
};
// It was masked for a cohort.
struct Masked {
  StoreId store;
  RoundId round;
  BlobName update;
  BlobName masked;
};

class Check {
 public:
  virtual ~Check() = default;
  virtual std::string_view name() const = 0;
  virtual void OnSent(World&, const Sent&) {}
  virtual void OnReleased(World&, const Released&) {}
  virtual void OnMasked(World&, const Masked&) {}
  // Headquarters' state has changed, durably or (buffered) nearly so.
  virtual void OnCommitted(World&, const StateChange&) {}
  virtual void OnStarted(World&, const StoreId&) {}  // A store's process, anew over its disk.
  virtual void AfterEvent(World&) {}
  virtual void AtEnd(World&) {}
};

std::vector<std::unique_ptr<Check>> AllChecks();

// check_sum.cc: the committed model is that of the survivors' updates, bit for bit; nothing counts twice; nothing
//   commits below its threshold; versions only grow and never change.
std::unique_ptr<Check> SumIsTheSurvivors();
std::unique_ptr<Check> VersionsOnlyGrow();
// check_secrets.cc: nothing unmasked crosses the network; never both kinds of share of one store, nor two sets of
//   survivors in one cohort.
std::unique_ptr<Check> NothingUnmaskedIsSent();
std::unique_ptr<Check> OneKindOfShare();
// check_promises.cc: the ledger never shrinks, is never over its cap, and whatever left the store is in it.
std::unique_ptr<Check> LedgerHolds();
//   What headquarters acknowledged is still so after any restart.
std::unique_ptr<Check> PromisesAreKept();

}  // namespace aisle::simulation

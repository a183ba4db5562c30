// A cohort of real stores' sum steps, each on a disk of its own, with certificates of one chain; headquarters is played
// by the test, honestly unless it says otherwise.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/identity/authority.h"
#include "base/random.h"
#include "privacy/secagg/cohort.h"
#include "privacy/secagg/unmask.h"
#include "store-agent/sum/site_sum_steps.h"
#include "tests/storage/temporary_folder.h"

namespace aisle {

inline constexpr uint64_t kLength = 300'000;  // Coordinates: more than one piece of the spool.

RoundId SumRound();

// A chain's certificates.
class PlayedChain {
 public:
  explicit PlayedChain(std::string_view name = "northwind");
  TlsIdentity Issue(Role role, std::string_view name, absl::Duration lifetime = absl::Hours(72));
  const std::string& root_pem() const { return authority_->root_pem(); }

 private:
  SecureRandom random_;
  std::optional<CertificateAuthority> authority_;
};

// One store: what kill -9 leaves of it is its folder.
class PlayedStore {
 public:
  PlayedStore(PlayedChain& chain, std::string name);

  // Each call is a process of its own: whatever isn't on the disk is forgotten in between.
  std::variant<SumMessage, TaskEnd> Say(const agent::SumInstruction& instruction, uint32_t attempt = 1);
  std::variant<BlobName, TaskEnd> Mask(const SharesInbox& inbox);
  void Finish(uint32_t first);  // A vector of `first`, `first` + 1, ... is in the spool.
  void Renew(PlayedChain& chain) { identity_ = chain.Issue(Role::kStore, name_); }

  std::vector<uint32_t> Vector(SpooledVector which) const;
  std::string Bytes(SpooledVector which) const;
  std::string CohortPath() const { return cohorts_.PathOf(SumRound()); }
  const TlsIdentity& identity() const { return identity_; }
  const std::string& name() const { return name_; }
  StoreId id() const { return StoreId::Parse(name_).value(); }

  SitePolicy policy;
  CohortTerms terms;

 private:
  agent::TakeSumStep StepOf(const agent::SumInstruction& instruction, uint32_t attempt) const;
  SiteSumSteps Process();
  TlsIdentity Identity() const;

  const std::string name_;
  TemporaryFolder folder_;
  SystemClock clock_;
  SecureRandom random_;
  TlsIdentity identity_;
  Spool spool_ = Spool::Open(folder_.File("spool")).value();
  CohortFiles cohorts_ = CohortFiles::Open(folder_.File("cohorts")).value();
  BlobName update_;
};

// Headquarters and its stores. Each step calls for those before it.
class PlayedSum {
 public:
  explicit PlayedSum(uint32_t stores = 5);

  void Advertise(uint32_t attempt = 1);
  void Share();
  void Mask();
  // Of the stores in `dropped` headquarters says that their vectors didn't come.
  void Confirm(const std::vector<uint32_t>& dropped = {});
  void Reveal();
  std::vector<uint32_t> UnmaskedSum() const;
  std::vector<uint32_t> SurvivorsSum() const;

  ShareInstruction ShareFor(uint32_t position) const;
  ConfirmInstruction ConfirmFor() const;
  UnmaskInstruction UnmaskFor(uint32_t position) const;
  SharesInbox InboxFor(uint32_t position) const { return cohort().InboxOf(position, transcript_.dealt); }
  const secagg::Cohort& cohort() const { return *transcript_.cohort; }
  PlayedStore& store(uint32_t position) { return *stores_[position]; }
  uint32_t size() const { return static_cast<uint32_t>(stores_.size()); }
  PlayedChain& chain() { return chain_; }
  std::vector<MemberStatus>& statuses() { return transcript_.statuses; }
  const std::map<uint32_t, RevealedShares>& revealed() const { return transcript_.revealed; }

 private:
  PlayedChain chain_;
  TlsIdentity coordinator_;
  std::vector<std::unique_ptr<PlayedStore>> stores_;  // By position: their names ascend.
  uint32_t attempt_ = 1;
  secagg::Transcript transcript_;
  std::map<uint32_t, Confirmation> confirmed_;
};

template <typename T>
T Said(const std::variant<SumMessage, TaskEnd>& answer) {
  const auto* message = std::get_if<SumMessage>(&answer);
  if (message == nullptr || !std::holds_alternative<T>(*message)) {
    const auto* end = std::get_if<TaskEnd>(&answer);
    const auto* refused = end == nullptr ? nullptr : std::get_if<Refused>(end);
    throw std::runtime_error(refused == nullptr ? "the store said something else" : refused->detail);
  }
  return std::get<T>(*message);
}

// "" if it did as it was told, otherwise the reason's name.
template <typename T>
std::string EndOf(const std::variant<T, TaskEnd>& answer) {
  const auto* end = std::get_if<TaskEnd>(&answer);
  if (end == nullptr) return "";
  const auto* refused = std::get_if<Refused>(end);
  return std::string(refused != nullptr ? NameOf(refused->reason) : NameOf(std::get<Failed>(*end).reason));
}

}  // namespace aisle

// A whole cohort with one real store in it. Its other stores are made up by headquarters, which knows all of their
// secrets: seven of eight corrupt is far beyond what the protocol assumes, and what a store refuses must not depend on
// it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/identity/tls_identity.h"
#include "base/secure_sum.h"
#include "privacy/secagg/cohort.h"
#include "privacy/secagg/member.h"
#include "tests/hostile-headquarters/store_process.h"
#include "tests/hostile-headquarters/wire.h"

namespace aisle::hostile {

inline constexpr uint32_t kCohortMin = 4;  // Of the plan.

struct Setting {
  uint32_t others = 7;       // Stores beside the real one.
  std::string policy = "";   // Lines for [privacy] of the site's policy.
  std::string privacy = "";  // Lines for [privacy] of the plan.
};

class Scene {
 public:
  explicit Scene(const Setting& setting = {});

  // ---- The honest course. Each asks the real store for one step, lets the others take it too, and returns what an
  // honest headquarters would ask for next. std::runtime_error, with the reason, if the store refuses.
  void Train();  // A new round; ends with the store holding a vector.
  ShareInstruction Advertise(uint32_t attempt = 1);
  CollectInstruction Share(const ShareInstruction& share);
  // `dropped`: others whose vectors don't come.
  ConfirmInstruction Collect(const CollectInstruction& collect, const std::vector<StoreId>& dropped = {});
  UnmaskInstruction Confirm(const ConfirmInstruction& confirm);
  RevealedShares Unmask(const UnmaskInstruction& unmask);

  // What an honest headquarters is left with: the survivors' sum, unmasked. The made-up stores' vectors are all zeros.
  std::vector<uint32_t> Sum(const ConfirmInstruction& confirm, const RevealedShares& revealed);

  // ---- Lies.
  // Why the store refuses what it is told; nullopt if it does as it is told.
  std::optional<RefusalReason> RefusalOf(const Instruction& instruction);
  // The head as headquarters signs it, with the coordinator's key or another.
  RosterHead Signed(RosterHead head) const { return Signed(std::move(head), wire_.fleet().identity()); }
  static RosterHead Signed(RosterHead head, const TlsIdentity& signer);
  // A cohort of these adverts rather than of those that were sent, and what it would be told to the real store.
  ShareInstruction ShareOf(const std::vector<Advert>& adverts);
  // An advert of a made-up store: its own identity and keys, these terms.
  Advert AdvertOf(const StoreId& store, const CohortTerms& terms);
  std::vector<Advert> adverts() const;  // Of all, by position.

  // A signature over the statuses as a made-up store gives it.
  std::string SignatureOf(const StoreId& store, const std::vector<MemberStatus>& statuses);

  Wire& wire() { return wire_; }
  StoreProcess& store() { return store_; }
  const StoreId& self() const { return self_; }
  const RoundId& round() const { return round_; }
  const CohortTerms& terms() const { return terms_; }
  const secagg::Cohort& cohort() const { return *cohort_; }
  uint32_t position() const { return cohort_->PositionOf(self_).value(); }
  const std::vector<StoreId>& others() const { return names_; }
  const TlsIdentity& identity(const StoreId& store) const { return identities_.at(store); }
  const std::string& masked() const { return masked_; }  // What the store uploaded.
  // The vector that the store must never show, read from its disk.
  std::string SecretVector() const;
  TrainInstruction task() const;
  // Offers another plan from now on.
  void UsePlan(const std::string& privacy_lines);

 private:
  ShareInstruction ShareFor(uint32_t position) const;
  SharesInbox InboxFor(uint32_t position) const;
  secagg::Credentials CredentialsOf(const StoreId& store) const;
  secagg::Trust EveryoneTrusted() const;
  template <typename T>
  T Expect(Said said) const;

  Wire wire_;
  StoreId self_ = StoreId::Parse("s1").value();
  StoreProcess store_;
  std::vector<StoreId> names_;
  std::map<StoreId, TlsIdentity> identities_;
  SecureRandom random_;
  BlobName plan_;
  BlobName weights_;
  uint32_t corrupt_permille_ = 50;
  RoundId round_{.job = JobId::Parse("attack").value(), .number = 0};
  CohortTerms terms_;
  std::map<StoreId, secagg::Member> members_;
  std::map<StoreId, Advert> adverts_;
  std::shared_ptr<const secagg::Cohort> cohort_;
  std::map<uint32_t, DealtShares> dealt_;
  std::vector<MemberStatus> statuses_;
  std::string masked_;
};

}  // namespace aisle::hostile

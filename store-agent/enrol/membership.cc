#include "store-agent/enrol/membership.h"

#include <algorithm>

#include "base/clock.h"
#include "base/config.h"
#include "base/cover.h"
#include "base/identity/secret_file.h"
#include "base/identity/statement.h"
#include "base/log.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

std::string IdentityPath(const std::string& folder) { return folder + "/identity.pem"; }
std::string HeadquartersPath(const std::string& folder) { return folder + "/headquarters.toml"; }
std::string PendingPath(const std::string& folder) { return folder + "/pending.pem"; }

struct Headquarters {
  std::string coordinator;
  std::vector<VerifyKey> plan_keys;
  std::string invitation;  // Digest of the code that was used up.
};

std::string DigestOfCode(const SecretBytes& code) {
  return Sha256::Of(std::string("aisle/used-code/v1") + std::string(code.Reveal())).Hex();
}

Status SaveHeadquarters(const std::string& folder, const Headquarters& headquarters) {
  std::string keys;
  for (const VerifyKey& key : headquarters.plan_keys) keys += fmt::format("  \"{}\",\n", ToHex(key.bytes()));
  return WriteFileDurably(HeadquartersPath(folder),
                          fmt::format("# Written by aisle-agent when it joined or renewed.\n"
                                      "coordinator = \"{}\"\ninvitation = \"{}\"\nplan_keys = [\n{}]\n",
                                      headquarters.coordinator, headquarters.invitation, keys));
}

StatusOr<std::vector<VerifyKey>> PlanKeys(const std::vector<std::string>& raw) {
  if (raw.empty()) return InvalidArgument("headquarters named no key that may sign plans");
  std::vector<VerifyKey> keys;
  for (const std::string& bytes : raw) {
    AISLE_ASSIGN_OR_RETURN(VerifyKey key, VerifyKey::FromBytes(bytes));
    keys.push_back(std::move(key));
  }
  return keys;
}

StatusOr<Headquarters> LoadHeadquarters(const std::string& folder) {
  AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::ParseFile(HeadquartersPath(folder)));
  Headquarters headquarters;
  std::vector<std::string> hex;
  root.Require("coordinator", headquarters.coordinator);
  root.Read("invitation", headquarters.invitation);
  root.Require("plan_keys", hex);
  AISLE_RETURN_IF_ERROR(root.Finish());
  std::vector<std::string> raw;
  for (const std::string& text : hex) {
    AISLE_ASSIGN_OR_RETURN(std::string bytes, FromHex(text));
    raw.push_back(std::move(bytes));
  }
  AISLE_ASSIGN_OR_RETURN(headquarters.plan_keys, PlanKeys(raw));
  return headquarters;
}

// The key whose certificate was asked for and may have been given: asking again must be with the same one.
// One that is `used` already was left by a power cut after its certificate came.
StatusOr<KeyPair> PendingKey(const std::string& folder, const Digest& used = {}) {
  const std::string path = PendingPath(folder);
  if (FileExists(path)) {
    AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Load(path));
    if (key.digest() != used) return key;
  }
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Generate());
  AISLE_COVER("commit.pending_key.before");
  AISLE_RETURN_IF_ERROR(key.SaveTo(path));
  AISLE_COVER("commit.pending_key.after");
  return key;
}

// Headquarters' answer, believed only as far as it can be checked.
StatusOr<TlsIdentity> CheckAnswer(const EnrolAnswer& answer, KeyPair key, const Identity& expected, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(answer.certificate_pem));
  AISLE_RETURN_IF_ERROR(certificate.CheckMatches(key));
  // By a clock that is wrong the certificate may have ended, or not begun; that is no reason to go without one.
  const absl::Time when = std::max(certificate.not_before(), std::min(now, certificate.not_after() - absl::Seconds(1)));
  AISLE_RETURN_IF_ERROR(certificate.CheckIssuedBy(answer.ca_pem, when));
  if (certificate.identity() != expected) {
    return InvalidArgument("the certificate is for {}, not for {}", certificate.identity().Uri(), expected.Uri());
  }
  return TlsIdentity{.ca_pem = answer.ca_pem, .certificate = std::move(certificate), .key = std::move(key)};
}

StatusOr<EnrolAnswer> AskToRenew(const TlsIdentity& present, const std::string& csr, FleetLink& link, absl::Time now) {
  if (now < present.certificate.not_after()) return link.Renew(csr);
  AISLE_COVER("enrol.late_renewal");
  AISLE_ASSIGN_OR_RETURN(std::string proof, SignStatement(present.key, kLateRenewalDomain, csr));
  return link.RenewLate(
      {.csr_pem = csr, .ended_certificate_pem = present.certificate.pem(), .proof = std::move(proof)});
}

StatusOr<Membership> Keep(const std::string& folder, TlsIdentity identity, Headquarters headquarters) {
  AISLE_ASSIGN_OR_RETURN(StoreId store, StoreOf(identity.certificate.identity()));
  AISLE_COVER("commit.certificate.before");
  AISLE_RETURN_IF_ERROR(SaveHeadquarters(folder, headquarters));
  AISLE_COVER("commit.headquarters.after");
  AISLE_RETURN_IF_ERROR(SaveTlsBundle(IdentityPath(folder), identity));
  AISLE_COVER("commit.certificate.after");
  AISLE_RETURN_IF_ERROR(RemoveFile(PendingPath(folder)));
  return Membership{.store = std::move(store),
                    .coordinator = std::move(headquarters.coordinator),
                    .identity = std::move(identity),
                    .plan_keys = std::move(headquarters.plan_keys)};
}

StatusOr<Membership> Load(const std::string& folder) {
  AISLE_ASSIGN_OR_RETURN(TlsIdentity identity, LoadTlsBundle(IdentityPath(folder)));
  AISLE_ASSIGN_OR_RETURN(StoreId store, StoreOf(identity.certificate.identity()));
  AISLE_ASSIGN_OR_RETURN(Headquarters headquarters, LoadHeadquarters(folder));
  return Membership{.store = std::move(store),
                    .coordinator = std::move(headquarters.coordinator),
                    .identity = std::move(identity),
                    .plan_keys = std::move(headquarters.plan_keys)};
}

StatusOr<Membership> Join(const std::string& folder, const Invitation& invitation, const EnrolCall& call,
                          absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(KeyPair key, PendingKey(folder));
  AISLE_ASSIGN_OR_RETURN(const std::string csr, MakeCsr(key));
  AISLE_ASSIGN_OR_RETURN(const EnrolAnswer answer, call(invitation, csr));
  AISLE_ASSIGN_OR_RETURN(const Identity expected,
                         Identity::Make(invitation.chain, Role::kStore, invitation.store.str()));
  AISLE_ASSIGN_OR_RETURN(TlsIdentity identity, CheckAnswer(answer, std::move(key), expected, now));
  AISLE_ASSIGN_OR_RETURN(std::vector<VerifyKey> plan_keys, PlanKeys(answer.plan_keys));
  return Keep(folder, std::move(identity),
              {.coordinator = invitation.coordinator,
               .plan_keys = std::move(plan_keys),
               .invitation = DigestOfCode(invitation.code)});
}

}  // namespace

StatusOr<Membership> TakeUpMembership(const std::string& folder, const std::string& invitation_path,
                                      const EnrolCall& call, absl::Time now) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  const bool enrolled = FileExists(IdentityPath(folder));
  const bool invited = !invitation_path.empty() && FileExists(invitation_path);
  if (enrolled) {
    AISLE_ASSIGN_OR_RETURN(Membership membership, Load(folder));
    if (now < membership.identity.certificate.not_after()) return membership;
    AISLE_ASSIGN_OR_RETURN(const Headquarters headquarters, LoadHeadquarters(folder));
    if (!invited) return membership;
    AISLE_ASSIGN_OR_RETURN(const Invitation invitation, ReadInvitation(invitation_path));
    if (DigestOfCode(invitation.code) == headquarters.invitation) return membership;
    return Join(folder, invitation, call, now);
  }
  if (!invited) {
    return FailedPrecondition("this box has not joined a chain: {} is missing and there is no enrolment file{}{}",
                              IdentityPath(folder), invitation_path.empty() ? "" : " at ", invitation_path);
  }
  AISLE_ASSIGN_OR_RETURN(const Invitation invitation, ReadInvitation(invitation_path));
  return Join(folder, invitation, call, now);
}

StatusOr<Membership> RenewMembership(const std::string& folder, const Membership& present, FleetLink& link,
                                     absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(KeyPair key, PendingKey(folder, present.identity.key.digest()));
  AISLE_ASSIGN_OR_RETURN(const std::string csr, MakeCsr(key));
  AISLE_ASSIGN_OR_RETURN(const EnrolAnswer answer, AskToRenew(present.identity, csr, link, now));
  AISLE_ASSIGN_OR_RETURN(TlsIdentity identity,
                         CheckAnswer(answer, std::move(key), present.identity.certificate.identity(), now));
  AISLE_ASSIGN_OR_RETURN(Headquarters headquarters, LoadHeadquarters(folder));
  if (!answer.plan_keys.empty()) {
    AISLE_ASSIGN_OR_RETURN(headquarters.plan_keys, PlanKeys(answer.plan_keys));
  }
  LogInfo("the certificate of {} is renewed until {}", present.store, FormatUtc(identity.certificate.not_after()));
  return Keep(folder, std::move(identity), std::move(headquarters));
}

}  // namespace aisle

#include "tests/identity-years/played_chain.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/identity/signing.h"

namespace aisle::test {

PlayedHeadquarters::PlayedHeadquarters(ManualExecutor& clock) : clock_(clock) {
  const Status made = InitChain(
      {.folder = paths().folder, .name = *ChainName::Parse("northwind"), .server_names = {"hq"}}, clock.Now(), random_);
  EXPECT_TRUE(made.ok()) << made;
  Restart();
}

void PlayedHeadquarters::Restart() {
  keeper_ = IdentityKeeper::Open(paths(), clock_, random_).value();
  shown_ = keeper_->present();
  desk_ = std::make_unique<EnrolmentDesk>(*shown_->issuer, EnrolmentPolicy{}, book_, clock_, random_);
}

void PlayedHeadquarters::Tend() {
  const StatusOr<bool> changed = keeper_->Tend();
  ASSERT_TRUE(changed.ok()) << changed.status();
  desk_->ChangeAuthority(*keeper_->present()->issuer);
  shown_ = keeper_->present();
}

std::string PlayedHeadquarters::InvitationFor(const std::string& store, const std::string& path) {
  const StatusOr<IssuedCode> issued = desk_->Invite(*StoreId::Parse(store));
  EXPECT_TRUE(issued.ok()) << issued.status();
  const std::string code(issued->code.Reveal().Reveal());
  folder_.Write(path, fmt::format("coordinator = \"hq:7400\"\nstore = \"{}\"\nchain = \"northwind\"\ncode = \"{}\"\n"
                                  "ca_pem = '''\n{}'''\n",
                                  store, code, identity().roots_pem()));
  std::filesystem::permissions(folder_.File(path),
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return folder_.File(path);
}

Status PlayedHeadquarters::Greet(const std::string& client_roots, absl::Time client_now, const Certificate* client) {
  if (!reachable) return Unavailable("headquarters is off");
  Status seen = CheckUnder(client_roots, identity().own.certificate, client_now);
  if (seen.ok() && client != nullptr) seen = CheckUnder(identity().roots_pem(), *client, now());
  return seen.ok() ? seen : Unavailable("the handshake failed: {}", MessageOf(seen));
}

Status PlayedHeadquarters::CheckUnder(const std::string& roots, const Certificate& certificate, absl::Time now) {
  const std::string name = roots + certificate.pem();
  const auto found = checked_.find(name);
  if (found != checked_.end() && found->second.from <= now && now <= found->second.until) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(const TrustedRoots trusted, TrustedRoots::FromPem(roots));
  AISLE_ASSIGN_OR_RETURN(checked_[name], trusted.Check(certificate, now));
  return OkStatus();
}

EnrolAnswer PlayedHeadquarters::AnswerWith(const Certificate& certificate) const {
  const std::string plan_key = VerifyKey::Load(paths().plan_verify_key()).value().bytes();
  return {.certificate_pem = certificate.pem(),
          .ca_pem = identity().roots_pem(),
          .store = certificate.identity().name,
          .plan_keys = {plan_key}};
}

PlayedStore::PlayedStore(PlayedHeadquarters& headquarters, std::string name, std::string folder, OwnClock& clock)
    : headquarters_(headquarters), name_(std::move(name)), folder_(std::move(folder)), clock_(clock) {}

Status PlayedStore::Start(const std::string& invitation) {
  const EnrolCall call = [this](const Invitation& invited, const std::string& csr) -> StatusOr<EnrolAnswer> {
    AISLE_RETURN_IF_ERROR(headquarters_.Greet(invited.ca_pem, clock_.Now(), nullptr));
    AISLE_ASSIGN_OR_RETURN(const auto enrolled, headquarters_.desk().Enrol(invited.code.Reveal(), csr));
    return headquarters_.AnswerWith(enrolled.certificate);
  };
  AISLE_ASSIGN_OR_RETURN(Membership membership, TakeUpMembership(folder_, invitation, call, clock_.Now()));
  AISLE_RETURN_IF_ERROR(Show(membership.identity));
  keeper_ = std::make_unique<CertificateKeeper>(
      folder_, std::move(membership), *this, [this](const TlsIdentity& identity) { return Show(identity); }, metrics_,
      clock_, random_);
  return OkStatus();
}

Status PlayedStore::Show(const TlsIdentity& identity) {
  shown_ = {.ca_pem = identity.ca_pem, .certificate = identity.certificate, .key = identity.key.Clone()};
  keys.insert(identity.key.digest());
  return OkStatus();
}

Status PlayedStore::CheckIn() {
  keeper_->Tend();
  return AskForWork({}, {}).status();
}

StatusOr<CheckInAnswer> PlayedStore::AskForWork(const aisle::CheckIn&, std::stop_token) {
  AISLE_RETURN_IF_ERROR(headquarters_.Greet(shown_->ca_pem, clock_.Now(), &shown_->certificate));
  AISLE_RETURN_IF_ERROR(headquarters_.desk().Admit(shown_->certificate).status());
  return CheckInAnswer{.instruction = ComeBack{}, .headquarters_clock = headquarters_.now()};
}

StatusOr<EnrolAnswer> PlayedStore::Delivered(StatusOr<Certificate> certificate) const {
  AISLE_RETURN_IF_ERROR(certificate.status());
  if (loses_answers) return Unavailable("the answer was lost");
  return headquarters_.AnswerWith(*certificate);
}

StatusOr<EnrolAnswer> PlayedStore::Renew(const std::string& csr_pem) {
  AISLE_RETURN_IF_ERROR(headquarters_.Greet(shown_->ca_pem, clock_.Now(), &shown_->certificate));
  return Delivered(headquarters_.desk().Renew(shown_->certificate, csr_pem));
}

StatusOr<EnrolAnswer> PlayedStore::RenewLate(const LateRenewal& renewal) {
  ++late_renewals;
  AISLE_RETURN_IF_ERROR(headquarters_.Greet(shown_->ca_pem, clock_.Now(), nullptr));
  return Delivered(headquarters_.desk().RenewLate(renewal.ended_certificate_pem, renewal.csr_pem, renewal.proof,
                                                  headquarters_.identity().roots_pem()));
}

}  // namespace aisle::test

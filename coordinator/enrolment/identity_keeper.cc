#include "coordinator/enrolment/identity_keeper.h"

#include "base/cover.h"
#include "base/log.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

bool IsDue(const Certificate& certificate, const CertificateAuthority& issuer, absl::Time now) {
  return now >= certificate.RenewAt() || !certificate.CheckIssuedBy(issuer.root_pem(), now).ok();
}

// Where two thirds of a root's ten years are over.
absl::Time SucceedAt(const Root& root) { return root.made + (root.not_after - root.made) * 2 / 3; }

void TellOfRoots(const RootSet& roots, absl::Time now) {
  for (size_t i = 0; i < roots.roots().size(); ++i) {
    const RootStage stage = roots.StageAt(i, now);
    if (stage != RootStage::kRetired) LogInfo("root {} of the chain is {}", roots.roots()[i].generation, NameOf(stage));
  }
}

StatusOr<Certificate> LoadCertificate(const std::string& path, Role role) {
  AISLE_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kCertificateSizeMax));
  StatusOr<Certificate> certificate = Certificate::FromPem(pem);
  if (!certificate.ok()) return Annotate(certificate.status(), path);
  AISLE_RETURN_IF_ERROR(Annotate(RequireRole(certificate->identity(), role), path));
  return certificate;
}

}  // namespace

StatusOr<std::unique_ptr<IdentityKeeper>> IdentityKeeper::Open(ChainPaths paths, const Clock& clock,
                                                               RandomSource& random) {
  std::unique_ptr<IdentityKeeper> keeper(new IdentityKeeper(std::move(paths), clock, random));
  AISLE_RETURN_IF_ERROR(keeper->Tend().status());
  return keeper;
}

StatusOr<bool> IdentityKeeper::Tend() {
  const absl::Time now = clock_.Now();
  AISLE_ASSIGN_OR_RETURN(const RootSet roots, TendRoots(now));
  const std::string trusted = roots.TrustedAt(now);
  std::shared_ptr<const CertificateAuthority> issuer = present_ == nullptr ? nullptr : present_->issuer;
  if (issuer == nullptr || issuer->root_pem() != roots.IssuingAt(now).pem) {
    AISLE_ASSIGN_OR_RETURN(CertificateAuthority loaded, LoadAuthority(roots.IssuingAt(now)));
    issuer = std::make_shared<const CertificateAuthority>(std::move(loaded));
  }
  if (const Status admin = TendAdmin(*issuer, now); !admin.ok()) {
    LogWarning("the administrator's certificate could not be renewed: {}", MessageOf(admin));
  }
  const bool settled = present_ != nullptr && present_->issuer == issuer && present_->roots_pem() == trusted;
  if (settled && !IsDue(present_->own.certificate, *issuer, now)) return false;
  AISLE_ASSIGN_OR_RETURN(TlsIdentity own, TendOwn(*issuer, now));
  own.ca_pem = trusted;
  if (present_ != nullptr && !settled) TellOfRoots(roots, now);
  present_ = std::make_shared<const HouseIdentity>(HouseIdentity{.issuer = std::move(issuer), .own = std::move(own)});
  return true;
}

StatusOr<RootSet> IdentityKeeper::TendRoots(absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(RootSet roots, RootSet::Load(paths_));
  if (now >= SucceedAt(roots.roots().back()) && roots.IsSettledAt(now)) {
    AISLE_COVER("identity.root_succeeded");
    AISLE_ASSIGN_OR_RETURN(const Root next, AddRoot(paths_, now, random_));
    LogInfo("root {} of the chain comes to its end; root {} was made, and will issue from {}",
            roots.roots().back().generation, next.generation, FormatUtc(next.made + kRootOverlap));
    return RootSet::Load(paths_);
  }
  AISLE_RETURN_IF_ERROR(WriteTrustedRoots(paths_, roots, now));
  return roots;
}

// The key is written before its certificate. A power cut between the two leaves a certificate of another key, which
// says what is needed to issue the right one.
StatusOr<TlsIdentity> IdentityKeeper::TendOwn(const CertificateAuthority& issuer, absl::Time now) {
  const TlsPaths paths = paths_.coordinator();
  AISLE_ASSIGN_OR_RETURN(Certificate certificate, LoadCertificate(paths.certificate, Role::kCoordinator));
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Load(paths.key));
  const bool torn = !certificate.CheckMatches(key).ok();
  if (torn || IsDue(certificate, issuer, now)) {
    if (!torn) {
      AISLE_ASSIGN_OR_RETURN(key, KeyPair::Generate());
      AISLE_RETURN_IF_ERROR(key.SaveTo(paths.key));
      AISLE_COVER("identity.own_renewed");
    }
    AISLE_ASSIGN_OR_RETURN(std::vector<std::string> names, certificate.ServerNames());
    AISLE_ASSIGN_OR_RETURN(certificate,
                           issuer.Issue(key, {certificate.identity(), kCoordinatorLifetime, names}, now, random_));
    AISLE_RETURN_IF_ERROR(WriteFileDurably(paths.certificate, certificate.pem(), 0644));
    LogInfo("the coordinator's certificate is renewed until {}", FormatUtc(certificate.not_after()));
  }
  return TlsIdentity{.ca_pem = issuer.root_pem(), .certificate = std::move(certificate), .key = std::move(key)};
}

Status IdentityKeeper::TendAdmin(const CertificateAuthority& issuer, absl::Time now) {
  const TlsPaths paths = paths_.admin();
  if (!FileExists(paths.key) || !FileExists(paths.certificate)) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, LoadCertificate(paths.certificate, Role::kAdmin));
  if (!IsDue(certificate, issuer, now)) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(const KeyPair key, KeyPair::Load(paths.key));
  AISLE_ASSIGN_OR_RETURN(const Certificate renewed,
                         issuer.Issue(key, {certificate.identity(), kAdminLifetime, {}}, now, random_));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(paths.certificate, renewed.pem(), 0644));
  LogInfo("the certificate of administrator '{}' is renewed until {}", certificate.identity().name,
          FormatUtc(renewed.not_after()));
  return OkStatus();
}

}  // namespace aisle

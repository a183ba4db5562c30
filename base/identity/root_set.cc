#include "base/identity/root_set.h"

#include "base/clock.h"
#include "base/identity/openssl.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr uint32_t kGenerationsMax = 1000;

StatusOr<Root> LoadRoot(const ChainPaths& paths, uint32_t generation) {
  Root root{.generation = generation, .certificate_path = paths.ca(generation), .key_path = paths.ca_key(generation)};
  AISLE_ASSIGN_OR_RETURN(root.pem, ReadFile(root.certificate_path, kCertificateSizeMax));
  const auto certificates = openssl::ParseCertificates(root.pem);
  if (!certificates.ok()) return Annotate(certificates.status(), root.certificate_path);
  if (certificates->size() != 1 || X509_check_ca(certificates->front().get()) != 1) {
    return InvalidArgument("{} does not hold one root certificate", root.certificate_path);
  }
  const X509* const x509 = certificates->front().get();
  root.made = openssl::FromAsn1(X509_get0_notBefore(x509)) + kBackdating;
  root.not_after = openssl::FromAsn1(X509_get0_notAfter(x509));
  return root;
}

}  // namespace

std::string_view NameOf(RootStage stage) {
  switch (stage) {
    case RootStage::kAnnounced:
      return "announced";
    case RootStage::kIssuing:
      return "issuing";
    case RootStage::kHonoured:
      return "honoured";
    case RootStage::kRetired:
      return "retired";
  }
  return "unknown";
}

StatusOr<RootSet> RootSet::Load(const ChainPaths& paths) {
  std::vector<Root> roots;
  for (uint32_t generation = 1; generation == 1 || FileExists(paths.ca(generation)); ++generation) {
    if (generation > kGenerationsMax) return InvalidArgument("{} has over {} roots", paths.folder, kGenerationsMax);
    AISLE_ASSIGN_OR_RETURN(roots.emplace_back(), LoadRoot(paths, generation));
  }
  return RootSet(std::move(roots));
}

absl::Time RootSet::IssuesFrom(size_t index) const {
  return index == 0 ? roots_[0].made : roots_[index].made + kRootOverlap;
}

absl::Time RootSet::RetiredFrom(size_t index) const {
  return index + 1 == roots_.size() ? absl::InfiniteFuture() : IssuesFrom(index + 1) + kRootOverlap;
}

RootStage RootSet::StageAt(size_t index, absl::Time now) const {
  if (index > 0 && now < IssuesFrom(index)) return RootStage::kAnnounced;
  if (index + 1 == roots_.size() || now < IssuesFrom(index + 1)) return RootStage::kIssuing;
  return now < RetiredFrom(index) ? RootStage::kHonoured : RootStage::kRetired;
}

const Root& RootSet::IssuingAt(absl::Time now) const {
  size_t index = roots_.size() - 1;
  while (index > 0 && StageAt(index, now) != RootStage::kIssuing) --index;
  return roots_[index];
}

std::string RootSet::TrustedAt(absl::Time now) const {
  std::string pem;
  for (size_t i = 0; i < roots_.size(); ++i) {
    if (StageAt(i, now) != RootStage::kRetired) pem += roots_[i].pem;
  }
  return pem;
}

bool RootSet::IsSettledAt(absl::Time now) const {
  const size_t last = roots_.size() - 1;
  return StageAt(last, now) == RootStage::kIssuing && (last == 0 || StageAt(last - 1, now) == RootStage::kRetired);
}

StatusOr<CertificateAuthority> LoadAuthority(const Root& root) {
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Load(root.key_path));
  StatusOr<CertificateAuthority> authority = CertificateAuthority::FromPem(root.pem, std::move(key));
  if (!authority.ok()) return Annotate(authority.status(), root.certificate_path);
  return authority;
}

StatusOr<Root> AddRoot(const ChainPaths& paths, absl::Time now, RandomSource& random) {
  AISLE_ASSIGN_OR_RETURN(const RootSet roots, RootSet::Load(paths));
  if (!roots.IsSettledAt(now)) {
    const size_t last = roots.roots().size() - 1;
    return FailedPrecondition(
        "the chain is changing its roots already: root {} was made at {}; another can follow from {}",
        roots.roots()[last].generation, FormatUtc(roots.roots()[last].made),
        FormatUtc(roots.IssuesFrom(last) + kRootOverlap));
  }
  AISLE_ASSIGN_OR_RETURN(const CertificateAuthority present, LoadAuthority(roots.IssuingAt(now)));
  const auto generation = static_cast<uint32_t>(roots.roots().size()) + 1;
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Generate());
  // The key first: a root begins to be one with its certificate.
  AISLE_RETURN_IF_ERROR(key.SaveTo(paths.ca_key(generation)));
  AISLE_ASSIGN_OR_RETURN(const CertificateAuthority next,
                         CertificateAuthority::Create(present.chain(), std::move(key), now, random));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(paths.ca(generation), next.root_pem(), 0644));
  AISLE_ASSIGN_OR_RETURN(const RootSet now_there, RootSet::Load(paths));
  AISLE_RETURN_IF_ERROR(WriteTrustedRoots(paths, now_there, now));
  return now_there.roots().back();
}

Status WriteTrustedRoots(const ChainPaths& paths, const RootSet& roots, absl::Time now) {
  const std::string trusted = roots.TrustedAt(now);
  const StatusOr<std::string> written = ReadFile(paths.roots(), kRootsSizeMax);
  if (written.ok() && *written == trusted) return OkStatus();
  if (!written.ok() && roots.roots().size() == 1) return OkStatus();  // ca.pem says it all.
  return WriteFileDurably(paths.roots(), trusted, 0644);
}

}  // namespace aisle

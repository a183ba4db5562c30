#include "base/identity/chain_folder.h"

#include "base/identity/secret_file.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

struct NewFile {
  std::string path;
  SecretBytes content;  // Of public files too: one way to write them all.
  bool secret;
};

StatusOr<NewFile> PublicFile(std::string path, const StatusOr<std::string>& pem) {
  if (!pem.ok()) return pem.status();
  return NewFile{std::move(path), SecretBytes::CopyOf(*pem), false};
}

StatusOr<NewFile> SecretFile(std::string path, StatusOr<SecretBytes> pem) {
  if (!pem.ok()) return pem.status();
  return NewFile{std::move(path), *std::move(pem), true};
}

// Key and certificate of one party.
Status AddParty(const TlsPaths& paths, const CertificateAuthority& authority, const CertificateTerms& terms,
                absl::Time now, RandomSource& random, std::vector<NewFile>& files) {
  AISLE_ASSIGN_OR_RETURN(const KeyPair key, KeyPair::Generate());
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, authority.Issue(key, terms, now, random));
  AISLE_ASSIGN_OR_RETURN(files.emplace_back(), SecretFile(paths.key, key.ToPem()));
  AISLE_ASSIGN_OR_RETURN(files.emplace_back(), PublicFile(paths.certificate, certificate.pem()));
  return OkStatus();
}

StatusOr<std::vector<NewFile>> MakeFiles(const NewChain& chain, absl::Time now, RandomSource& random) {
  const ChainPaths paths{chain.folder};
  std::vector<NewFile> files;
  AISLE_ASSIGN_OR_RETURN(KeyPair ca_key, KeyPair::Generate());
  AISLE_ASSIGN_OR_RETURN(files.emplace_back(), SecretFile(paths.ca_key(), ca_key.ToPem()));
  AISLE_ASSIGN_OR_RETURN(const CertificateAuthority authority,
                         CertificateAuthority::Create(chain.name, std::move(ca_key), now, random));
  AISLE_ASSIGN_OR_RETURN(files.emplace_back(), PublicFile(paths.ca(), authority.root_pem()));
  AISLE_ASSIGN_OR_RETURN(Identity coordinator, Identity::Make(chain.name, Role::kCoordinator, "coordinator"));
  AISLE_RETURN_IF_ERROR(AddParty(paths.coordinator(), authority,
                                 {std::move(coordinator), kCoordinatorLifetime, chain.server_names}, now, random,
                                 files));
  AISLE_ASSIGN_OR_RETURN(Identity admin, Identity::Make(chain.name, Role::kAdmin, "admin"));
  AISLE_RETURN_IF_ERROR(AddParty(paths.admin(), authority, {std::move(admin), kAdminLifetime, {}}, now, random, files));
  AISLE_ASSIGN_OR_RETURN(const SigningKey plan_key, SigningKey::Generate(random));
  AISLE_ASSIGN_OR_RETURN(files.emplace_back(), SecretFile(paths.plan_signing_key(), plan_key.ToPem()));
  AISLE_ASSIGN_OR_RETURN(files.emplace_back(), PublicFile(paths.plan_verify_key(), plan_key.verify_key().ToPem()));
  return files;
}

Status WriteFiles(const std::vector<NewFile>& files) {
  for (size_t i = 0; i < files.size(); ++i) {
    const NewFile& file = files[i];
    const Status written = file.secret ? WriteSecretFile(file.path, file.content)
                                       : WriteFileDurably(file.path, file.content.Reveal(), 0644);
    if (written.ok()) continue;
    for (size_t j = 0; j < i; ++j) RemoveFile(files[j].path).IgnoreError();
    return written;
  }
  return OkStatus();
}

}  // namespace

std::string ChainPaths::ca_key(uint32_t generation) const {
  return generation == 1 ? folder + "/ca.key" : fmt::format("{}/ca-{}.key", folder, generation);
}

std::string ChainPaths::ca(uint32_t generation) const {
  return generation == 1 ? folder + "/ca.pem" : fmt::format("{}/ca-{}.pem", folder, generation);
}

Status InitChain(const NewChain& chain, absl::Time now, RandomSource& random) {
  if (chain.server_names.empty()) {
    return InvalidArgument("a chain needs at least one name or address that stores call the coordinator by");
  }
  AISLE_ASSIGN_OR_RETURN(const std::vector<NewFile> files, MakeFiles(chain, now, random));
  AISLE_RETURN_IF_ERROR(MakeFolders(chain.folder));
  for (const NewFile& file : files) {
    if (FileExists(file.path)) {
      return AlreadyExists("{} is already there; a chain's keys are never overwritten. Choose another folder",
                           file.path);
    }
  }
  return WriteFiles(files);
}

StatusOr<CertificateAuthority> LoadAuthority(const ChainPaths& paths) {
  AISLE_ASSIGN_OR_RETURN(const std::string root_pem, ReadFile(paths.ca(), kCertificateSizeMax));
  AISLE_ASSIGN_OR_RETURN(KeyPair key, KeyPair::Load(paths.ca_key()));
  StatusOr<CertificateAuthority> authority = CertificateAuthority::FromPem(root_pem, std::move(key));
  if (!authority.ok()) return Annotate(authority.status(), paths.ca());
  return authority;
}

StatusOr<TlsIdentity> LoadAdmin(const ChainPaths& paths) {
  TlsPaths admin = paths.admin();
  if (FileExists(paths.roots())) admin.ca = paths.roots();
  return LoadTlsIdentity(admin);
}

}  // namespace aisle

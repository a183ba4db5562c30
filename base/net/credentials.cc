#include "base/net/credentials.h"

#include "base/net/grpc_setup.h"

namespace aisle {
namespace {

// gRPC takes keys as std::string and keeps copies of its own; ours is wiped as soon as it has them.
class RevealedKey {
 public:
  static StatusOr<RevealedKey> Of(const KeyPair& key) {
    AISLE_ASSIGN_OR_RETURN(const SecretBytes pem, key.ToPem());
    return RevealedKey(std::string(pem.Reveal()));
  }
  RevealedKey(RevealedKey&&) = default;
  ~RevealedKey() { Wipe(pem_.data(), pem_.size()); }
  std::string& pem() { return pem_; }

 private:
  explicit RevealedKey(std::string pem) : pem_(std::move(pem)) {}
  std::string pem_;
};

}  // namespace

StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsIdentity& identity) {
  SetUpGrpc();
  AISLE_RETURN_IF_ERROR(RequireRole(identity.certificate.identity(), Role::kCoordinator));
  AISLE_RETURN_IF_ERROR(identity.certificate.CheckMatches(identity.key));
  AISLE_ASSIGN_OR_RETURN(RevealedKey key, RevealedKey::Of(identity.key));
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = identity.ca_pem;
  options.pem_key_cert_pairs.push_back({key.pem(), identity.certificate.pem()});
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::SslServerCredentials(options);
  Wipe(options.pem_key_cert_pairs[0].private_key.data(), options.pem_key_cert_pairs[0].private_key.size());
  if (credentials == nullptr) return Internal("gRPC takes no server credentials of these certificates");
  return credentials;
}

StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(const TlsIdentity& identity) {
  SetUpGrpc();
  if (identity.ca_pem.empty()) return InvalidArgument("no roots to trust; the system's are never used");
  AISLE_RETURN_IF_ERROR(identity.certificate.CheckMatches(identity.key));
  AISLE_ASSIGN_OR_RETURN(RevealedKey key, RevealedKey::Of(identity.key));
  grpc::SslCredentialsOptions options{identity.ca_pem, key.pem(), identity.certificate.pem()};
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::SslCredentials(options);
  Wipe(options.pem_private_key.data(), options.pem_private_key.size());
  if (credentials == nullptr) return Internal("gRPC takes no channel credentials of these certificates");
  return credentials;
}

StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeEnrolmentCredentials(const std::string& ca_pem) {
  SetUpGrpc();
  if (ca_pem.empty()) return InvalidArgument("no roots to trust; the system's are never used");
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::SslCredentials({ca_pem, "", ""});
  if (credentials == nullptr) return Internal("gRPC takes no channel credentials of these roots");
  return credentials;
}

}  // namespace aisle

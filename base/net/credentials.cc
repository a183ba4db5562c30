#include "base/net/credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <mutex>
#include <string>

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

Status CheckServes(const TlsIdentity& identity) {
  AISLE_RETURN_IF_ERROR(RequireRole(identity.certificate.identity(), Role::kCoordinator));
  return identity.certificate.CheckMatches(identity.key);
}

// gRPC's C++ API has nothing that asks for certificates anew at each handshake; its C API has, and lets us wrap it.
class AskingCredentials final : public grpc::ServerCredentials {
 public:
  explicit AskingCredentials(grpc_server_credentials* credentials) : credentials_(credentials) {}
  ~AskingCredentials() override { grpc_server_credentials_release(credentials_); }
  AskingCredentials(const AskingCredentials&) = delete;
  AskingCredentials& operator=(const AskingCredentials&) = delete;
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}  // Nobody has one.

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }
  grpc_server_credentials* const credentials_;
};

}  // namespace

class ServerIdentity::Present {
 public:
  Status Change(const TlsIdentity& identity) {
    AISLE_RETURN_IF_ERROR(CheckServes(identity));
    AISLE_ASSIGN_OR_RETURN(RevealedKey key, RevealedKey::Of(identity.key));
    const std::lock_guard lock(mutex_);
    Wipe(key_.data(), key_.size());
    key_ = key.pem();
    certificate_ = identity.certificate.pem();
    roots_ = identity.ca_pem;
    is_new_ = true;
    return OkStatus();
  }
  ~Present() { Wipe(key_.data(), key_.size()); }

  // What gRPC calls at the start and at each handshake.
  static grpc_ssl_certificate_config_reload_status Tell(void* present, grpc_ssl_server_certificate_config** config) {
    return static_cast<Present*>(present)->TellIfNew(config);
  }

 private:
  grpc_ssl_certificate_config_reload_status TellIfNew(grpc_ssl_server_certificate_config** config) {
    const std::lock_guard lock(mutex_);
    if (!is_new_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{.private_key = key_.c_str(), .cert_chain = certificate_.c_str()};
    *config = grpc_ssl_server_certificate_config_create(roots_.c_str(), &pair, 1);
    is_new_ = false;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  std::mutex mutex_;
  std::string key_;  // Guarded by mutex_, as are the rest.
  std::string certificate_;
  std::string roots_;
  bool is_new_ = false;  // Not yet told to gRPC.
};

ServerIdentity::ServerIdentity() : present_(std::make_unique<Present>()) {}
ServerIdentity::~ServerIdentity() = default;

StatusOr<std::unique_ptr<ServerIdentity>> ServerIdentity::Make(const TlsIdentity& identity) {
  SetUpGrpc();
  std::unique_ptr<ServerIdentity> made(new ServerIdentity());
  AISLE_RETURN_IF_ERROR(made->present_->Change(identity));
  grpc_server_credentials* const credentials =
      grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config_fetcher(
          GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY, Present::Tell, made->present_.get()));
  if (credentials == nullptr) return Internal("gRPC takes no server credentials of these certificates");
  made->credentials_ = std::make_shared<AskingCredentials>(credentials);
  return made;
}

Status ServerIdentity::Change(const TlsIdentity& identity) { return present_->Change(identity); }

StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsIdentity& identity) {
  SetUpGrpc();
  AISLE_RETURN_IF_ERROR(CheckServes(identity));
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

// TLS credentials of both ends, from an identity of ours. No system roots anywhere; TLS 1.3 only (grpc_setup.h).
#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "base/identity/tls_identity.h"
#include "base/status.h"

namespace aisle {

// The coordinator's. A client certificate is asked for and, if one is given, verified during the handshake: one that is
// foreign, expired or not made for clients ends the connection. A client without any is let in, for Enrol's sake; so
// every other handler asks peer.h who is calling.
StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsIdentity& identity);

// The same for a coordinator whose certificate and roots change while it serves: handshakes see what was given last,
// connections that are open aren't touched. Thread-safe. Must outlive the server.
class ServerIdentity {
 public:
  // As MakeServerCredentials.
  static StatusOr<std::unique_ptr<ServerIdentity>> Make(const TlsIdentity& identity);
  ~ServerIdentity();
  Status Change(const TlsIdentity& identity);
  const std::shared_ptr<grpc::ServerCredentials>& credentials() const { return credentials_; }

 private:
  class Present;
  ServerIdentity();
  std::unique_ptr<Present> present_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
};

// A store's or an administrator's. The server must have a certificate of the roots in `identity`.
StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(const TlsIdentity& identity);
// A client that has no certificate yet and knows only the root: enrolment.
StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeEnrolmentCredentials(const std::string& ca_pem);

}  // namespace aisle

// The other end of a TLS connection without gRPC, so that it can speak versions that gRPC would not.
#pragma once

#include <future>
#include <string>

#include "base/identity/tls_identity.h"
#include "base/storage/files.h"

namespace aisle::testing {

// True if a client that speaks nothing newer than `version_max` (TLS1_2_VERSION …) completes a handshake with
// 127.0.0.1:port. It trusts anybody.
bool HandshakeAsClient(int port, int version_max);

// A server on loopback that answers one connection with a handshake.
class OneHandshakeServer {
 public:
  OneHandshakeServer(const TlsIdentity& identity, int version_max);
  int port() const { return port_; }
  bool WaitForOutcome() { return outcome_.get(); }  // True if the handshake was completed. Call once.

 private:
  FileDescriptor listener_;
  int port_ = 0;
  std::future<bool> outcome_;
};

}  // namespace aisle::testing

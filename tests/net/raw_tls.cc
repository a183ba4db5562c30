#include "tests/net/raw_tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <memory>

#include "base/check.h"
#include "base/identity/openssl.h"

namespace aisle::testing {
namespace {

using SslContextPtr = std::unique_ptr<SSL_CTX, openssl::Deleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, openssl::Deleter<SSL_free>>;

constexpr unsigned char kHttp2[] = {2, 'h', '2'};

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int ChooseHttp2(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char*, unsigned, void*) {
  *chosen = kHttp2 + 1;
  *size = 2;
  return SSL_TLSEXT_ERR_OK;
}

SslContextPtr ServerContext(const TlsIdentity& identity, int version_max) {
  SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  AISLE_CHECK(SSL_CTX_set_max_proto_version(context.get(), version_max) == 1);
  const auto certificates = openssl::ParseCertificates(identity.certificate.pem()).value();
  AISLE_CHECK(SSL_CTX_use_certificate(context.get(), certificates[0].get()) == 1);
  AISLE_CHECK(SSL_CTX_use_PrivateKey(context.get(), identity.key.handle()) == 1);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp2, nullptr);
  return context;
}

bool AcceptOne(int listener, SSL_CTX* context) {
  const FileDescriptor connection(::accept(listener, nullptr, nullptr));
  AISLE_CHECK(connection.valid());
  const SslPtr ssl(SSL_new(context));
  SSL_set_fd(ssl.get(), connection.get());
  return SSL_accept(ssl.get()) == 1;
}

}  // namespace

bool HandshakeAsClient(int port, int version_max) {
  const FileDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  AISLE_CHECK(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  AISLE_CHECK(SSL_CTX_set_max_proto_version(context.get(), version_max) == 1);
  AISLE_CHECK(SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof kHttp2) == 0);
  const SslPtr ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), connection.get());
  return SSL_connect(ssl.get()) == 1;
}

OneHandshakeServer::OneHandshakeServer(const TlsIdentity& identity, int version_max)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  AISLE_CHECK(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  AISLE_CHECK(::listen(listener_.get(), 4) == 0);
  AISLE_CHECK(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  outcome_ =
      std::async(std::launch::async, [listener = listener_.get(), context = ServerContext(identity, version_max)] {
        return AcceptOne(listener, context.get());
      });
}

}  // namespace aisle::testing

#include "base/net/peer.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include "base/net/certificate_cache.h"

namespace aisle {
namespace {

// As many as a large chain has stores, 6 KiB each: reading a certificate costs more than all else in a check-in.
constexpr size_t kCachedCallers = 16 << 10;

CertificateCache& Callers() {
  static CertificateCache callers(kCachedCallers);
  return callers;
}

StatusOr<std::string> PeerPem(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer != nullptr && peer->IsPeerAuthenticated()) {
    const std::vector<grpc::string_ref> pems = peer->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (pems.size() == 1) return std::string(pems[0].data(), pems[0].size());
  }
  return Unauthenticated("this call needs a client certificate; enrol first");
}

}  // namespace

StatusOr<Certificate> PeerCertificateOf(const grpc::ServerContextBase& context, const ChainName& chain,
                                        absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(const std::string pem, PeerPem(context));
  StatusOr<Certificate> certificate = Callers().Parse(pem);
  if (!certificate.ok())
    return PermissionDenied("the client certificate is refused: {}", MessageOf(certificate.status()));
  if (certificate->identity().chain != chain) {
    return PermissionDenied("the client certificate is of chain '{}'; this is chain '{}'",
                            certificate->identity().chain, chain);
  }
  AISLE_RETURN_IF_ERROR(certificate->CheckValidAt(now));
  return certificate;
}

StatusOr<Identity> PeerIdentityOf(const grpc::ServerContextBase& context, const ChainName& chain, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(const Certificate certificate, PeerCertificateOf(context, chain, now));
  return certificate.identity();
}

StatusOr<StoreId> PeerStoreOf(const grpc::ServerContextBase& context, const ChainName& chain, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(const Identity identity, PeerIdentityOf(context, chain, now));
  return StoreOf(identity);
}

StatusOr<Identity> PeerAdminOf(const grpc::ServerContextBase& context, const ChainName& chain, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(Identity identity, PeerIdentityOf(context, chain, now));
  AISLE_RETURN_IF_ERROR(RequireRole(identity, Role::kAdmin));
  return identity;
}

}  // namespace aisle

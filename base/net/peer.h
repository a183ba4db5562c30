// Who is calling: the identity in the certificate that the handshake verified.
#pragma once

#include <absl/time/time.h>
#include <grpcpp/impl/codegen/server_context.h>

#include "base/identity/certificate.h"
#include "base/identity/identity.h"
#include "base/status.h"

namespace aisle {

// The caller's certificate, parsed strictly (certificate.h). Works for every kind of server context.
// Unauthenticated: no certificate, or one whose life `now` is outside of (connections and resumed sessions outlive
//   certificates). PermissionDenied: another chain's name, although our root signed it; or a malformed name.
StatusOr<Certificate> PeerCertificateOf(const grpc::ServerContextBase& context, const ChainName& chain, absl::Time now);

// The same, when only the name matters.
StatusOr<Identity> PeerIdentityOf(const grpc::ServerContextBase& context, const ChainName& chain, absl::Time now);
// As PeerIdentityOf, and PermissionDenied unless the caller is a store, or an administrator.
StatusOr<StoreId> PeerStoreOf(const grpc::ServerContextBase& context, const ChainName& chain, absl::Time now);
StatusOr<Identity> PeerAdminOf(const grpc::ServerContextBase& context, const ChainName& chain, absl::Time now);

}  // namespace aisle

#include "tests/net/test_chain.h"

#include "base/net/peer.h"
#include "base/net/status_conversion.h"

namespace aisle::testing {
namespace {

// Only a hang ever meets it.
void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
}

}  // namespace

grpc::Status StubFleet::Enrol(grpc::ServerContext*, const v1::EnrolRequest*, v1::EnrolResponse*) {
  return ToGrpc(enrol_answer);
}

grpc::Status StubFleet::CheckIn(grpc::ServerContext* context, const v1::CheckInRequest*,
                                v1::CheckInResponse* response) {
  const StatusOr<StoreId> store = PeerStoreOf(*context, chain, now);
  if (!store.ok()) return ToGrpc(store.status());
  response->mutable_closed()->set_reason(store->str());
  return grpc::Status::OK;
}

TlsIdentity TestChain::Identify(Role role, std::string_view name, absl::Time issued, absl::Duration lifetime) const {
  SecureRandom random;
  KeyPair key = KeyPair::Generate().value();
  CertificateTerms terms{Identity::Make(authority_.chain(), role, name).value(), lifetime, {}};
  if (role == Role::kCoordinator) terms.server_names = {"127.0.0.1", "hq.example"};
  Certificate certificate = authority_.Issue(key, terms, issued, random).value();
  return {authority_.root_pem(), std::move(certificate), std::move(key)};
}

ListeningFleet::ListeningFleet(const TlsIdentity& coordinator)
    : ListeningFleet(MakeServerCredentials(coordinator).value()) {}

ListeningFleet::ListeningFleet(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  grpc::ServerBuilder builder;
  ApplyServerLimits(builder);
  builder.RegisterService(&fleet_);
  running_ = StartServer(builder, "127.0.0.1:0", credentials).value();
}

FleetClient::FleetClient(ChannelTarget target, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  target.own_connection = true;
  stub_ = v1::Fleet::NewStub(OpenChannel(target, credentials).value());
}

FleetClient FleetClient::Of(const ListeningFleet& fleet, const TlsIdentity& identity) {
  return {{.address = fleet.address()}, MakeChannelCredentials(identity).value()};
}

FleetClient FleetClient::WithoutCertificate(const ListeningFleet& fleet, const std::string& ca_pem) {
  return {{.address = fleet.address()}, MakeEnrolmentCredentials(ca_pem).value()};
}

Status FleetClient::Enrol(size_t code_size) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::EnrolRequest request;
  request.set_code(std::string(code_size, '0'));
  v1::EnrolResponse response;
  return FromGrpc(stub_->Enrol(&context, request, &response));
}

StatusOr<std::string> FleetClient::CheckIn() {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::CheckInResponse response;
  AISLE_RETURN_IF_ERROR(FromGrpc(stub_->CheckIn(&context, v1::CheckInRequest(), &response)));
  return response.closed().reason();
}

}  // namespace aisle::testing

// Real handshakes over loopback: who gets in, and as whom.
#include <gtest/gtest.h>

#include "base/net/credentials.h"
#include "base/net/peer.h"
#include "base/reason.h"
#include "tests/net/test_chain.h"

namespace aisle {
namespace {

using testing::FleetClient;
using testing::ListeningFleet;
using testing::TestChain;

class MutualTlsTest : public ::testing::Test {
 protected:
  const TestChain chain_;
  const TestChain foreign_;  // Another root, the same name.
  ListeningFleet fleet_{chain_.Identify(Role::kCoordinator, "hq")};
};

TEST_F(MutualTlsTest, RecognisesAStore) {
  EXPECT_EQ(FleetClient::Of(fleet_, chain_.Store("store-012")).CheckIn().value(), "store-012");
}

TEST_F(MutualTlsTest, LetsACallerWithoutCertificateEnrolAndNothingElse) {
  FleetClient newcomer = FleetClient::WithoutCertificate(fleet_, chain_.root_pem());
  EXPECT_TRUE(newcomer.Enrol().ok());
  EXPECT_EQ(newcomer.CheckIn().status().code(), StatusCode::kUnauthenticated);
}

// In TLS 1.3 the client learns that its certificate was refused after it thinks that it is connected, so gRPC may tell
// of a broken connection rather than of a failed handshake. Either way nothing was answered.
TEST_F(MutualTlsTest, EndsTheConnectionOfAForeignCertificate) {
  TlsIdentity intruder = foreign_.Store();
  intruder.ca_pem = chain_.root_pem();
  FleetClient client = FleetClient::Of(fleet_, intruder);
  EXPECT_EQ(client.CheckIn().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(client.Enrol().code(), StatusCode::kUnavailable);
}

TEST_F(MutualTlsTest, EndsTheConnectionOfAnExpiredCertificate) {
  const TlsIdentity expired = chain_.Identify(Role::kStore, "s1", absl::Now() - absl::Hours(100), absl::Hours(72));
  EXPECT_EQ(FleetClient::Of(fleet_, expired).CheckIn().status().code(), StatusCode::kUnavailable);
}

TEST_F(MutualTlsTest, EndsTheConnectionOfACertificateThatIsNotYetValid) {
  const TlsIdentity early = chain_.Identify(Role::kStore, "s1", absl::Now() + absl::Hours(2));
  EXPECT_EQ(FleetClient::Of(fleet_, early).CheckIn().status().code(), StatusCode::kUnavailable);
}

TEST_F(MutualTlsTest, EndsTheConnectionOfACoordinatorsCertificateUsedAsAClients) {
  const TlsIdentity coordinator = chain_.Identify(Role::kCoordinator, "hq");
  EXPECT_EQ(FleetClient::Of(fleet_, coordinator).CheckIn().status().code(), StatusCode::kUnavailable);
}

TEST_F(MutualTlsTest, RefusesAnotherRole) {
  const StatusOr<std::string> refused = FleetClient::Of(fleet_, chain_.Identify(Role::kAdmin, "ada")).CheckIn();
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
}

TEST_F(MutualTlsTest, RefusesAnotherChainsName) {
  fleet_.stub().chain = testing::Chain("southwind");
  EXPECT_EQ(FleetClient::Of(fleet_, chain_.Store()).CheckIn().status().code(), StatusCode::kPermissionDenied);
}

TEST_F(MutualTlsTest, RefusesACertificateThatEndedSinceTheHandshake) {
  FleetClient client = FleetClient::Of(fleet_, chain_.Store());
  ASSERT_TRUE(client.CheckIn().ok());
  fleet_.stub().now = absl::Now() + absl::Hours(73);
  EXPECT_EQ(client.CheckIn().status().code(), StatusCode::kUnauthenticated);
}

TEST_F(MutualTlsTest, TrustsNoServerOfAForeignRoot) {
  const ListeningFleet impostor(foreign_.Identify(Role::kCoordinator, "hq"));
  EXPECT_EQ(FleetClient::Of(impostor, chain_.Store()).CheckIn().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(FleetClient::WithoutCertificate(impostor, chain_.root_pem()).Enrol().code(), StatusCode::kUnavailable);
}

TEST_F(MutualTlsTest, TrustsNoStoreThatPosesAsTheCoordinator) {
  const TlsIdentity store = chain_.Store("hq");
  EXPECT_EQ(MakeServerCredentials(store).status().code(), StatusCode::kPermissionDenied);
  grpc::SslServerCredentialsOptions options(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_key_cert_pairs.push_back({std::string(store.key.ToPem().value().Reveal()), store.certificate.pem()});
  const ListeningFleet impostor(grpc::SslServerCredentials(options));
  FleetClient client({.address = impostor.address(), .server_name = "hq"},
                     MakeEnrolmentCredentials(chain_.root_pem()).value());
  EXPECT_EQ(client.Enrol().code(), StatusCode::kUnavailable);
}

TEST_F(MutualTlsTest, ChecksTheServersName) {
  const auto credentials = MakeEnrolmentCredentials(chain_.root_pem()).value();
  EXPECT_TRUE(FleetClient({.address = fleet_.address()}, credentials).Enrol().ok());
  EXPECT_TRUE(FleetClient({.address = fleet_.address(), .server_name = "hq.example"}, credentials).Enrol().ok());
  EXPECT_EQ(FleetClient({.address = fleet_.address(), .server_name = "hq.elsewhere"}, credentials).Enrol().code(),
            StatusCode::kUnavailable);
  const std::string other_name = "localhost:" + std::to_string(fleet_.port());
  EXPECT_EQ(FleetClient({.address = other_name}, credentials).Enrol().code(), StatusCode::kUnavailable);
}

TEST_F(MutualTlsTest, NeedsARootToTrust) {
  EXPECT_EQ(MakeEnrolmentCredentials("").status().code(), StatusCode::kInvalidArgument);
  TlsIdentity rootless = chain_.Store();
  rootless.ca_pem.clear();
  EXPECT_EQ(MakeChannelCredentials(rootless).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(MutualTlsTest, CarriesTheReasonOfARefusal) {
  fleet_.stub().enrol_answer =
      WithReason(FailedPrecondition("the code expired"), Reason::kCodeExpired, absl::Seconds(5));
  const Status refused = FleetClient::WithoutCertificate(fleet_, chain_.root_pem()).Enrol();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(MessageOf(refused), "the code expired");
  EXPECT_EQ(ReasonOf(refused), Reason::kCodeExpired);
  EXPECT_EQ(RetryAfterOf(refused), absl::Seconds(5));
}

TEST_F(MutualTlsTest, RefusesAMessageOverTheLimit) {
  FleetClient client = FleetClient::WithoutCertificate(fleet_, chain_.root_pem());
  EXPECT_TRUE(client.Enrol(kMessageSizeMax - 1000).ok());
  EXPECT_EQ(client.Enrol(kMessageSizeMax + 1).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(client.Enrol().ok());
}

}  // namespace
}  // namespace aisle

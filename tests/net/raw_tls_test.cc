// TLS 1.3 or nothing, at both ends.
#include "tests/net/raw_tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/net/test_chain.h"

namespace aisle {
namespace {

using testing::FleetClient;
using testing::HandshakeAsClient;
using testing::ListeningFleet;
using testing::OneHandshakeServer;
using testing::TestChain;

TEST(TlsVersionTest, ServerAcceptsNothingOlderThan13) {
  const TestChain chain;
  const ListeningFleet fleet(chain.Identify(Role::kCoordinator, "hq"));
  EXPECT_TRUE(HandshakeAsClient(fleet.port(), TLS1_3_VERSION));
  EXPECT_FALSE(HandshakeAsClient(fleet.port(), TLS1_2_VERSION));
}

TEST(TlsVersionTest, NorDoesAServerWhoseCertificateChanges) {
  const TestChain chain;
  const auto shown = ServerIdentity::Make(chain.Identify(Role::kCoordinator, "hq")).value();
  const ListeningFleet fleet(shown->credentials());
  ASSERT_TRUE(shown->Change(chain.Identify(Role::kCoordinator, "hq")).ok());
  EXPECT_TRUE(HandshakeAsClient(fleet.port(), TLS1_3_VERSION));
  EXPECT_FALSE(HandshakeAsClient(fleet.port(), TLS1_2_VERSION));
}

TEST(TlsVersionTest, ClientOffersNothingOlderThan13) {
  const TestChain chain;
  for (const auto& [version, completes] : {std::pair(TLS1_3_VERSION, true), std::pair(TLS1_2_VERSION, false)}) {
    OneHandshakeServer server(chain.Identify(Role::kCoordinator, "hq"), version);
    FleetClient client({.address = "127.0.0.1:" + std::to_string(server.port())},
                       MakeChannelCredentials(chain.Store()).value());
    EXPECT_EQ(client.Enrol().code(), StatusCode::kUnavailable);  // It isn't gRPC that answers.
    EXPECT_EQ(server.WaitForOutcome(), completes);
  }
}

}  // namespace
}  // namespace aisle

#include "base/net/transport.h"

#include <gtest/gtest.h>

#include "base/net/credentials.h"
#include "tests/net/test_chain.h"

namespace aisle {
namespace {

TEST(TransportTest, SaysSoIfThePortIsInUse) {
  const testing::TestChain chain;
  const TlsIdentity coordinator = chain.Identify(Role::kCoordinator, "hq");
  const testing::ListeningFleet first(coordinator);
  testing::StubFleet fleet;
  grpc::ServerBuilder builder;
  ApplyServerLimits(builder);
  builder.RegisterService(&fleet);
  const Status second = StartServer(builder, first.address(), MakeServerCredentials(coordinator).value()).status();
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  EXPECT_NE(MessageOf(second).find(first.address()), std::string_view::npos);
}

TEST(TransportTest, RefusesAddressesThatAreNone) {
  const auto credentials = MakeEnrolmentCredentials(testing::TestChain().root_pem()).value();
  for (const char* address : {"", "hq", ":1", "hq:", "hq:x", "hq:65536", "hq:-1", "hq:1x"}) {
    EXPECT_EQ(OpenChannel({.address = address}, credentials).status().code(), StatusCode::kInvalidArgument) << address;
  }
  EXPECT_TRUE(OpenChannel({.address = "[::1]:7400"}, credentials).ok());
}

TEST(TransportTest, AnswersUnavailableWhereNobodyListens) {
  const testing::TestChain chain;
  std::string address;
  {
    const testing::ListeningFleet gone(chain.Identify(Role::kCoordinator, "hq"));
    address = gone.address();
  }
  testing::FleetClient client({.address = address}, MakeChannelCredentials(chain.Store()).value());
  EXPECT_EQ(client.CheckIn().status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace aisle

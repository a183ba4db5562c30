// A coordinator whose certificate and roots change while it serves, seen by clients over real TLS.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/net/credentials.h"
#include "tests/net/test_chain.h"

namespace aisle {
namespace {

using testing::FleetClient;
using testing::ListeningFleet;

class ServerIdentityTest : public ::testing::Test {
 protected:
  // A party certified by `issuer` that trusts `roots`.
  TlsIdentity Party(Role role, const CertificateAuthority& issuer, const std::string& roots) {
    KeyPair key = KeyPair::Generate().value();
    CertificateTerms terms{Identity::Make(issuer.chain(), role, "s1").value(), absl::Hours(72), {}};
    if (role == Role::kCoordinator) terms.server_names = {"127.0.0.1"};
    Certificate certificate = issuer.Issue(key, terms, absl::Now(), random_).value();
    return {roots, std::move(certificate), std::move(key)};
  }
  TlsIdentity Coordinator(const CertificateAuthority& issuer, const std::string& roots) {
    return Party(Role::kCoordinator, issuer, roots);
  }
  TlsIdentity Store(const CertificateAuthority& issuer, const std::string& roots) {
    return Party(Role::kStore, issuer, roots);
  }

  SecureRandom random_;
  const CertificateAuthority old_ = testing::NewAuthority("northwind", absl::Now());
  const CertificateAuthority new_ = testing::NewAuthority("northwind", absl::Now());
  const std::string both_ = old_.root_pem() + new_.root_pem();
  std::unique_ptr<ServerIdentity> shown_ = ServerIdentity::Make(Coordinator(old_, old_.root_pem())).value();
  ListeningFleet fleet_{shown_->credentials()};
};

TEST_F(ServerIdentityTest, AChangeOfRootsCostsNoCall) {
  FleetClient before = FleetClient::Of(fleet_, Store(old_, old_.root_pem()));
  ASSERT_TRUE(before.CheckIn().ok());

  // The new root is announced: who has heard of it and who hasn't are both served.
  ASSERT_TRUE(shown_->Change(Coordinator(old_, both_)).ok());
  EXPECT_TRUE(before.CheckIn().ok()) << "over the connection that is open";
  EXPECT_TRUE(FleetClient::Of(fleet_, Store(old_, old_.root_pem())).CheckIn().ok()) << "over a fresh one";
  FleetClient informed = FleetClient::Of(fleet_, Store(old_, both_));
  ASSERT_TRUE(informed.CheckIn().ok());

  // The new root issues, to the coordinator and to those who renew.
  ASSERT_TRUE(shown_->Change(Coordinator(new_, both_)).ok());
  EXPECT_TRUE(informed.CheckIn().ok());
  EXPECT_TRUE(FleetClient::Of(fleet_, Store(old_, both_)).CheckIn().ok()) << "not yet renewed";
  EXPECT_TRUE(FleetClient::Of(fleet_, Store(new_, both_)).CheckIn().ok());
  EXPECT_FALSE(FleetClient::Of(fleet_, Store(old_, old_.root_pem())).CheckIn().ok()) << "who never heard of it";

  // The old root is retired.
  ASSERT_TRUE(shown_->Change(Coordinator(new_, new_.root_pem())).ok());
  EXPECT_TRUE(FleetClient::Of(fleet_, Store(new_, new_.root_pem())).CheckIn().ok());
  EXPECT_EQ(FleetClient::Of(fleet_, Store(old_, both_)).CheckIn().status().code(), StatusCode::kUnavailable);
}

TEST_F(ServerIdentityTest, ShowsARenewedCertificateToWhoeverConnectsNext) {
  for (int renewal = 0; renewal < 3; ++renewal) {
    ASSERT_TRUE(shown_->Change(Coordinator(old_, old_.root_pem())).ok());
    EXPECT_TRUE(FleetClient::Of(fleet_, Store(old_, old_.root_pem())).CheckIn().ok()) << renewal;
  }
}

TEST_F(ServerIdentityTest, ChangesWhileOthersConnect) {
  ASSERT_TRUE(shown_->Change(Coordinator(old_, both_)).ok());
  std::atomic<bool> done = false;
  std::atomic<int> failed = 0;
  std::atomic<int> calls = 0;
  std::thread connecting([&] {
    while (!done || calls < 20) {
      failed += FleetClient::Of(fleet_, Store(calls % 2 == 0 ? old_ : new_, both_)).CheckIn().ok() ? 0 : 1;
      ++calls;
    }
  });
  for (int change = 0; change < 50; ++change) {
    ASSERT_TRUE(shown_->Change(Coordinator(change % 2 == 0 ? new_ : old_, both_)).ok());
  }
  done = true;
  connecting.join();
  EXPECT_EQ(failed, 0);
}

TEST_F(ServerIdentityTest, RefusesWhatNoCoordinatorMayShow) {
  EXPECT_EQ(shown_->Change(Store(old_, both_)).code(), StatusCode::kPermissionDenied);
  TlsIdentity torn = Coordinator(old_, both_);
  torn.key = KeyPair::Generate().value();
  EXPECT_EQ(shown_->Change(torn).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(FleetClient::Of(fleet_, Store(old_, old_.root_pem())).CheckIn().ok()) << "nothing has changed";
  EXPECT_EQ(ServerIdentity::Make(Store(old_, both_)).status().code(), StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace aisle

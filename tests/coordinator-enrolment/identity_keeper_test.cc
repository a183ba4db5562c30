#include "coordinator/enrolment/identity_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/executor.h"
#include "base/identity/statement.h"
#include "base/storage/files.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;
using testing::TemporaryFolder;

class IdentityKeeperTest : public ::testing::Test {
 protected:
  IdentityKeeperTest() {
    EXPECT_TRUE(InitChain({paths_.folder, testing::Chain("northwind"), {"hq", "127.0.0.1"}}, kNow, random_).ok());
    keeper_ = IdentityKeeper::Open(paths_, clock_, random_).value();
  }
  const HouseIdentity& present() const { return *keeper_->present(); }
  bool Tend() { return keeper_->Tend().value(); }
  void Restart() { keeper_ = IdentityKeeper::Open(paths_, clock_, random_).value(); }
  void ExpectFit() const {
    const Certificate& own = present().own.certificate;
    EXPECT_TRUE(own.CheckIssuedBy(present().roots_pem(), clock_.Now()).ok());
    EXPECT_TRUE(own.CheckIssuedBy(present().issuer->root_pem(), clock_.Now()).ok());
    EXPECT_TRUE(own.CheckMatches(present().own.key).ok());
    EXPECT_EQ(own.ServerNames().value(), (std::vector<std::string>{"hq", "127.0.0.1"}));
    EXPECT_EQ(own.identity().role, Role::kCoordinator);
  }

  const TemporaryFolder temporary_;
  const ChainPaths paths_{temporary_.File("chain")};
  SecureRandom random_;
  ManualExecutor clock_{kNow};
  std::unique_ptr<IdentityKeeper> keeper_;
};

TEST_F(IdentityKeeperTest, TakesUpAFreshChainAsItIs) {
  ExpectFit();
  EXPECT_FALSE(Tend());
  EXPECT_EQ(present().own.certificate.pem(), ReadFile(paths_.coordinator().certificate).value());
}

TEST_F(IdentityKeeperTest, RenewsTheCoordinatorsCertificateOverANewKeyAtTwoThirds) {
  const Digest first = present().own.key.digest();
  clock_.Advance(kCoordinatorLifetime * 0.66);
  EXPECT_FALSE(Tend());
  clock_.Advance(kCoordinatorLifetime * 0.01);
  EXPECT_TRUE(Tend());
  ExpectFit();
  EXPECT_NE(present().own.key.digest(), first);
  EXPECT_EQ(present().own.certificate.not_after(), clock_.Now() + kCoordinatorLifetime);
  EXPECT_FALSE(Tend());
  const Digest second = present().own.key.digest();
  Restart();
  ExpectFit();
  EXPECT_EQ(present().own.key.digest(), second);
}

TEST_F(IdentityKeeperTest, ACoordinatorThatWasOffForYearsComesBackWithAFreshCertificate) {
  clock_.Advance(absl::Hours(24 * 365 * 3));
  Restart();
  ExpectFit();
}

TEST_F(IdentityKeeperTest, APowerCutBetweenKeyAndCertificateIsMended) {
  ASSERT_TRUE(KeyPair::Generate().value().SaveTo(paths_.coordinator().key).ok());
  Restart();
  ExpectFit();
}

TEST_F(IdentityKeeperTest, FollowsAChangeOfRootsWithoutARestart) {
  clock_.Advance(absl::Hours(1));
  const std::string old_root = present().issuer->root_pem();
  const Root next = AddRoot(paths_, clock_.Now(), random_).value();
  EXPECT_TRUE(Tend());
  EXPECT_EQ(present().roots_pem(), old_root + next.pem) << "stores hear of it …";
  EXPECT_EQ(present().issuer->root_pem(), old_root) << "… before anything is issued under it";
  ExpectFit();
  clock_.Advance(kRootOverlap);
  EXPECT_TRUE(Tend());
  EXPECT_EQ(present().roots_pem(), old_root + next.pem);
  EXPECT_EQ(present().issuer->root_pem(), next.pem);
  ExpectFit();
  clock_.Advance(kRootOverlap);
  EXPECT_TRUE(Tend());
  EXPECT_EQ(present().roots_pem(), next.pem);
  ExpectFit();
  EXPECT_FALSE(Tend());
}

TEST_F(IdentityKeeperTest, TheAdministratorsCertificateFollowsToo) {
  AddRoot(paths_, clock_.Now(), random_).value();
  const Digest key = LoadAdmin(paths_).value().key.digest();
  for (int week = 0; week < 104; ++week) {
    const TlsIdentity admin = LoadAdmin(paths_).value();
    ASSERT_TRUE(admin.certificate.CheckIssuedBy(present().roots_pem(), clock_.Now()).ok()) << "week " << week;
    ASSERT_TRUE(present().own.certificate.CheckIssuedBy(admin.ca_pem, clock_.Now()).ok()) << "week " << week;
    clock_.Advance(absl::Hours(24 * 7));
    Tend();
  }
  EXPECT_EQ(LoadAdmin(paths_).value().key.digest(), key);
}

TEST_F(IdentityKeeperTest, AnAdministratorsKeyThatIsKeptElsewhereIsNoTrouble) {
  std::filesystem::remove(paths_.admin().key);
  clock_.Advance(absl::Hours(24 * 400));
  EXPECT_TRUE(Tend());
  ExpectFit();
}

TEST_F(IdentityKeeperTest, ARootGetsASuccessorLongBeforeItsEnd) {
  clock_.Advance(kRootLifetime * 0.66);
  Tend();
  EXPECT_EQ(RootSet::Load(paths_).value().roots().size(), 1u);
  clock_.Advance(kRootLifetime * 0.01);
  Tend();
  EXPECT_EQ(RootSet::Load(paths_).value().roots().size(), 2u);
  clock_.Advance(kRootOverlap * 2);
  Tend();
  EXPECT_EQ(RootSet::Load(paths_).value().roots().size(), 2u) << "one is enough";
  EXPECT_EQ(present().roots_pem(), RootSet::Load(paths_).value().roots()[1].pem);
  ExpectFit();
}

TEST_F(IdentityKeeperTest, WhatCannotBeWrittenChangesNothingAndIsTriedAgain) {
  clock_.Advance(kCoordinatorLifetime * 0.7);
  const std::string in_the_way = paths_.coordinator().certificate + ".tmp";
  ASSERT_TRUE(MakeFolders(in_the_way + "/x").ok());
  const auto before = keeper_->present();
  EXPECT_FALSE(keeper_->Tend().ok());
  EXPECT_EQ(keeper_->present(), before);
  std::filesystem::remove_all(in_the_way);
  EXPECT_TRUE(Tend());
  ExpectFit();
}

TEST_F(IdentityKeeperTest, SignsRostersWithTheCertificateThatItShows) {
  const secagg::Credentials credentials = CredentialsOf(present());
  EXPECT_EQ(credentials.certificate_pem, present().own.certificate.pem());
  const std::string signature = credentials.sign("aisle/test", "roster").value();
  EXPECT_TRUE(VerifyStatement(present().own.certificate, "aisle/test", "roster", signature).ok());
}

}  // namespace
}  // namespace aisle

#include "base/identity/root_set.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/storage/files.h"
#include "tests/identity/forge.h"

namespace aisle {
namespace {

using testing::kNow;
using testing::TemporaryFolder;

const absl::Time kRotated = kNow + absl::Hours(24 * 100);  // When a second root was made.

class RootSetTest : public ::testing::Test {
 protected:
  RootSetTest() {
    EXPECT_TRUE(InitChain({paths_.folder, testing::Chain("northwind"), {"127.0.0.1"}}, kNow, random_).ok());
  }
  RootSet Load() { return RootSet::Load(paths_).value(); }
  void Rotate() { ASSERT_TRUE(AddRoot(paths_, kRotated, random_).ok()); }

  const TemporaryFolder temporary_;
  const ChainPaths paths_{temporary_.File("chain")};
  SecureRandom random_;
};

TEST_F(RootSetTest, TheFirstRootIssuesAtOnceAndForLong) {
  const RootSet roots = Load();
  ASSERT_EQ(roots.roots().size(), 1u);
  EXPECT_EQ(roots.roots()[0].made, kNow);
  for (const absl::Time now : {kNow - absl::Hours(1), kNow, kNow + kRootLifetime}) {
    EXPECT_EQ(roots.StageAt(0, now), RootStage::kIssuing);
    EXPECT_EQ(roots.TrustedAt(now), roots.roots()[0].pem);
    EXPECT_TRUE(roots.IsSettledAt(now));
  }
  EXPECT_FALSE(FileExists(paths_.roots())) << "ca.pem says it all";
}

TEST_F(RootSetTest, ANewRootIsHeardOfLongBeforeItIssuesAndTheOldOneCountsLongAfter) {
  Rotate();
  const RootSet roots = Load();
  ASSERT_EQ(roots.roots().size(), 2u);
  const std::string& old_pem = roots.roots()[0].pem;
  const std::string& new_pem = roots.roots()[1].pem;
  struct Case {
    absl::Time now;
    RootStage first;
    RootStage second;
    std::string trusted;
    uint32_t issuing;
    bool settled;
  };
  const absl::Time issues = kRotated + kRootOverlap;
  const absl::Time retired = issues + kRootOverlap;
  const absl::Duration moment = absl::Seconds(1);
  const Case cases[] = {
      {kRotated, RootStage::kIssuing, RootStage::kAnnounced, old_pem + new_pem, 1, false},
      {issues - moment, RootStage::kIssuing, RootStage::kAnnounced, old_pem + new_pem, 1, false},
      {issues, RootStage::kHonoured, RootStage::kIssuing, old_pem + new_pem, 2, false},
      {retired - moment, RootStage::kHonoured, RootStage::kIssuing, old_pem + new_pem, 2, false},
      {retired, RootStage::kRetired, RootStage::kIssuing, new_pem, 2, true},
  };
  for (const Case& at : cases) {
    SCOPED_TRACE(absl::FormatTime(at.now));
    EXPECT_EQ(roots.StageAt(0, at.now), at.first);
    EXPECT_EQ(roots.StageAt(1, at.now), at.second);
    EXPECT_EQ(roots.TrustedAt(at.now), at.trusted);
    EXPECT_EQ(roots.IssuingAt(at.now).generation, at.issuing);
    EXPECT_EQ(roots.IsSettledAt(at.now), at.settled);
  }
}

TEST_F(RootSetTest, WhatEitherRootIssuedIsBelievedUnderBoth) {
  Rotate();
  const RootSet roots = Load();
  const KeyPair key = KeyPair::Generate().value();
  const absl::Time now = kRotated + kRootOverlap;
  for (const Root& root : roots.roots()) {
    const CertificateAuthority authority = LoadAuthority(root).value();
    const Certificate certificate =
        authority.Issue(key, {testing::StoreIdentity("northwind", "s1"), absl::Hours(72), {}}, now, random_).value();
    EXPECT_TRUE(certificate.CheckIssuedBy(roots.TrustedAt(now), now).ok()) << root.generation;
    const std::string& other = roots.roots()[2 - root.generation].pem;
    EXPECT_FALSE(certificate.CheckIssuedBy(other, now).ok()) << "another key, whatever its name";
  }
}

TEST_F(RootSetTest, OneChangeAtATime) {
  Rotate();
  for (const absl::Duration later : {absl::ZeroDuration(), kRootOverlap, kRootOverlap * 2 - absl::Seconds(1)}) {
    const Status refused = AddRoot(paths_, kRotated + later, random_).status();
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition) << refused;
  }
  EXPECT_EQ(Load().roots().size(), 2u);
  const Root third = AddRoot(paths_, kRotated + kRootOverlap * 2, random_).value();
  EXPECT_EQ(third.generation, 3u);
  EXPECT_EQ(Load().TrustedAt(third.made), Load().roots()[1].pem + third.pem);
}

TEST_F(RootSetTest, AdministratorsFindTheNewRootAtOnce) {
  Rotate();
  const TlsIdentity admin = LoadAdmin(paths_).value();
  EXPECT_EQ(admin.ca_pem, Load().TrustedAt(kRotated));
  EXPECT_EQ(ReadFile(paths_.ca()).value(), Load().roots()[0].pem) << "the files of the first root stay as they are";
}

TEST_F(RootSetTest, AKeyThatAPowerCutLeftWithoutCertificateIsNoRoot) {
  ASSERT_TRUE(KeyPair::Generate().value().SaveTo(paths_.ca_key(2)).ok());
  EXPECT_EQ(Load().roots().size(), 1u);
  Rotate();
  EXPECT_TRUE(LoadAuthority(Load().roots()[1]).ok()) << "the key is the certificate's, not the one left behind";
}

TEST_F(RootSetTest, NeedsTheIssuingRootsKey) {
  std::filesystem::remove(paths_.ca_key());
  EXPECT_EQ(AddRoot(paths_, kRotated, random_).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Load().roots().size(), 1u) << "whoever only looks needs no key";
}

TEST_F(RootSetTest, NamesAFileThatHoldsNoRoot) {
  Rotate();
  ASSERT_TRUE(WriteFileDurably(paths_.ca(2), "not a certificate").ok());
  const Status refused = RootSet::Load(paths_).status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(MessageOf(refused).find("ca-2.pem"), std::string_view::npos) << refused;
  ASSERT_TRUE(WriteFileDurably(paths_.ca(2), ReadFile(paths_.admin().certificate).value()).ok());
  EXPECT_EQ(RootSet::Load(paths_).status().code(), StatusCode::kInvalidArgument) << "a certificate, but no root";
}

}  // namespace
}  // namespace aisle

#include "cli/plan_file.h"

#include <gtest/gtest.h>

#include "tests/cli/plan_folder.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

class PlanFileTest : public ::testing::Test {
 protected:
  PlanFileTest() { WriteTinyPlan(folder_ / "tiny"); }

  PlanFile Build(const SigningKey* key) {
    StatusOr<PlanFiles> files = ReadPlanFiles(folder_ / "tiny");
    EXPECT_TRUE(files.ok()) << files.status();
    StatusOr<PlanFile> built = BuildPlanFile(*std::move(files), key);
    EXPECT_TRUE(built.ok()) << built.status();
    return *std::move(built);
  }

  TemporaryFolder folder_;
  SecureRandom random_;
};

TEST_F(PlanFileTest, ComesBackFromItsBytesAsItWas) {
  const SigningKey key = *SigningKey::Generate(random_);
  for (const SigningKey* signer : {&key, static_cast<const SigningKey*>(nullptr)}) {
    const PlanFile file = Build(signer);
    const StatusOr<PlanFile> decoded = PlanFile::Decode(file.Encode());
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->bundle.digest(), file.bundle.digest());
    EXPECT_EQ(decoded->weights, file.weights);
    EXPECT_EQ(decoded->signature.has_value(), signer != nullptr);
    EXPECT_EQ(decoded->Encode(), file.Encode());
  }
}

TEST_F(PlanFileTest, IsSignedForTheKeyThatSignedAndNoOther) {
  const SigningKey key = *SigningKey::Generate(random_);
  const SigningKey other = *SigningKey::Generate(random_);
  const PlanFile file = Build(&key);
  EXPECT_TRUE(CheckSignature(file).ok());
  EXPECT_TRUE(CheckSignature(file, key.verify_key()).ok());
  EXPECT_EQ(CheckSignature(file, other.verify_key()).code(), StatusCode::kUnauthenticated);
  EXPECT_EQ(CheckSignature(Build(nullptr)).code(), StatusCode::kFailedPrecondition);
}

TEST_F(PlanFileTest, NoticesEveryCutAndEveryChangedByte) {
  const SigningKey key = *SigningKey::Generate(random_);
  const std::string bytes = Build(&key).Encode();
  for (size_t size = 0; size < bytes.size(); size += 7) {
    EXPECT_FALSE(PlanFile::Decode(std::string_view(bytes).substr(0, size)).ok()) << "cut at " << size;
  }
  for (size_t at = 0; at < bytes.size(); at += 5) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    EXPECT_FALSE(PlanFile::Decode(changed).ok()) << "changed at " << at;
  }
  EXPECT_FALSE(PlanFile::Decode(bytes + "x").ok());
}

TEST_F(PlanFileTest, SaysWhatAFileOfAnotherKindMightBe) {
  EXPECT_NE(MessageOf(PlanFile::Decode("AISLEW01....").status()).find("weights"), std::string::npos);
  EXPECT_NE(MessageOf(PlanFile::Decode("PK\x03\x04").status()).find("plan import"), std::string::npos);
  EXPECT_NE(MessageOf(PlanFile::Load(folder_ / "tiny").status()).find("plan build"), std::string::npos);
  EXPECT_EQ(PlanFile::Load(folder_ / "missing.plan").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace aisle::cli

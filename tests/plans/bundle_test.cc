#include "plans/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "aggregation/weights.h"
#include "base/storage/files.h"
#include "plans/initial_weights.h"
#include "tests/plans/sample_plan.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

std::string SampleWeights() { return EncodeWeights(MakeInitialWeights(Plan::Parse(SamplePlan()).value()).value()); }

PlanBundle SampleBundle() {
  return MakePlanBundle({.plan_toml = SamplePlan(), .kind = ProgramKind::kSource, .program = "def loss"},
                        SampleWeights())
      .value();
}

TEST(PlanBundleTest, SurvivesItsOwnEncoding) {
  const PlanBundle bundle = SampleBundle();
  const StatusOr<PlanBundle> decoded = PlanBundle::Decode(bundle.Encode());
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->Encode(), bundle.Encode());
  EXPECT_EQ(decoded->digest(), bundle.digest());
  EXPECT_EQ(decoded->initial_weights, Sha256::Of(SampleWeights()));
  EXPECT_EQ(decoded->plan()->name, "sample");
}

TEST(PlanBundleTest, EveryCutIsRefused) {
  const std::string bytes = SampleBundle().Encode();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(PlanBundle::Decode(bytes.substr(0, size)).ok()) << size;
  EXPECT_FALSE(PlanBundle::Decode(bytes + "x").ok());
}

TEST(PlanBundleTest, AnotherProgramIsAnotherDigest) {
  PlanBundle bundle = SampleBundle();
  const Digest before = bundle.digest();
  bundle.program += " ";
  EXPECT_NE(bundle.digest(), before);
}

TEST(PlanBundleTest, WeightsMustBeThoseThePlanDeclares) {
  const std::string wrong = EncodeWeights({.layout = Layout::Make({{"base", {1}}}).value(), .values = {1.0F}});
  const auto bundle = MakePlanBundle({.plan_toml = SamplePlan(), .kind = ProgramKind::kSource, .program = "x"}, wrong);
  EXPECT_THAT(std::string(MessageOf(bundle.status())), HasSubstr("plan.toml declares 3"));
  EXPECT_FALSE(
      MakePlanBundle({.plan_toml = SamplePlan(), .kind = ProgramKind::kSource, .program = "x"}, "no weights").ok());
}

TEST(PlanBundleTest, TheKindOfProgramMustBeTheOneDeclared) {
  PlanBundle bundle = SampleBundle();
  bundle.kind = ProgramKind::kArchive;
  EXPECT_THAT(std::string(MessageOf(bundle.plan().status())), HasSubstr("archive"));
}

TEST(PlanBundleTest, TooLongAProgramIsRefused) {
  const std::string program(kPlanSourceSizeMax + 1, ' ');
  const auto bundle =
      MakePlanBundle({.plan_toml = SamplePlan(), .kind = ProgramKind::kSource, .program = program}, SampleWeights());
  EXPECT_THAT(std::string(MessageOf(bundle.status())), HasSubstr("limit"));
}

TEST(PlanBundleTest, TheSigningMessageHasADomainOfItsOwn) {
  const std::string message = PlanSigningMessage(SampleBundle().digest());
  EXPECT_EQ(message.size(), 14U + Digest::kSize);
  EXPECT_EQ(message.substr(0, 14), std::string("aisle/plan/v1\0", 14));
}

TEST(PlanFilesTest, AreReadFromAFolderOrItsPlanToml) {
  std::string folder = std::filesystem::temp_directory_path() / "aisle-plan-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  EXPECT_EQ(ReadPlanFiles(folder).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileDurably(folder + "/plan.toml", SamplePlan()).ok());
  EXPECT_EQ(ReadPlanFiles(folder).status().code(), StatusCode::kNotFound);  // No program yet.
  ASSERT_TRUE(WriteFileDurably(folder + "/sample.py", "def loss").ok());
  for (const std::string& path : {folder, folder + "/plan.toml"}) {
    const StatusOr<PlanFiles> files = ReadPlanFiles(path);
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_EQ(files->program, "def loss");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace aisle

// `.pt` files exported by a real PyTorch. Skipped where Debian's python3-torch isn't installed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/storage/files.h"
#include "tests/store-agent-worker/trial.h"

namespace aisle {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// The folder of exported archives, made once; empty if there is no PyTorch here.
const std::string& Archives() {
  static const std::string folder = [] {
    std::string name = std::filesystem::temp_directory_path() / "aisle-archives-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) return std::string();
    const std::string command = fmt::format("/usr/bin/python3 {} {} >{}/log 2>&1", AISLE_EXPORT_SCRIPT, name, name);
    return std::system(command.c_str()) == 0 ? name : std::string();
  }();
  return folder;
}

class ArchiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Archives().empty()) GTEST_SKIP() << "needs /usr/bin/python3 with python3-torch";
  }
  static void TearDownTestSuite() {
    std::error_code ignored;
    if (!Archives().empty()) std::filesystem::remove_all(Archives(), ignored);
  }

  static std::string Archive(const std::string& name) { return ReadFile(Archives() + "/" + name).value(); }

  static WorkerOutcome Export(std::string archive) {
    v1::WorkerRequest request;
    request.mutable_export_archive()->set_archive(std::move(archive));
    return RunOnShared(request);
  }

  static PlanBundle BundleOf(const std::string& name, const std::string& weights) {
    std::string toml = LinePlan().Toml();
    toml.resize(toml.find("[[parameters]]"));
    toml.replace(toml.find("source = \"line.py\""), 18, "archive = \"a.pt\"");
    return MakePlanBundle({.plan_toml = toml, .kind = ProgramKind::kArchive, .program = Archive(name)}, weights)
        .value();
  }
};

TEST_F(ArchiveTest, ExportsWhatTrainsInTheFlatFormat) {
  const WorkerOutcome outcome = Export(Archive("good.pt"));
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  const Weights weights = DecodeWeights(outcome.reply.exported().weights()).value();
  ASSERT_EQ(weights.layout.size(), 2U);  // The frozen parameter stays in the archive.
  EXPECT_EQ(weights.layout.specs()[0].name, "layer.weight");
  EXPECT_THAT(outcome.reply.exported().methods(), Contains("prepare"));
}

TEST_F(ArchiveTest, TrainsUnderTheSameContractAsSource) {
  for (const char* name : {"good.pt", "layer_norm.pt"}) {
    const WorkerOutcome exported = Export(Archive(name));
    ASSERT_TRUE(exported.ok()) << exported.detail;
    v1::WorkerRequest request = TrainRequest({});
    request.mutable_train()->set_weights(exported.reply.exported().weights());
    request.mutable_train()->set_bundle(BundleOf(name, exported.reply.exported().weights()).Encode());
    const WorkerOutcome first = RunOnShared(request);
    const WorkerOutcome again = RunOnShared(request);
    ASSERT_TRUE(first.ok()) << first.detail;
    EXPECT_LT(first.reply.trained().loss_after(), first.reply.trained().loss_before());
    EXPECT_EQ(first.reply.trained().update(), again.reply.trained().update());
  }
}

TEST_F(ArchiveTest, NothingRunsWhileLoading) {
  const std::string escape = "/tmp/aisle-escape";
  std::filesystem::remove(escape);
  const WorkerOutcome outcome = Export(Archive("setstate.pt"));
  EXPECT_EQ(outcome.end, WorkerEnd::kPlanInvalid) << outcome.detail;
  EXPECT_THAT(outcome.detail, HasSubstr("state__"));
  EXPECT_FALSE(FileExists(escape));
}

TEST_F(ArchiveTest, IsWalkedLikeSource) {
  const WorkerOutcome saves = Export(Archive("saves.pt"));
  EXPECT_EQ(saves.end, WorkerEnd::kPlanInvalid) << saves.detail;
  EXPECT_THAT(saves.detail, HasSubstr("aten::save"));
  const WorkerOutcome batch_norm = Export(Archive("batch_norm.pt"));
  EXPECT_EQ(batch_norm.end, WorkerEnd::kPlanInvalid) << batch_norm.detail;
  EXPECT_THAT(batch_norm.detail, HasSubstr("batch_norm"));
}

// What one call writes there, the next would read, and the next is about another customer.
TEST_F(ArchiveTest, KeepsNothingInConstantsOrLists) {
  for (const char* name : {"constant.pt", "list.pt"}) {
    const WorkerOutcome outcome = Export(Archive(name));
    EXPECT_EQ(outcome.end, WorkerEnd::kPlanInvalid) << name << outcome.detail;
    EXPECT_THAT(outcome.detail, HasSubstr("keeps no state")) << name;
  }
}

TEST_F(ArchiveTest, WhatIsNoArchiveIsRefused) {
  EXPECT_EQ(Export("").end, WorkerEnd::kPlanInvalid);
  EXPECT_EQ(Export("PK\x03\x04 and then nonsense").end, WorkerEnd::kPlanInvalid);
  EXPECT_EQ(Export(Archive("no_script.pt")).end, WorkerEnd::kPlanInvalid);
  std::string cut = Archive("good.pt");
  cut.resize(cut.size() / 2);
  EXPECT_EQ(Export(cut).end, WorkerEnd::kPlanInvalid);
}

TEST_F(ArchiveTest, EveryDamagedArchiveCostsOneTaskAtMost) {
  const std::string good = Archive("good.pt");
  for (size_t at = 10; at < good.size(); at += good.size() / 40) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x5a);
    Export(damaged);  // However it ends: the next task is fine.
  }
  EXPECT_TRUE(Export(good).ok());
}

}  // namespace
}  // namespace aisle

// `aisle` at headquarters: against an Admin service over real mTLS, as a user would run it.
#include <absl/time/clock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/config.h"
#include "cli/plan_file.h"
#include "tests/cli/fake_admin.h"
#include "tests/cli/plan_folder.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

using Json = nlohmann::json;

class HeadquartersTest : public ::testing::Test {
 protected:
  Ran Run(std::vector<std::string> arguments) {
    const std::vector<std::string> connection = admin_.Connection();
    arguments.insert(arguments.end(), connection.begin(), connection.end());
    return RunAisle(arguments);
  }
  Json RunJson(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.code, 0) << ran.error;
    EXPECT_TRUE(ran.error.empty()) << ran.error;
    return Json::parse(ran.out, nullptr, false);
  }

  v1::Job& AddJob(const std::string& id, v1::JobState state) {
    v1::Job& job = *admin_.jobs.add_jobs();
    job.set_id(id);
    job.set_state(state);
    job.set_plan_name("demand");
    job.set_plan_sha256(std::string(32, '\x5A'));
    job.set_rounds_total(3);
    job.set_privacy_unit("store");
    job.set_epsilon_floor(12.5);
    job.set_delta(1e-5);
    return job;
  }
  v1::JobSnapshot& AddSnapshot(v1::JobState state, uint32_t round, v1::RoundPhase phase) {
    v1::JobSnapshot& snapshot = admin_.snapshots.emplace_back();
    v1::Job& job = *snapshot.mutable_job();
    job.set_id("demand");
    job.set_state(state);
    job.set_rounds_total(2);
    job.set_rounds_committed(phase == v1::ROUND_PHASE_COMMITTED ? round : round - 1);
    job.set_privacy_unit("store");
    v1::Round& now = *snapshot.mutable_round();
    now.mutable_round()->set_job("demand");
    now.mutable_round()->set_number(round);
    now.set_phase(phase);
    now.set_stores_selected(3);
    now.set_stores_collected(3);
    now.set_opened_unix_ms(1'000);
    now.set_closed_unix_ms(3'500);
    if (phase == v1::ROUND_PHASE_COMMITTED) (*now.mutable_metrics())["loss"] = 0.25;
    return snapshot;
  }
  void PublishModel(const std::string& bytes, const std::string& digest_of) {
    v1::Model& model = *admin_.models.add_models();
    model.set_job("demand");
    model.set_version(2);
    model.mutable_round()->set_job("demand");
    model.mutable_round()->set_number(2);
    const std::string digest(Sha256::Of(digest_of).view());
    model.mutable_weights()->set_sha256(digest);
    model.mutable_weights()->set_size_bytes(bytes.size());
    admin_.blobs[digest] = bytes;
  }

  TemporaryFolder folder_;
  FakeAdmin admin_{folder_ / "chain"};
};

TEST_F(HeadquartersTest, EveryReadHasATableForPeopleAndJsonForPrograms) {
  AddJob("demand", v1::JOB_STATE_RUNNING);
  PublishModel("weights", "weights");
  v1::Round& round = *admin_.rounds.add_rounds();
  round.mutable_round()->set_job("demand");
  round.mutable_round()->set_number(1);
  round.add_stores()->set_store("leeds-01");
  admin_.stores.add_stores()->set_id("leeds-01");
  const std::vector<std::pair<std::vector<std::string>, std::string>> reads = {
      {{"overview"}, "chain"},
      {{"job", "list"}, "jobs"},
      {{"job", "show", "demand"}, "id"},
      {{"round", "list", "demand"}, "rounds"},
      {{"round", "show", "demand/1"}, "stores"},
      {{"round", "show", "demand"}, "stores"},
      {{"store", "list"}, "stores"},
      {{"store", "show", "leeds-01"}, "id"},
      {{"explain", "round", "demand/1"}, "findings"},
      {{"explain", "store", "leeds-01"}, "findings"},
      {{"explain", "job", "demand"}, "findings"},
      {{"model", "list"}, "models"},
      {{"model", "list", "demand"}, "models"},
      {{"model", "show", "demand@2"}, "weights"},
  };
  for (const auto& [arguments, key] : reads) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.code, 0) << arguments[0] << ran.error;
    EXPECT_FALSE(ran.out.empty()) << arguments[0];
    const Json json = RunJson(arguments);
    EXPECT_TRUE(json.is_object() && json.contains(key)) << arguments[0] << json.dump();
  }
}

TEST_F(HeadquartersTest, EmptyListsSayWhatToDoNext) {
  EXPECT_NE(Run({"store", "list"}).out.find("aisle store add"), std::string::npos);
  EXPECT_NE(Run({"job", "list"}).out.find("aisle job submit"), std::string::npos);
  EXPECT_EQ(RunJson({"job", "list"})["jobs"], Json::array());
}

TEST_F(HeadquartersTest, TextFromStoresCannotSteerTheTerminal) {
  admin_.stores.add_stores()->set_last_refusal("\x1b[2J\nroot# ");
  const Ran ran = Run({"store", "list"});
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 2) << ran.out;
}

TEST_F(HeadquartersTest, InvitesAStoreWithAFileForItsBoxAlone) {
  const std::string file = folder_ / "leeds-01.enrol.toml";
  const Ran ran = Run({"store", "add", "leeds-01", "--out", file});
  ASSERT_EQ(ran.code, 0) << ran.error;
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  StatusOr<ConfigTable> table = ConfigTable::ParseFile(file);
  ASSERT_TRUE(table.ok()) << table.status();
  std::string coordinator, store, code, chain, ca_pem;
  table->Require("coordinator", coordinator);
  table->Require("store", store);
  table->Require("code", code);
  table->Require("chain", chain);
  table->Require("ca_pem", ca_pem);
  EXPECT_TRUE(table->Finish().ok());
  EXPECT_EQ(coordinator, admin_.address());
  EXPECT_EQ(store, "leeds-01");
  EXPECT_EQ(code.size(), 32U);
  EXPECT_EQ(chain, "northwind");
  EXPECT_EQ(ca_pem, ReadAll(ChainPaths{admin_.identity()}.ca()));
  EXPECT_EQ(ran.out.find(code), std::string::npos) << "the code is for the file only";
}

TEST_F(HeadquartersTest, NeverOverwritesAnInvitation) {
  Write(folder_ / "kept", "as it was");
  const Ran ran = Run({"store", "add", "leeds-01", "--out", folder_ / "kept"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ReadAll(folder_ / "kept"), "as it was");
}

TEST_F(HeadquartersTest, RefusesNamesAndNumbersThatMakeNoSenseBeforeAskingAnybody) {
  EXPECT_EQ(Run({"store", "add", "Leeds 01"}).code, 4);
  EXPECT_EQ(Run({"store", "add", "a", "--code-lifetime", "5 weeks"}).code, 4);
  EXPECT_EQ(Run({"store", "add", "a", "--code-lifetime", "1s"}).code, 4);
  EXPECT_EQ(Run({"round", "show", "demand/zero"}).code, 4);
  EXPECT_EQ(Run({"round", "show", "demand/0"}).code, 4);
  EXPECT_EQ(Run({"model", "show", "demand@-1"}).code, 4);
  EXPECT_EQ(Run({"job", "show", "../etc"}).code, 4);
}

TEST_F(HeadquartersTest, RevokingSaysWhy) {
  EXPECT_EQ(RunJson({"store", "revoke", "leeds-01", "--reason", "box stolen"})["state"], "revoked");
  EXPECT_EQ(admin_.revoked.reason(), "box stolen");
}

TEST_F(HeadquartersTest, ReinstatingSaysWhatToDoNext) {
  EXPECT_EQ(RunJson({"store", "reinstate", "leeds-01"})["state"], "invited");
  EXPECT_EQ(admin_.reinstated.store(), "leeds-01");
  EXPECT_NE(Run({"store", "reinstate", "leeds-01"}).out.find("aisle store add leeds-01"), std::string::npos);
}

TEST_F(HeadquartersTest, WhatIsUnknownIsExitCodeThree) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"job", "show", "nope"},
                                                                     {"store", "show", "nope"},
                                                                     {"model", "show", "nope"},
                                                                     {"round", "show", "nope/3"}}) {
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.code, 3) << arguments[0];
    EXPECT_TRUE(ran.error.starts_with("aisle: ")) << ran.error;
  }
  const Ran json = Run({"job", "show", "nope", "--json"});
  EXPECT_EQ(Json::parse(json.error, nullptr, false)["error"]["code"], "not_found") << json.error;
}

TEST_F(HeadquartersTest, ACoordinatorThatIsNotThereIsExitCodeFive) {
  const Ran ran = RunAisle({"overview", "--coordinator", "127.0.0.1:1", "--identity", admin_.identity()});
  EXPECT_EQ(ran.code, 5);
  EXPECT_NE(ran.error.find("127.0.0.1:1"), std::string::npos) << ran.error;
  EXPECT_NE(ran.error.find("AISLE_COORDINATOR"), std::string::npos) << ran.error;
  EXPECT_EQ(std::ranges::count(ran.error, '\n'), 1) << ran.error;
}

TEST_F(HeadquartersTest, TheEnvironmentSaysWhereAndWhoIfTheLineDoesNot) {
  EXPECT_EQ(
      RunAisle({"overview"}, {{"AISLE_COORDINATOR", admin_.address()}, {"AISLE_IDENTITY", admin_.identity()}}).code, 0);
  EXPECT_EQ(RunAisle({"overview", "--coordinator", admin_.address()},
                     {{"AISLE_COORDINATOR", "127.0.0.1:1"}, {"AISLE_IDENTITY", admin_.identity()}})
                .code,
            0);
  std::vector<std::string> globals = admin_.Connection();
  globals.push_back("overview");
  EXPECT_EQ(RunAisle(globals).code, 0) << "global options may come before the command";
}

TEST_F(HeadquartersTest, WithoutAnIdentityItSaysHowToGiveOne) {
  const Ran none = RunAisle({"overview", "--coordinator", admin_.address()});
  EXPECT_EQ(none.code, 4);
  EXPECT_NE(none.error.find("--identity"), std::string::npos) << none.error;
  EXPECT_EQ(RunAisle({"overview", "--identity", folder_ / "missing"}).code, 3);
}

TEST_F(HeadquartersTest, AForeignIdentityIsTurnedAway) {
  ASSERT_EQ(RunAisle({"init", folder_ / "other", "--chain", "other"}).code, 0);
  const Ran ran = RunAisle({"overview", "--coordinator", admin_.address(), "--identity", folder_ / "other"});
  EXPECT_EQ(ran.code, 5) << "the server's certificate isn't of this chain: " << ran.error;
}

TEST_F(HeadquartersTest, FetchesAModelWholeOverABrokenLink) {
  const std::string weights(10'500, 'w');
  PublishModel(weights, weights);
  admin_.break_stream_after = 3;
  const Ran ran = Run({"model", "fetch", "demand", "--out", folder_ / "demand.weights"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(ReadAll(folder_ / "demand.weights"), weights);
}

TEST_F(HeadquartersTest, AModelThatArrivesDamagedLeavesTheOldFileAlone) {
  PublishModel("other", "these");
  Write(folder_ / "demand.weights", "old");
  const Ran ran = Run({"model", "fetch", "demand@2", "--out", folder_ / "demand.weights"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(ReadAll(folder_ / "demand.weights"), "old");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "demand.weights.part"));
}

TEST_F(HeadquartersTest, WatchingPrintsALineForEachEndedRoundAndHowItEnded) {
  AddSnapshot(v1::JOB_STATE_RUNNING, 1, v1::ROUND_PHASE_TRAINING);
  AddSnapshot(v1::JOB_STATE_RUNNING, 1, v1::ROUND_PHASE_COMMITTED);
  AddSnapshot(v1::JOB_STATE_RUNNING, 1, v1::ROUND_PHASE_COMMITTED);
  AddSnapshot(v1::JOB_STATE_FINISHED, 2, v1::ROUND_PHASE_COMMITTED);
  const Ran ran = Run({"job", "watch", "demand"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 3) << ran.out;
  EXPECT_NE(ran.out.find("took 2.5s"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("loss 0.25"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("demand is finished"), std::string::npos) << ran.out;
}

TEST_F(HeadquartersTest, WatchingAsJsonIsOneSnapshotPerLine) {
  AddSnapshot(v1::JOB_STATE_RUNNING, 1, v1::ROUND_PHASE_TRAINING);
  AddSnapshot(v1::JOB_STATE_FINISHED, 2, v1::ROUND_PHASE_COMMITTED);
  const Ran ran = Run({"job", "watch", "demand", "--json"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  std::istringstream lines(ran.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(Json::parse(line, nullptr, false)["job"]["id"], "demand") << line;
  }
  EXPECT_EQ(count, 2);
}

TEST_F(HeadquartersTest, WatchingGoesOnAfterTheCoordinatorsRestart) {
  AddSnapshot(v1::JOB_STATE_RUNNING, 1, v1::ROUND_PHASE_COMMITTED);
  AddSnapshot(v1::JOB_STATE_FINISHED, 2, v1::ROUND_PHASE_COMMITTED);
  admin_.break_stream_after = 1;
  const Ran ran = Run({"job", "watch", "demand"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(admin_.watches, 2);
  EXPECT_EQ(std::ranges::count(ran.out, '\n'), 3) << "round 1 has one line only:\n" << ran.out;
}

TEST_F(HeadquartersTest, AJobThatFailedOrWasCancelledIsExitCodeOneWithTheReason) {
  for (const v1::JobState state : {v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED}) {
    admin_.snapshots.clear();
    AddSnapshot(state, 1, v1::ROUND_PHASE_ABORTED).mutable_job()->set_state_reason("too few stores");
    const Ran ran = Run({"job", "watch", "demand"});
    EXPECT_EQ(ran.code, 1);
    EXPECT_NE(ran.error.find("too few stores"), std::string::npos) << ran.error;
  }
  admin_.snapshots.clear();
  EXPECT_EQ(Run({"job", "watch", "nope"}).code, 3);
}

TEST_F(HeadquartersTest, CancelsAJob) {
  AddJob("demand", v1::JOB_STATE_RUNNING);
  const Json job = RunJson({"job", "cancel", "demand", "--reason", "wrong plan"});
  EXPECT_EQ(job["state"], "JOB_STATE_CANCELLED");
  EXPECT_EQ(job["state_reason"], "wrong plan");
}

class SubmitTest : public HeadquartersTest {
 protected:
  SubmitTest() {
    WriteTinyPlan(folder_ / "tiny");
    const Ran built = RunAisle({"plan", "build", folder_ / "tiny", "--out", plan_, "--identity", admin_.identity()});
    EXPECT_EQ(built.code, 0) << built.error;
  }
  std::string plan_ = folder_ / "tiny.plan";
};

TEST_F(SubmitTest, SendsThePlanItsWeightsAndTheSignature) {
  const Ran ran = Run(
      {"job", "submit", plan_, "--job", "tiny", "--rounds", "5", "--cohort", "2", "--priority", "7", "--no-dry-run"});
  ASSERT_EQ(ran.code, 0) << ran.error;
  const PlanFile file = *PlanFile::Load(plan_);
  EXPECT_EQ(admin_.submitted.job(), "tiny");
  EXPECT_EQ(admin_.submitted.rounds(), 5U);
  EXPECT_EQ(admin_.submitted.cohort_target(), 2U);
  EXPECT_EQ(admin_.submitted.priority(), 7U);
  EXPECT_EQ(admin_.submitted.plan_sha256(), file.bundle.digest().view());
  EXPECT_EQ(admin_.submitted.plan_signature(), file.signature->signature);
  EXPECT_EQ(admin_.blobs.at(admin_.submitted.plan_sha256()), file.bundle.Encode());
  EXPECT_EQ(admin_.blobs.at(std::string(file.bundle.initial_weights.view())), file.weights);
  const auto key = VerifyKey::Load(ChainPaths{admin_.identity()}.plan_verify_key());
  EXPECT_TRUE(VerifyPlan({&*key, 1}, file.bundle.digest(), admin_.submitted.plan_signature()).ok());
}

TEST_F(SubmitTest, BuildsAndSignsAPlansFolderOnTheFlyAndRunsAllTheRoundsItAllows) {
  ASSERT_EQ(Run({"job", "submit", folder_ / "tiny", "--job", "tiny", "--no-dry-run"}).code, 0);
  EXPECT_EQ(admin_.submitted.rounds(), 50U);
  EXPECT_EQ(admin_.submitted.plan_sha256(), PlanFile::Load(plan_)->bundle.digest().view());
}

TEST_F(SubmitTest, StartsFromAPublishedModelOnRequest) {
  PublishModel("w", "w");
  ASSERT_EQ(Run({"job", "submit", plan_, "--job", "tiny", "--from", "demand", "--no-dry-run"}).code, 0);
  EXPECT_EQ(admin_.submitted.base_model_job(), "demand");
  EXPECT_EQ(admin_.submitted.base_model_version(), 2U);
}

TEST_F(SubmitTest, RefusesWhatThePlansContractRulesOut) {
  const Ran rounds = Run({"job", "submit", plan_, "--job", "tiny", "--rounds", "51", "--no-dry-run"});
  EXPECT_EQ(rounds.code, 4);
  EXPECT_NE(rounds.error.find("50 rounds"), std::string::npos) << rounds.error;
  EXPECT_EQ(Run({"job", "submit", plan_, "--job", "tiny", "--cohort", "1", "--no-dry-run"}).code, 4);
  EXPECT_TRUE(admin_.submitted.job().empty());
}

TEST_F(SubmitTest, RefusesAPlanThatNobodySigned) {
  const std::string bare = folder_ / "bare.plan";
  ASSERT_EQ(RunAisle({"plan", "build", folder_ / "tiny", "--out", bare, "--unsigned"}).code, 0);
  const Ran ran = Run({"job", "submit", bare, "--job", "tiny", "--no-dry-run"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("--key"), std::string::npos) << ran.error;
}

TEST_F(SubmitTest, PassesOnTheCoordinatorsRefusal) {
  admin_.refuse_submit = grpc::Status(grpc::StatusCode::ALREADY_EXISTS, "job tiny exists already");
  const Ran ran = Run({"job", "submit", plan_, "--job", "tiny", "--no-dry-run"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("job tiny exists already"), std::string::npos) << ran.error;
}

TEST_F(SubmitTest, WithoutAWorkerSaysHowToPointToOne) {
  const Ran ran = Run({"job", "submit", plan_, "--job", "tiny", "--worker", folder_ / "none"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_NE(ran.error.find("--worker"), std::string::npos) << ran.error;
  EXPECT_TRUE(admin_.submitted.job().empty());
}

TEST_F(SubmitTest, CanFollowTheJobToItsEnd) {
  AddSnapshot(v1::JOB_STATE_FINISHED, 2, v1::ROUND_PHASE_COMMITTED);
  const Ran ran = Run({"job", "submit", plan_, "--job", "demand", "--no-dry-run", "--watch"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_NE(ran.out.find("demand is finished"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace aisle::cli

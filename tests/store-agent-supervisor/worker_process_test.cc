// The supervisor against programs that are no good worker at all: shell scripts.
#include "store-agent/supervisor/worker_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/storage/files.h"
#include "store-agent/supervisor/environment.h"

namespace aisle {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class WorkerProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / "aisle-supervisor-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A worker that runs `script` once a request has begun to come.
  std::unique_ptr<WorkerProcess> StartScript(const std::string& script) {
    const std::string program = folder_ + "/worker.sh";
    EXPECT_TRUE(WriteFileDurably(program, "#!/bin/sh\nhead -c 4 >/dev/null\n" + script + "\n", 0755).ok());
    return WorkerProcess::Start(program).value();
  }
  WorkerOutcome RunScript(const std::string& script, TaskLimits limits = Limits()) {
    return StartScript(script)->Run(SmallRequest(), limits);
  }
  static v1::WorkerRequest SmallRequest() {
    v1::WorkerRequest request;
    request.set_request_id(9);
    request.mutable_inspect();
    return request;
  }
  static TaskLimits Limits() {
    return {.memory = uint64_t{1} << 30, .cpu_time = absl::Seconds(60), .wall_time = absl::Seconds(60)};
  }
  // `printf` arguments that write a frame of `reply`.
  static std::string Printf(const v1::WorkerReply& reply) {
    const std::string message = reply.SerializeAsString();
    std::string escaped;
    for (const char c : FrameHeader(message.size()) + message)
      escaped += fmt::format("\\{:03o}", static_cast<uint8_t>(c));
    return "printf '" + escaped + "'";
  }
  static std::string FrameHeader(size_t size) { return std::string(reinterpret_cast<const char*>(&size), 4); }

  std::string folder_;
};

TEST_F(WorkerProcessTest, AMissingProgramIsToldAtOnce) {
  EXPECT_EQ(WorkerProcess::Start(folder_ + "/nothing").status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileDurably(folder_ + "/data", "", 0600).ok());
  EXPECT_EQ(WorkerProcess::Start(folder_ + "/data").status().code(), StatusCode::kPermissionDenied);
}

TEST_F(WorkerProcessTest, AnAnswerIsPassedOn) {
  v1::WorkerReply reply;
  reply.set_request_id(9);
  reply.mutable_inspected()->set_parameters(42);
  const std::unique_ptr<WorkerProcess> worker = StartScript(Printf(reply) + "; exec sleep 1000");
  const WorkerOutcome outcome = worker->Run(SmallRequest(), Limits());
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_EQ(outcome.reply.inspected().parameters(), 42U);
  EXPECT_TRUE(worker->alive());
  EXPECT_GT(worker->memory_resident(), 0U);
  const pid_t pid = worker->pid();
  worker->Kill();
  EXPECT_FALSE(worker->alive());
  EXPECT_EQ(kill(pid, 0), -1);
  EXPECT_EQ(worker->Run(SmallRequest(), Limits()).end, WorkerEnd::kNotStarted);
}

TEST_F(WorkerProcessTest, ProgressComesBeforeTheAnswer) {
  v1::WorkerReply progress;
  progress.set_request_id(9);
  progress.mutable_progress()->set_step(3);
  v1::WorkerReply reply;
  reply.set_request_id(9);
  reply.mutable_inspected();
  std::vector<uint32_t> steps;
  const WorkerOutcome outcome =
      StartScript(Printf(progress) + ";" + Printf(progress) + ";" + Printf(reply) + "; exec sleep 1000")
          ->Run(SmallRequest(), Limits(), [&](const v1::Progress& told) { steps.push_back(told.step()); });
  EXPECT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_EQ(steps, (std::vector<uint32_t>{3, 3}));
}

TEST_F(WorkerProcessTest, PiecesOfCheckpointsAreToldAsTheyCome) {
  v1::WorkerReply piece;
  piece.set_request_id(9);
  piece.mutable_checkpoint()->set_piece("some");
  v1::WorkerReply last = piece;
  last.mutable_checkpoint()->set_offset_bytes(4);
  last.mutable_checkpoint()->set_last(true);
  v1::WorkerReply reply;
  reply.set_request_id(9);
  reply.mutable_inspected();
  std::vector<uint64_t> offsets;
  const WorkerOutcome outcome =
      StartScript(Printf(piece) + ";" + Printf(last) + ";" + Printf(reply) + "; exec sleep 1000")
          ->Run(SmallRequest(), Limits(), {}, {},
                [&](const v1::Checkpoint& told) { offsets.push_back(told.offset_bytes()); });
  EXPECT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_EQ(offsets, (std::vector<uint64_t>{0, 4}));
}

TEST_F(WorkerProcessTest, ALengthOverTheLimitIsRefusedUnread) {
  const WorkerOutcome outcome = RunScript("printf '\\377\\377\\377\\177'; exec sleep 1000");
  EXPECT_EQ(outcome.end, WorkerEnd::kBadFrame);
  EXPECT_THAT(outcome.detail, HasSubstr("limit"));
}

TEST_F(WorkerProcessTest, NonsenseAndForeignAnswersAreRefused) {
  EXPECT_EQ(RunScript("printf '\\003\\000\\000\\000\\377\\377\\377'; exec sleep 1000").end, WorkerEnd::kBadFrame);
  v1::WorkerReply reply;
  reply.set_request_id(8);
  reply.mutable_inspected();
  EXPECT_EQ(RunScript(Printf(reply) + "; exec sleep 1000").end, WorkerEnd::kBadFrame);
}

TEST_F(WorkerProcessTest, SilenceEndsAtTheWallTimeCap) {
  TaskLimits limits = Limits();
  limits.wall_time = absl::Milliseconds(50);
  EXPECT_EQ(RunScript("exec sleep 1000", limits).end, WorkerEnd::kWallTimeCap);
}

TEST_F(WorkerProcessTest, EndlessProgressEndsAtTheWallTimeCapToo) {
  v1::WorkerReply progress;
  progress.set_request_id(9);
  progress.mutable_progress()->set_step(1);
  TaskLimits limits = Limits();
  limits.wall_time = absl::Milliseconds(200);
  EXPECT_EQ(RunScript("while true; do " + Printf(progress) + "; done", limits).end, WorkerEnd::kWallTimeCap);
}

v1::WorkerReply MarkOf(std::vector<uint32_t> customers, uint32_t step = 0) {
  v1::WorkerReply reply;
  reply.set_request_id(9);
  reply.mutable_mark()->set_step(step);
  reply.mutable_mark()->mutable_customers()->Add(customers.begin(), customers.end());
  return reply;
}

TEST_F(WorkerProcessTest, SaysOverWhomItDied) {
  const WorkerOutcome outcome = RunScript(Printf(MarkOf({4})) + ";" + Printf(MarkOf({5, 8}, 3)) + "; kill -SEGV $$");
  EXPECT_EQ(outcome.end, WorkerEnd::kCrash);
  EXPECT_EQ(outcome.mark.step, 3U);
  EXPECT_EQ(outcome.mark.customers, (std::vector<uint32_t>{5, 8}));
  EXPECT_TRUE(RunScript(Printf(MarkOf({4})) + ";" + Printf(MarkOf({})) + "; exit 1").mark.customers.empty());
}

TEST_F(WorkerProcessTest, OneCustomersTimeIsOverLongBeforeTheTasks) {
  TaskLimits limits = Limits();
  limits.customer_time = absl::Milliseconds(20);
  const std::string busy = "; while true; do :; done";
  const WorkerOutcome outcome = RunScript(Printf(MarkOf({4})) + busy, limits);
  EXPECT_EQ(outcome.end, WorkerEnd::kCustomerTimeCap);
  EXPECT_THAT(outcome.detail, HasSubstr("customer_time"));
  EXPECT_EQ(outcome.mark.customers, std::vector<uint32_t>{4});
  EXPECT_FALSE(outcome.worker_survives());
  EXPECT_LT(outcome.use.wall_time, limits.wall_time);
  EXPECT_GE(outcome.use.cpu_time, limits.customer_time);
}

// Others on the box, or nobody to blame: that is no customer's time.
TEST_F(WorkerProcessTest, WaitingIsNoCustomersDoing) {
  TaskLimits limits = Limits();
  limits.customer_time = absl::Milliseconds(20);
  limits.wall_time = absl::Milliseconds(300);
  EXPECT_EQ(RunScript(Printf(MarkOf({4})) + "; exec sleep 1000", limits).end, WorkerEnd::kWallTimeCap);
  const std::string busy = "; while true; do :; done";
  EXPECT_EQ(RunScript(Printf(MarkOf({4})) + ";" + Printf(MarkOf({})) + busy, limits).end, WorkerEnd::kWallTimeCap);
}

TEST_F(WorkerProcessTest, AWorkerThatDiedBetweenTasksIsKnownToBeGone) {
  const std::unique_ptr<WorkerProcess> worker = StartScript("exec sleep 1000");
  kill(worker->pid(), SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(worker->pid()), &info, WEXITED | WNOWAIT);
  EXPECT_FALSE(worker->alive());
  EXPECT_EQ(worker->Run(SmallRequest(), Limits()).end, WorkerEnd::kNotStarted);
}

TEST_F(WorkerProcessTest, SilenceEndsWhenItsCallerGivesUp) {
  const std::unique_ptr<WorkerProcess> worker = StartScript("exec sleep 1000");
  std::stop_source stop;
  std::thread giver([&stop] { stop.request_stop(); });
  EXPECT_EQ(worker->Run(SmallRequest(), Limits(), {}, stop.get_token()).end, WorkerEnd::kStopped);
  giver.join();
  EXPECT_FALSE(worker->alive());
}

TEST_F(WorkerProcessTest, DeathIsToldWithItsLastWords) {
  const WorkerOutcome outcome = RunScript("echo 'no luck today' >&2; exit 7");
  EXPECT_EQ(outcome.end, WorkerEnd::kCrash);
  EXPECT_THAT(outcome.detail, HasSubstr("code 7"));
  EXPECT_THAT(outcome.detail, HasSubstr("no luck today"));
  EXPECT_EQ(RunScript("kill -SYS $$").end, WorkerEnd::kSandbox);
  EXPECT_EQ(RunScript("kill -SEGV $$").end, WorkerEnd::kCrash);
}

TEST_F(WorkerProcessTest, ABigRequestToAProgramThatReadsNothingIsNoHang) {
  v1::WorkerRequest request = SmallRequest();
  request.mutable_inspect()->set_bundle(std::string(8 << 20, 'x'));
  EXPECT_EQ(StartScript("exit 0")->Run(request, Limits()).end, WorkerEnd::kCrash);
  TaskLimits limits = Limits();
  limits.wall_time = absl::Milliseconds(50);
  EXPECT_EQ(StartScript("exec sleep 1000")->Run(request, limits).end, WorkerEnd::kWallTimeCap);
}

TEST_F(WorkerProcessTest, NothingOfOursIsHandedOn) {
  ::setenv("AISLE_SECRET", "hunter2", 1);
  RunScript("env > " + folder_ + "/env; ls /proc/self/fd > " + folder_ + "/fds; exit 0");
  ::unsetenv("AISLE_SECRET");
  const std::string environment = ReadFile(folder_ + "/env").value();
  EXPECT_EQ(environment.find("hunter2"), std::string::npos);
  EXPECT_THAT(environment, HasSubstr("OMP_NUM_THREADS=1"));
  EXPECT_EQ(ReadFile(folder_ + "/fds").value(), "0\n1\n2\n3\n");  // 3 is ls's own.
}

TEST(WorkerEnvironmentTest, NamesTheSettingsThatCountOnThisMachine) {
  EXPECT_THAT(WorkerEnvironment(), Contains("OMP_WAIT_POLICY=passive"));
}

}  // namespace
}  // namespace aisle

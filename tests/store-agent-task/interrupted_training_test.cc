// A training that lost its worker, its agent or the power on the way: it goes on, gives the very same, and costs no
// more.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/cover.h"
#include "plans/initial_weights.h"
#include "tests/store-agent-task/site_task.h"

namespace aisle {
namespace {

// The real worker in a shell that watches what it says.
class InterruptedTrainingTest : public SiteTaskTest {
 protected:
  InterruptedTrainingTest() {
    policy_.units.insert(PrivacyUnit::kNone);  // Without noise, two trainings can be compared.
    plan_.limits =
        "memory = \"1 GiB\"\ncpu_time = \"20m\"\nwall_time = \"1h\"";  // Every checkpoint waits for the disk.
    OpenTrainings(folder_.File("training"));
  }

  void OpenTrainings(const std::string& folder, absl::Duration every = absl::Nanoseconds(1)) {
    trainings_ = TrainingFolder::Open(folder, store_key_, every).value();
  }
  void Restart() { Build(&*trainings_); }
  // With a worker that nobody disturbs.
  void RestartOver(const std::string& trainings, absl::Duration every = absl::Nanoseconds(1)) {
    worker_program_ = AISLE_WORKER_PROGRAM;
    OpenTrainings(folder_.File(trainings), every);
    Restart();
  }
  void OfferWithoutNoise(std::string training) {
    plan_.training = std::move(training);
    PlanBundle bundle = plan_.Bundle();
    bundle.plan_toml =
        Replaced(bundle.plan_toml, "mode = \"store\"\nclip_norm = 0.5\nnoise_multiplier = 1.0\ndelta = 1e-6",
                 "mode = \"none\"\nclip_norm = 0.5");
    Offer(bundle);
  }
  // A worker that is killed whenever it has said so many bytes.
  void KillWorkerAfter(int bytes) {
    Script(fmt::format("{} | {{ dd bs=1 count={} 2>/dev/null; kill -9 $$; }}", AISLE_WORKER_PROGRAM, bytes));
  }
  // A worker that goes on only when the disk, as it is after its first so many bytes, was put aside: what a start would
  // find after a power cut at that instant.
  void PutAsideAfter(int bytes) {
    const std::string kept = folder_.File("training");
    Script(fmt::format("{} | {{ head -c {}; until [ -e {}/line-1.checkpoint ]; do :; done; cp -r {} {}; cat; }}",
                       AISLE_WORKER_PROGRAM, bytes, kept, kept, folder_.File("aside")));
  }
  void Script(const std::string& commands) {
    worker_program_ = folder_.File("worker.sh");
    ASSERT_TRUE(WriteFileDurably(worker_program_, "#!/bin/sh\n" + commands + "\n", 0755).ok());
    Restart();
  }
  // Of the update that is ready to be sent, or why there is none.
  std::string Update() {
    if (const std::string refused = Vet(); !refused.empty()) return refused;
    if (const std::string ended = Train(absl::Hours(1)); !ended.empty()) return ended;
    const auto released = steps_->Release(task_);
    if (const auto* end = std::get_if<TaskEnd>(&released)) return Ended(*end);
    return std::get<BlobName>(released).digest.Hex();
  }
  std::string Undisturbed() {
    worker_program_ = AISLE_WORKER_PROGRAM;
    Build();  // Keeps nothing.
    return Update();
  }
  bool KeepsAnything(const std::string& folder) { return !std::filesystem::is_empty(folder_.File(folder)); }

  SecretBytes store_key_ = DrawKey(random_);
  std::optional<TrainingFolder> trainings_;
};

constexpr std::string_view kAdam = "optimizer = \"adam\"\nlearning_rate = 0.05\nepochs = 2\nbatch_size = 16";
constexpr int kSomeSteps = 26'000;  // Of 12: a checkpoint has 5 KB.

TEST_F(InterruptedTrainingTest, AKilledWorkersTaskGoesOnFromItsCheckpoint) {
  FillTable(100);
  OfferWithoutNoise(std::string(kAdam));
  const std::string undisturbed = Undisturbed();
  ASSERT_EQ(undisturbed.size(), 64U) << undisturbed;
  KillWorkerAfter(kSomeSteps);
  EXPECT_EQ(Update(), undisturbed) << "three runs of five steps";
  EXPECT_FALSE(KeepsAnything("training")) << "what is over leaves nothing";
}

TEST_F(InterruptedTrainingTest, AWorkerThatIsKilledOverAndOverEndsTheTask) {
  FillTable(100);
  OfferWithoutNoise(std::string(kAdam));
  KillWorkerAfter(100);
  ASSERT_EQ(Vet(), "");
  EXPECT_EQ(Train(), "memory_cap");
  EXPECT_FALSE(KeepsAnything("training"));
}

TEST_F(InterruptedTrainingTest, AfterAPowerCutTheSameUpdateIsMade) {
  FillTable(100);
  OfferWithoutNoise(std::string(kAdam));
  PutAsideAfter(kSomeSteps);
  const std::string undisturbed = Update();
  ASSERT_EQ(undisturbed.size(), 64U) << undisturbed;
  ASSERT_TRUE(KeepsAnything("aside"));
  const std::string late = folder_.Write("late.csv", "a,x,y,secret\n7,0.9,-3,1\n8,0.8,-3,1\n");
  ASSERT_EQ(IngestFile(*tables_, TableName::Parse("points").value(), late)->rows_added, 2U);
  RestartOver("aside");
  const uint64_t before = CoverageCount("agent.training_taken_up");
  EXPECT_EQ(Update(), undisturbed) << "rows that came in meanwhile are for the next round";
  EXPECT_EQ(CoverageCount("agent.training_taken_up"), before + 1);
  EXPECT_FALSE(KeepsAnything("aside"));
  EXPECT_NE(Undisturbed(), undisturbed) << "or the new rows would have made no difference anyhow";
}

TEST_F(InterruptedTrainingTest, AStoppedTrainingGoesOnAtTheNextStart) {
  FillTable(100);
  OfferWithoutNoise("epochs = 10000\nbatch_size = 1\nsteps_max = 8000");
  const std::string undisturbed = Undisturbed();
  OpenTrainings(folder_.File("training"), absl::Hours(1));
  const std::string begun = folder_.File("begun");
  Script(fmt::format("{} | {{ head -c 8; touch {}; cat; }}", AISLE_WORKER_PROGRAM, begun));
  ASSERT_EQ(Vet(), "");
  std::stop_source stop;
  std::thread stopper([&] {
    while (!FileExists(begun)) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_NE(Train(absl::Hours(1), stop.get_token()), "");
  stopper.join();
  RestartOver("training");
  const uint64_t before = CoverageCount("agent.training_taken_up");
  EXPECT_EQ(Update(), undisturbed);
  EXPECT_EQ(CoverageCount("agent.training_taken_up"), before + 1);
}

TEST_F(InterruptedTrainingTest, AForgottenCustomersRowsAreNotTrainedOnAgain) {
  FillTable(100);
  OfferWithoutNoise(std::string(kAdam));
  PutAsideAfter(kSomeSteps);
  const std::string undisturbed = Update();
  ASSERT_TRUE(tables_->ForgetCustomer("ann").ok());
  RestartOver("aside", absl::Hours(1));
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_FALSE(KeepsAnything("aside")) << "what held their rows is gone, and the training was begun anew";
}

TEST_F(InterruptedTrainingTest, AShortTrainingLeavesNoTraceOnTheDisk) {
  FillTable(100);
  OfferWithoutNoise(std::string(kAdam));
  OpenTrainings(folder_.File("training"), absl::Hours(1));
  Restart();
  ASSERT_EQ(Vet(), "");
  ASSERT_EQ(Train(), "");
  EXPECT_FALSE(KeepsAnything("training"));
}

// ---- Mode local-sgd: paid for before the first step.
constexpr std::string_view kLocalSgdPlan = R"([plan]
name = "spend"
version = 1
source = "spend.py"
[tables.visits.columns]
who = {type = "customer"}
spent = {type = "double", range = [-100, 100]}
[training]
learning_rate = 0.1
momentum = 0.5
[privacy]
secure_sum = false
mode = "local-sgd"
steps = 20
update_norm_max = 1.0
sampling_rate = 0.5
customers_per_store = 100
clip_norm = 0.5
noise_multiplier = 8.0
delta = 1e-6
rounds_max = 10
[cohort]
min = 2
target = 4
[limits]
memory = "1 GiB"
cpu_time = "20m"
wall_time = "1h"
[[parameters]]
name = "level"
shape = [1]
)";
constexpr std::string_view kLocalSgdProgram = R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    visits = tables["visits"]
    return {"unit": visits["who"], "spent": visits["spent"].to(6)}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    return torch.square(self.level - batch["spent"])

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"count": torch.ones_like(batch["spent"]).sum()}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"level": batch["spent"] * self.level}
)";

class InterruptedLocalSgdTest : public InterruptedTrainingTest {
 protected:
  InterruptedLocalSgdTest() {
    schema_ = Schema::Parse(kVisitTables).value();
    tables_.reset();
    tables_ = TableStore::Open(folder_.File("visits"), schema_, random_).value();
    const std::string toml(kLocalSgdPlan);
    const std::string weights = EncodeWeights(MakeInitialWeights(Plan::Parse(toml).value()).value());
    weights_ = Keep(weights);
    Offer(MakePlanBundle({.plan_toml = toml, .program = std::string(kLocalSgdProgram)}, weights).value());
    std::string csv = "who,spent\n";
    for (int i = 0; i < 20; ++i) csv += fmt::format("c{},{}\n", i, i % 7);
    EXPECT_TRUE(IngestFile(*tables_, TableName::Parse("visits").value(), folder_.Write("visits.csv", csv)).ok());
  }
};

TEST_F(InterruptedLocalSgdTest, AfterAPowerCutTheStepsThatWerePaidForGoOn) {
  PutAsideAfter(1500);
  const std::string undisturbed = Update();
  ASSERT_EQ(undisturbed.size(), 64U) << undisturbed;
  ASSERT_EQ(ledger_->head().entries, 1U);
  policy_.caps.floor_per_year = 1e-9;  // Nothing more can be paid for, and nothing needs to be.
  RestartOver("aside");
  EXPECT_EQ(Update(), undisturbed) << "the same noise, on the same rows, of the same debit";
  EXPECT_EQ(ledger_->head().entries, 1U);
  EXPECT_FALSE(KeepsAnything("aside"));
  EXPECT_EQ(Update(), "privacy_budget") << "another training of that round is another debit";
}

TEST_F(InterruptedLocalSgdTest, APaidTrainingThatCantBeOpenedIsANewDebit) {
  PutAsideAfter(1500);
  const std::string undisturbed = Update();
  ASSERT_TRUE(WriteFileDurably(folder_.File("aside") + "/line-1.task", "damaged").ok());
  RestartOver("aside");
  const std::string again = Update();
  EXPECT_EQ(again.size(), 64U) << again;
  EXPECT_NE(again, undisturbed) << "with noise of its own";
  EXPECT_EQ(ledger_->head().entries, 2U);
}

}  // namespace
}  // namespace aisle

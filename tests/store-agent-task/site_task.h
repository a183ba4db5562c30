// A real site for tasks: tables, ledger, policy, spool and worker. Headquarters' part, a signed plan in the cache, is
// played.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <stop_token>
#include <string>

#include "store-agent/ingest/ingest.h"
#include "store-agent/task/site_task_steps.h"
#include "tests/storage/temporary_folder.h"
#include "tests/store-agent-worker/trial.h"

namespace aisle {

inline constexpr std::string_view kPointTables = R"(
[points]
time = "a"
[points.columns]
a = {type = "int64", range = [0, 99]}
x = {type = "double", range = [-1, 1]}
y = {type = "double", range = [-3, 3]}
secret = {type = "int64", range = [0, 9]}
)";

// What customers spent at visits.
inline constexpr std::string_view kVisitTables = R"(
[visits]
customer = "who"
[visits.columns]
who = {type = "string", nullable = true}
spent = {type = "double", range = [-100, 100]}
)";

inline std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

class SiteTaskTest : public ::testing::Test {
 protected:
  explicit SiteTaskTest(std::string_view tables_toml = kPointTables) {
    schema_ = Schema::Parse(tables_toml).value();
    tables_ = TableStore::Open(folder_.File("tables"), schema_, random_).value();
    weights_ = Keep(plan_.Weights());
    Offer(plan_.Bundle());
    policy_.wall_time_max = absl::Hours(2);
    policy_.secure_sum_required = false;
    Build();
  }

  // A new agent over the same disk. Null: it keeps nothing of a training that is interrupted.
  void Build(const TrainingFolder* trainings = nullptr) {
    steps_.emplace(SiteParts{.cache = cache_,
                             .spool = spool_,
                             .meter = meter_,
                             .tables = *tables_,
                             .schema = schema_,
                             .policy = policy_,
                             .ledger = *ledger_,
                             .metrics = metrics_,
                             .clock = clock_,
                             .random = random_,
                             .plan_keys = [this] { return std::vector<VerifyKey>{key_.verify_key()}; },
                             .worker_program = worker_program_,
                             .trainings = trainings});
  }

  BlobName Keep(const std::string& content) {
    const BlobName blob{.digest = Sha256::Of(content), .size = content.size()};
    PartialBlob part = cache_.Begin(blob).value();
    EXPECT_TRUE(part.Append(content).ok());
    EXPECT_TRUE(part.Finish().ok());
    return blob;
  }
  void Offer(const PlanBundle& bundle) { OfferBytes(bundle.Encode()); }
  void OfferBytes(const std::string& bytes) {
    task_.plan = Keep(bytes);
    task_.weights = weights_;
    task_.round = {.job = JobId::Parse("line").value(), .number = 1};
    task_.plan_signature = SignPlan(key_, task_.plan.digest).value();
  }
  // The line plan with one piece of plan.toml swapped.
  void OfferChanged(std::string_view from, std::string_view to) {
    PlanBundle bundle = plan_.Bundle();
    bundle.plan_toml = Replaced(bundle.plan_toml, from, to);
    Offer(bundle);
  }
  void FillTable(int rows) {
    std::string csv = "a,x,y,secret\n";
    for (int i = 0; i < rows; ++i) {
      const double x = std::sin(i * 12.9898);
      csv += fmt::format("{},{},{},1\n", i, x, 2 * x - 1);
    }
    const std::string path = folder_.Write("points.csv", csv);
    const auto report = IngestFile(*tables_, TableName::Parse("points").value(), path);
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_EQ(report->rows_added, static_cast<uint64_t>(rows));
  }

  static std::string Ended(const std::optional<TaskEnd>& end) {
    if (!end) return "";
    if (const auto* refused = std::get_if<Refused>(&*end)) return std::string(NameOf(refused->reason));
    return std::string(NameOf(std::get<Failed>(*end).reason));
  }
  std::string Vet() { return Ended(steps_->Vet(task_)); }
  std::string Train(absl::Duration time = absl::Minutes(5), std::stop_token stop = {}) {
    return Ended(steps_->Train(task_, SecretBytes(32), clock_.Now() + time, stop));
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  SecureRandom random_;
  AgentMetrics metrics_;
  SitePolicy policy_;
  Schema schema_;
  std::unique_ptr<TableStore> tables_;
  BlobCache cache_ = BlobCache::Open(folder_.File("cache")).value();
  Spool spool_ = Spool::Open(folder_.File("spool")).value();
  ByteMeter meter_{folder_.File("bytes"), clock_};
  std::unique_ptr<LedgerFile> ledger_ =
      LedgerFile::Open(folder_.File("ledger"), StoreId::Parse("s1").value(), absl::Now()).value();
  SigningKey key_ = SigningKey::Generate(random_).value();
  std::string worker_program_ = AISLE_WORKER_PROGRAM;
  LinePlan plan_;
  BlobName weights_;
  TrainInstruction task_;
  std::optional<SiteTaskSteps> steps_;
};

}  // namespace aisle

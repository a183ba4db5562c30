// A whole agent but for its site and its headquarters: both are played by the test, on one thread and in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store-agent/driver/agent_driver.h"
#include "tests/storage/temporary_folder.h"
#include "tests/store-agent-driver/stepping_executor.h"

namespace aisle {

// Headquarters as a list of answers. Whatever isn't scripted is answered "come back in an hour".
class ScriptedLink final : public FleetLink {
 public:
  std::deque<StatusOr<Instruction>> answers;
  std::map<Digest, std::string> blobs;
  Status report_status;
  StatusOr<UploadStatus> upload_answer = UploadStatus{.complete = true};
  absl::Duration clock_ahead;
  std::optional<LedgerHead> ledger_acknowledged;
  const Clock* clock = nullptr;

  std::vector<CheckIn> check_ins;
  std::vector<TaskOutcome> reports;
  std::vector<std::string> uploads;
  std::vector<SumReport> sum_steps;
  Status sum_status;

  StatusOr<CheckInAnswer> AskForWork(const CheckIn& check_in, std::stop_token) override {
    check_ins.push_back(check_in);
    StatusOr<Instruction> answer = Instruction(ComeBack{absl::Hours(1)});
    if (!answers.empty()) {
      answer = answers.front();
      answers.pop_front();
    }
    if (!answer.ok()) return answer.status();
    return CheckInAnswer{*answer, clock->Now() + clock_ahead, ledger_acknowledged};
  }
  Status Report(const RoundId&, const TaskOutcome& outcome, std::stop_token) override {
    reports.push_back(outcome);
    return report_status;
  }
  Status Fetch(const BlobName& blob, uint64_t offset, const Sink& sink, std::stop_token) override {
    const auto found = blobs.find(blob.digest);
    if (found == blobs.end()) return NotFound("no such blob");
    return sink(std::string_view(found->second).substr(offset));
  }
  StatusOr<UploadStatus> AskUploadStatus(const RoundId&, const Digest&, std::stop_token) override {
    return UploadStatus{};
  }
  StatusOr<UploadStatus> Upload(const UploadHeader&, const Source& source, std::stop_token) override {
    std::string whole;
    while (true) {
      AISLE_ASSIGN_OR_RETURN(const std::string piece, source());
      if (piece.empty()) break;
      whole += piece;
    }
    uploads.push_back(whole);
    return upload_answer;
  }
  Status SumStep(const SumReport& report, std::stop_token) override {
    sum_steps.push_back(report);
    return sum_status;
  }
  StatusOr<EnrolAnswer> Renew(const std::string&) override { return Unimplemented("not scripted"); }
};

class ScriptedSteps final : public TaskSteps {
 public:
  explicit ScriptedSteps(const Spool& spool) : spool_(spool) {}
  std::optional<TaskEnd> allow_end, vet_end, train_end, release_end;
  std::vector<std::string> calls;
  std::vector<std::string> seeds;
  std::optional<CohortTerms> sum;

  std::optional<TaskEnd> AllowFetch(const BlobName&) override { return allow_end; }
  std::optional<TaskEnd> Vet(const TrainInstruction&) override {
    calls.push_back("vet");
    return vet_end;
  }
  std::optional<TaskEnd> Train(const TrainInstruction&, const SecretBytes& seed, absl::Time, std::stop_token) override {
    calls.push_back("train");
    seeds.emplace_back(seed.Reveal());
    return train_end;
  }
  std::optional<CohortTerms> SumOf(const TrainInstruction&) const override { return sum; }
  std::variant<BlobName, TaskEnd> Release(const TrainInstruction& task) override {
    calls.push_back("release");
    if (release_end) return *release_end;
    return spool_.Write(task.round, std::vector<uint32_t>{1, 2, 3, 4}).value();
  }
  void ForgetUpdate() override { calls.push_back("forget"); }
  void LetWorkerGo() override { calls.push_back("let go"); }

 private:
  const Spool& spool_;
};

// Says its advert at every step, and masks by adding one.
class ScriptedSum final : public SumSteps {
 public:
  explicit ScriptedSum(const Spool& spool) : spool_(spool) {}
  std::optional<TaskEnd> end;
  std::vector<agent::TakeSumStep> taken;
  std::vector<RoundId> forgotten;

  std::variant<SumMessage, TaskEnd> Say(const agent::TakeSumStep& step) override {
    taken.push_back(step);
    if (end) return *end;
    return SumMessage(Confirmation{.survivors = step.terms.plan, .signature = "signed"});
  }
  std::variant<BlobName, TaskEnd> Mask(const agent::TakeSumStep& step) override {
    taken.push_back(step);
    if (end) return *end;
    return spool_
        .WriteMasked(step.terms.round, step.update,
                     [](uint64_t, std::span<uint32_t> values) {
                       for (uint32_t& value : values) ++value;
                     })
        .value();
  }
  Status Forget(const RoundId& round) override {
    forgotten.push_back(round);
    return OkStatus();
  }
  Status ForgetAllBut(const std::optional<RoundId>&) override { return OkStatus(); }

 private:
  const Spool& spool_;
};

class ScriptedSite final : public Site {
 public:
  bool willing = true;
  std::vector<TableName> tables() const override { return {TableName::Parse("sales").value()}; }
  bool IsWilling(absl::Time) const override { return willing; }
  std::optional<LedgerClaim> claim;
  std::vector<std::optional<LedgerHead>> compared;
  std::optional<LedgerClaim> ledger() const override { return claim; }
  void CompareLedger(const std::optional<LedgerHead>& acknowledged) override { compared.push_back(acknowledged); }
};

class ScriptedAgent {
 public:
  ScriptedAgent() {
    link.clock = &executor;
    plan = Offer("a plan");
    weights = Offer("some weights");
  }

  // A fresh process over the same disk.
  Status Start() {
    driver.reset();
    steps = std::make_unique<ScriptedSteps>(spool);
    driver = std::make_unique<AgentDriver>(AgentParts{.own = executor,
                                                      .asking = executor,
                                                      .working = executor,
                                                      .link = link,
                                                      .cache = cache,
                                                      .spool = spool,
                                                      .meter = meter,
                                                      .steps = *steps,
                                                      .sum = sum,
                                                      .site = site,
                                                      .metrics = metrics,
                                                      .random = random,
                                                      .before_call = [this] { ++calls_prepared; }},
                                           AgentSettings{.record_path = folder.File("task"), .agent_version = "0.1.0"});
    return driver->Start();
  }
  // kill -9: what was only in memory is gone.
  void Die() {
    executor.Die();
    driver.reset();
  }
  void Run(absl::Duration time = absl::Seconds(1)) {
    executor.RunDue();
    executor.Advance(time);
  }

  BlobName Offer(const std::string& content) {
    const BlobName blob{.digest = Sha256::Of(content), .size = content.size()};
    link.blobs[blob.digest] = content;
    return blob;
  }
  static RoundId Round(uint32_t number = 1) { return {.job = JobId::Parse("demand").value(), .number = number}; }
  Instruction Train(uint32_t number = 1) const {
    return TrainInstruction{.round = Round(number),
                            .plan = plan,
                            .weights = weights,
                            .deadline = executor.Now() + absl::Hours(1),
                            .rounds_total = 1,
                            .plan_signature = std::string(64, 's')};
  }
  static Instruction Collect(uint32_t number = 1) { return CollectInstruction{.round = Round(number)}; }
  static Instruction Close(uint32_t number = 1) {
    return RoundClosed{.round = Round(number), .outcome = RoundOutcome::kCommitted};
  }
  std::string Metrics() const;

  TemporaryFolder folder;
  SteppingExecutor executor;
  AesCtrStream random{SecretBytes(32), "driver"};
  ScriptedLink link;
  BlobCache cache = BlobCache::Open(folder.File("cache")).value();
  int calls_prepared = 0;
  Spool spool = Spool::Open(folder.File("spool")).value();
  ByteMeter meter{folder.File("bytes"), executor};
  ScriptedSum sum{spool};
  ScriptedSite site;
  AgentMetrics metrics;
  BlobName plan;
  BlobName weights;
  std::unique_ptr<ScriptedSteps> steps;
  std::unique_ptr<AgentDriver> driver;
};

}  // namespace aisle

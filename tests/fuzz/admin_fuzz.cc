// What administrators and headquarters say to each other, at both ends: a job to be submitted, with the plan in it; and
// on the administrator's side whatever headquarters answers, in words that can't steer a terminal; plan files; names
// that people type.
#include "aggregation/weights.h"
#include "base/check.h"
#include "cli/describe.h"
#include "cli/plan_file.h"
#include "cli/text.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/services/submission.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/scratch.h"

namespace aisle::fuzz::admin {
namespace {

const absl::Time kAt = absl::FromUnixSeconds(1'800'000'000);

constexpr std::string_view kPlan = R"(
[plan]
name = "tiny"
version = 1
source = "tiny.py"
[tables.sales.columns]
week = {type = "int64", range = [0, 200]}
[training]
optimizer = "adam"
learning_rate = 0.01
epochs = 2
batch_size = 32
[privacy]
mode = "store"
clip_norm = 1.0
noise_multiplier = 0.5
delta = 1e-6
rounds_max = 40
[cohort]
min = 20
target = 40
[server]
optimizer = "fedadam"
[metrics.loss]
bound = 10.0
[[parameters]]
name = "weight"
shape = [3, 4]
init = "uniform_fan_in"
)";

const SigningKey& PlanKey() {
  static const SigningKey key = [] {
    SecureRandom random;
    return SigningKey::Generate(random).value();
  }();
  return key;
}

const std::string& FirstWeights() {
  static const std::string weights =
      EncodeWeights({Layout::Make({{"weight", {3, 4}}}).value(), std::vector<float>(12, 0.5f)});
  return weights;
}

void CheckShown(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    AISLE_CHECK(cli::Printable(text.substr(at, end - at)) == text.substr(at, end - at));
    at = end + 1;
  }
}

template <typename Message, typename Describe>
void TryShowing(std::string_view input, Describe describe) {
  Message message;
  if (message.ParseFromArray(input.data(), static_cast<int>(input.size()))) CheckShown(describe(message).Render());
}

void TryAnswers(std::string_view input) {
  TryShowing<v1::ListJobsResponse>(input, [](const auto& m) { return cli::DescribeJobs(m, kAt); });
  TryShowing<v1::Job>(input, [](const auto& m) { return cli::DescribeJob(m); });
  TryShowing<v1::ListRoundsResponse>(input, [](const auto& m) { return cli::DescribeRounds(m); });
  TryShowing<v1::Round>(input, [](const auto& m) { return cli::DescribeRound(m); });
  TryShowing<v1::Round>(input, [](const auto& m) { return cli::DescribeStoresInRound(m); });
  TryShowing<v1::ListStoresResponse>(input, [](const auto& m) { return cli::DescribeStores(m, kAt); });
  TryShowing<v1::Store>(input, [](const auto& m) { return cli::DescribeStore(m, kAt); });
  TryShowing<v1::ListModelsResponse>(input, [](const auto& m) { return cli::DescribeModels(m, kAt); });
  TryShowing<v1::Model>(input, [](const auto& m) { return cli::DescribeModel(m); });
  TryShowing<v1::Overview>(input, [](const auto& m) { return cli::DescribeOverview(m, kAt); });
}

// The plan.toml of a bundle that a plan key signed, at the coordinator's door.
void TryPlan(const Scratch& scratch, std::string_view plan_toml) {
  const auto blobs = BlobStore::Open(scratch.Fresh("blobs")).value();
  AISLE_CHECK(blobs->Put(FirstWeights()).ok());
  const std::string bundle = PlanBundle{.plan_toml = std::string(plan_toml),
                                        .program = "program",
                                        .initial_weights = Sha256::Of(FirstWeights()),
                                        .initial_weights_size = FirstWeights().size()}
                                 .Encode();
  const BlobName name = blobs->Put(bundle).value();
  const StatusOr<JobPlan> plan = OpenJobPlan(*blobs, name.digest);
  if (!plan.ok()) return;
  const VerifyKey key = PlanKey().verify_key();
  const Submission submission{.job = *JobId::Parse("tiny"),
                              .plan = name.digest,
                              .plan_signature = SignPlan(PlanKey(), name.digest).value(),
                              .rounds = 1};
  (void)AdmitJob(submission, *plan, {&key, 1}, kAt);
}

void TrySubmission(std::string_view input) {
  v1::SubmitJobRequest request;
  if (!request.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  (void)SubmissionOf(request);
}

}  // namespace

void TryInput(std::string_view input) {
  static const Scratch scratch;
  TryAnswers(input);
  TrySubmission(input);
  TryPlan(scratch, input);
  if (const auto file = cli::PlanFile::Decode(input); file.ok()) {
    AISLE_CHECK(file->Encode() == input);
    (void)cli::CheckSignature(*file);
  }
  (void)cli::ParseRoundName(std::string(input));
  (void)cli::ParseModelName(std::string(input));
}

std::vector<std::string> Seeds() {
  v1::Job job;
  job.set_id("demand");
  job.set_state(v1::JOB_STATE_RUNNING);
  job.set_plan_name("tiny");
  job.set_privacy_unit("store");
  job.set_epsilon_floor(2.5);
  job.set_submitted_unix_ms(1'700'000'000'000);
  v1::ListJobsResponse jobs;
  *jobs.add_jobs() = job;
  v1::Round round;
  round.mutable_round()->set_job("demand");
  round.mutable_round()->set_number(7);
  round.set_phase(v1::ROUND_PHASE_COLLECTING);
  round.set_opened_unix_ms(1'700'000'000'000);
  round.set_closed_unix_ms(1'700'000'060'000);
  (*round.mutable_metrics())["loss"] = 0.5;
  v1::SubmitJobRequest submit;
  submit.set_job("demand");
  submit.set_plan_sha256(std::string(Sha256::Of("plan").view()));
  submit.set_rounds(10);
  const cli::PlanFile file{.bundle = {.plan_toml = std::string(kPlan),
                                      .program = "program",
                                      .initial_weights = Sha256::Of(FirstWeights()),
                                      .initial_weights_size = FirstWeights().size()},
                           .weights = FirstWeights(),
                           .signature = {}};
  return {Spelled(jobs),      Spelled(job),  Spelled(round), Spelled(submit),
          std::string(kPlan), file.Encode(), "demand/7",     "demand@3"};
}

}  // namespace aisle::fuzz::admin

AISLE_DEAR_FUZZ_TARGET(admin, 2);

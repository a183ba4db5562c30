#include "tests/coordinator-driver/headquarters.h"

#include <prometheus/registry.h>

#include <cstring>

#include "aggregation/weights.h"
#include "base/identity/statement.h"
#include "base/overloaded.h"
#include "plans/bundle.h"

namespace aisle::test {
namespace {

constexpr size_t kParameters = 2;

std::string PlanToml(const PlanTerms& terms) {
  return fmt::format(R"(
[plan]
name = "tiny"
version = 1
description = "Two numbers that every store moves a little."
source = "tiny.py"
[tables.{}.columns]
week = {{type = "int64", range = [0, 200]}}
[training]
learning_rate = 0.1
[privacy]
secure_sum = {}
mode = "store"
clip_norm = 1.0
noise_multiplier = 0.01
delta = 1e-6
rounds_max = 100
metric_share = 0.1
{}
[cohort]
min = {}
target = {}
over_selection = 1.0
[server]
{}
[metrics.loss]
bound = 10.0
[[parameters]]
name = "slope"
shape = [2]
init = "zeros"
)",
                     terms.tables, terms.secure_sum, terms.privacy, terms.cohort_min, terms.cohort_target,
                     terms.server);
}

constexpr const char* kSource =
    "def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:\n"
    "    return tables[\"sales\"]\n";

}  // namespace

Headquarters::Headquarters(const CoordinatorPolicy& policy) : policy_(policy) {
  blobs_ = BlobStore::Open(folder_.File("blobs")).value();
  EXPECT_TRUE(MakeFolders(folder_.File("spool")).ok());
  authority_ = std::make_unique<CertificateAuthority>(CertificateAuthority::Create(*ChainName::Parse("northwind"),
                                                                                   KeyPair::Generate().value(),
                                                                                   executor_.Now(), random_)
                                                          .value());
  const auto own_key = std::make_shared<const KeyPair>(KeyPair::Generate().value());
  const Certificate own =
      authority_
          ->Issue(*own_key,
                  {.identity = Identity::Make(authority_->chain(), Role::kCoordinator, "headquarters").value(),
                   .lifetime = absl::Hours(24 * 365),
                   .server_names = {"127.0.0.1"}},
                  executor_.Now(), random_)
          .value();
  credentials_ = {.certificate_pem = own.pem(), .sign = [own_key](std::string_view domain, std::string_view message) {
                    return SignStatement(*own_key, domain, message);
                  }};
  plan_key_ = std::make_unique<SigningKey>(SigningKey::Generate(random_).value());
  Start();
}

Headquarters::~Headquarters() { coordinator_.reset(); }

void Headquarters::Start() {
  registry_ = std::make_shared<prometheus::Registry>();
  metrics_ = std::make_unique<CoordinatorMetrics>(registry_);
  coordinator_ = std::make_unique<Coordinator>(Coordinator::Parts{.executor = executor_,
                                                                  .workshop = executor_,
                                                                  .state = state_,
                                                                  .blobs = *blobs_,
                                                                  .spool_folder = folder_.File("spool"),
                                                                  .authority = *authority_,
                                                                  .plan_keys = {plan_key_->verify_key()},
                                                                  .random = random_,
                                                                  .metrics = *metrics_,
                                                                  .credentials = credentials_},
                                               policy_);
  const Status started = coordinator_->Start();
  EXPECT_TRUE(started.ok()) << MessageOf(started);
}

void Headquarters::Restart(bool power) {
  executor_.DropAll();  // What was posted dies with the process.
  coordinator_.reset();
  executor_.DropAll();
  if (power) state_.LosePower();
  Start();
}

Submission Headquarters::PlanFor(const std::string& job, uint32_t rounds, const PlanTerms& terms) {
  Weights weights{.layout = Layout::Make({{.name = "slope", .shape = {kParameters}}}).value(),
                  .values = std::vector<float>(kParameters)};
  const std::string encoded = EncodeWeights(weights);
  EXPECT_TRUE(blobs_->Put(encoded).ok());
  const StatusOr<PlanBundle> bundle =
      MakePlanBundle({.plan_toml = PlanToml(terms), .kind = ProgramKind::kSource, .program = kSource}, encoded);
  EXPECT_TRUE(bundle.ok()) << MessageOf(bundle.status());
  EXPECT_TRUE(blobs_->Put(bundle->Encode()).ok());
  return {.job = *JobId::Parse(job),
          .plan = bundle->digest(),
          .plan_signature = SignPlan(*plan_key_, bundle->digest()).value(),
          .rounds = rounds};
}

StatusOr<JobRecord> Headquarters::Submit(const Submission& submission) {
  StatusOr<JobRecord> result = Internal("no answer");
  coordinator_->Submit(submission, [&](StatusOr<JobRecord> record) { result = std::move(record); });
  Advance();
  return result;
}

JobRecord Headquarters::Job(const std::string& job) {
  return state_.FindJob(*JobId::Parse(job)).value().value_or(JobRecord{});
}

std::vector<ModelRecord> Headquarters::Models(const std::string& job) {
  return state_.ListModels(*JobId::Parse(job)).value();
}

std::vector<RoundRecord> Headquarters::Rounds(const std::string& job) {
  return state_.ListRounds(*JobId::Parse(job)).value();
}

std::string Headquarters::LatestWeights(const std::string& job) {
  const std::vector<ModelRecord> models = Models(job);
  return models.empty() ? "" : blobs_->Read(models.back().weights).value();
}

Headquarters::Enrolled Headquarters::Enrol(const std::string& store) {
  std::string code;
  coordinator_->Invite(*StoreId::Parse(store), std::nullopt, [&](StatusOr<IssuedCode> issued) {
    if (issued.ok()) code = issued->code.Reveal().Reveal();
  });
  Advance();
  const auto key = std::make_shared<const KeyPair>(KeyPair::Generate().value());
  std::optional<Certificate> certificate;
  coordinator_->Enrol(code, MakeCsr(*key).value(), [&](StatusOr<EnrolmentDesk::Enrolled> enrolled) {
    EXPECT_TRUE(enrolled.ok()) << MessageOf(enrolled.status());
    if (enrolled.ok()) certificate = enrolled->certificate;
  });
  Advance();
  return {.certificate = *certificate, .key = key};
}

void Headquarters::Advance(absl::Duration by) { executor_.Advance(by); }

ScriptedStore::ScriptedStore(Headquarters& headquarters, const std::string& name)
    : ScriptedStore(headquarters, name, headquarters.Enrol(name)) {}

ScriptedStore::ScriptedStore(Headquarters& headquarters, const std::string& name, Headquarters::Enrolled enrolled)
    : headquarters_(headquarters),
      id_(*StoreId::Parse(name)),
      certificate_(enrolled.certificate),
      key_(enrolled.key),
      sum_(id_, enrolled.certificate, enrolled.key, headquarters.root_pem()) {}

void ScriptedStore::Renew() {
  const auto key = std::make_shared<const KeyPair>(KeyPair::Generate().value());
  headquarters_.coordinator().Renew(certificate_, MakeCsr(*key).value(), [&](StatusOr<Certificate> renewed) {
    EXPECT_TRUE(renewed.ok()) << MessageOf(renewed.status());
    if (renewed.ok()) certificate_ = *std::move(renewed);
  });
  headquarters_.Advance();
  key_ = key;
}

void ScriptedStore::CheckIn(StoreStanding standing, std::optional<RoundId> round) {
  answer_ = std::make_shared<Answer>();
  const uint64_t call = ++calls_;
  aisle::CheckIn check_in{.agent_version = "test",
                          .tables = tables,
                          .willing = willing,
                          .standing = standing,
                          .round = std::move(round),
                          .wait_max = absl::Seconds(20),
                          .clock = headquarters_.executor().Now(),
                          .declined_plans = declined,
                          .ledger = ledger};
  headquarters_.coordinator().AnswerCheckIn(certificate_, call, std::move(check_in),
                                            [answer = answer_, this](StatusOr<Coordinator::CheckInAnswered> answered) {
                                              if (!answered.ok()) {
                                                *answer = answered.status();
                                                return;
                                              }
                                              acknowledged = answered->ledger;
                                              *answer = std::move(answered->instruction);
                                            });
  headquarters_.Advance();
}

Status ScriptedStore::Report(const RoundId& round, int32_t each) {
  const std::vector<int32_t> vector(kParameters + metric_slots, each);
  vector_.assign(reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(int32_t));
  Status reported = Internal("no answer");
  const BlobName update{.digest = secure_sum ? Digest() : Sha256::Of(vector_), .size = vector_.size()};
  headquarters_.coordinator().Report(certificate_, {.round = round, .outcome = Trained{update}},
                                     [&](const Status& status) { reported = status; });
  headquarters_.Advance();
  return reported;
}

Status ScriptedStore::Refuse(const RoundId& round, RefusalReason reason) {
  Status reported = Internal("no answer");
  headquarters_.coordinator().Report(certificate_, {.round = round, .outcome = Refused{reason, "scripted"}},
                                     [&](const Status& status) { reported = status; });
  headquarters_.Advance();
  return reported;
}

Status ScriptedStore::Say(const SumReport& report) {
  Status said = Internal("no answer");
  headquarters_.coordinator().TakeStep(certificate_, report, [&](const Status& status) { said = status; });
  headquarters_.Advance();
  return said;
}

Status ScriptedStore::TakeStep(const Instruction& instruction) {
  const CohortTerms terms{.round = *round_,
                          .plan = plan_,
                          .length = kParameters + metric_slots,
                          .cohort_min = cohort_min,
                          .corrupt_permille = 50,
                          .dropout_permille = 100};
  StatusOr<SumReport> report = sum_.Answer(instruction, terms, headquarters_.executor().Now());
  EXPECT_TRUE(report.ok()) << id_.str() << ": " << MessageOf(report.status());
  if (!report.ok()) return report.status();
  if (tamper) tamper(instruction, *report);
  return Say(*report);
}

Status ScriptedStore::UploadMasked(const CollectInstruction& collect) {
  StatusOr<std::string> masked = sum_.Mask(*collect.inbox, vector_);
  EXPECT_TRUE(masked.ok()) << id_.str() << ": " << MessageOf(masked.status());
  return masked.ok() ? Send(collect.round, *masked) : masked.status();
}

Status ScriptedStore::Upload(const RoundId& round) { return Send(round, vector_); }

Status ScriptedStore::Send(const RoundId& round, const std::string& vector) {
  AISLE_ASSIGN_OR_RETURN(Stream stream, BeginSending(round, vector));
  return EndUpload(std::move(stream));
}

StatusOr<ScriptedStore::Stream> ScriptedStore::BeginSending(const RoundId& round, const std::string& vector) {
  StatusOr<aisle::Upload> begun = Internal("no answer");
  const UploadHeader header{
      .round = round, .update = {.digest = Sha256::Of(vector), .size = vector.size()}, .offset = 0};
  headquarters_.coordinator().BeginUpload(certificate_, header,
                                          [&](StatusOr<aisle::Upload> upload) { begun = std::move(upload); });
  headquarters_.Advance();
  AISLE_RETURN_IF_ERROR(begun.status());
  AISLE_RETURN_IF_ERROR(begun->session->Append(vector));
  return Stream{.header = header, .upload = *std::move(begun)};
}

Status ScriptedStore::EndUpload(Stream stream) {
  AISLE_RETURN_IF_ERROR(stream.upload.session->Finish().status());
  stream.upload.session.reset();
  Status result = Internal("no answer");
  headquarters_.coordinator().AcceptUpload(certificate_, stream.header,
                                           [&](const Status& accepted) { result = accepted; });
  headquarters_.Advance();
  return result;
}

bool ScriptedStore::Step() {
  if (standing_ == StoreStanding::kTraining) {  // The report got no answer: say it again.
    if (Report(*round_, value).ok()) standing_ = StoreStanding::kTrained;
  }
  CheckIn(standing_, round_);
  if (const auto* train = Got<TrainInstruction>()) {
    round_ = train->round;
    plan_ = train->plan.digest;
    standing_ = Report(*round_, value).ok() ? StoreStanding::kTrained : StoreStanding::kTraining;
  } else if (const auto* collect = Got<CollectInstruction>()) {
    if ((collect->inbox ? UploadMasked(*collect) : Upload(collect->round)).ok()) standing_ = StoreStanding::kUploaded;
  } else if (const auto* over = Got<RoundClosed>()) {
    closed.push_back(*over);
    round_.reset();
    standing_ = StoreStanding::kIdle;
  } else if (*answer_ && (*answer_)->ok() && !Got<ComeBack>()) {
    return TakeStep(***answer_).ok();
  } else {
    return false;
  }
  return true;
}

void ScriptedStore::Play() {
  for (int step = 0; step < 8 && Step(); ++step) {
  }
}

}  // namespace aisle::test

#include "tests/coordinator-explain/scene.h"

namespace aisle::test {

Scene::Scene(uint32_t seed, int count, const CoordinatorPolicy& policy)
    : headquarters(policy), culprit_(static_cast<size_t>(seed) % static_cast<size_t>(std::max(count, 1))) {
  for (int i = 1; i <= count; ++i) Enrol(fmt::format("leeds-{:02}", i));
}

void Scene::Enrol(const std::string& name) { stores.push_back(std::make_unique<ScriptedStore>(headquarters, name)); }

std::vector<ScriptedStore*> Scene::others() {
  std::vector<ScriptedStore*> found;
  for (const auto& store : stores) {
    if (store.get() != &culprit()) found.push_back(store.get());
  }
  return found;
}

void Scene::Begin(const PlanTerms& terms, uint32_t rounds) {
  for (const auto& store : stores) {
    store->secure_sum = terms.secure_sum;
    store->cohort_min = terms.cohort_min;
    if (!absent.contains(store.get())) store->CheckIn();
  }
  Submit("demand", terms, rounds);
}

void Scene::Submit(const std::string& job, const PlanTerms& terms, uint32_t rounds, uint32_t priority) {
  Submission submission = headquarters.PlanFor(job, rounds, terms);
  submission.priority = priority;
  const Status submitted = headquarters.Submit(submission).status();
  EXPECT_TRUE(submitted.ok()) << MessageOf(submitted);
}

RoundRecord Scene::Round(uint32_t number) {
  return headquarters.state().FindRound(round(number)).value().value_or(RoundRecord{});
}

void Scene::Fail(ScriptedStore& store, FailureReason reason) {
  coordinator().Report(store.certificate(), {.round = round(), .outcome = Failed{reason, "scripted"}},
                       [](const Status& status) { EXPECT_TRUE(status.ok()) << MessageOf(status); });
  headquarters.Advance();
}

void Scene::UploadHalf(ScriptedStore& store) {
  const std::vector<int32_t> vector(3, store.value);
  const std::string bytes(reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(int32_t));
  const UploadHeader header{
      .round = round(), .update = {.digest = Sha256::Of(bytes), .size = bytes.size()}, .offset = 0};
  coordinator().BeginUpload(store.certificate(), header, [&](StatusOr<aisle::Upload> upload) {
    ASSERT_TRUE(upload.ok()) << MessageOf(upload.status());
    EXPECT_TRUE(upload->session->Append(bytes.substr(0, bytes.size() / 2)).ok());
    upload->session.reset();
  });
  headquarters.Advance();
}

void Scene::CheckInAt(ScriptedStore& store, absl::Duration skew) {
  Call(store, {.willing = true, .clock = headquarters.executor().Now() + skew, .protocol_minor = kProtocolMinor});
}

void Scene::CheckInOfOld(ScriptedStore& store) {
  Call(store, {.willing = true, .clock = headquarters.executor().Now(), .protocol_minor = 0});
}

void Scene::Call(ScriptedStore& store, CheckIn check_in) {
  check_in.agent_version = "test";
  check_in.tables = store.tables;
  check_in.standing = StoreStanding::kIdle;
  check_in.wait_max = absl::Seconds(20);
  coordinator().AnswerCheckIn(store.certificate(), 77, std::move(check_in), [](const auto&) {});
  headquarters.Advance();
}

void Scene::PlayTurn(absl::Duration step) {
  for (const auto& store : stores) {
    if (!absent.contains(store.get())) store->Step();
  }
  headquarters.Advance(step);
}

void Scene::PlayUntil(RoundPhase phase) {
  for (int turn = 0; turn < 400 && Round().phase != phase && !Round().closed_at; ++turn) PlayTurn();
  ASSERT_EQ(Round().phase, phase) << Round().abort_reason;
}

void Scene::PlayOut(absl::Duration step) {
  for (int turn = 0; turn < 2000 && !Round().closed_at; ++turn) PlayTurn(step);
  ASSERT_TRUE(Round().closed_at);
}

v1::Explanation Scene::AskRound(uint32_t number) {
  v1::ExplainRequest request;
  request.mutable_round()->set_job("demand");
  request.mutable_round()->set_number(number);
  return Ask(request);
}

v1::Explanation Scene::AskStore() {
  v1::ExplainRequest request;
  request.set_store(culprit_id().str());
  return Ask(request);
}

v1::Explanation Scene::AskJob() {
  v1::ExplainRequest request;
  request.set_job("demand");
  return Ask(request);
}

v1::Explanation Scene::Ask(const v1::ExplainRequest& request) {
  StatusOr<v1::Explanation> answer = Internal("no answer");
  coordinator().Read([&](const Coordinator& now) { answer = Explain(now, request); });
  headquarters.Advance();
  EXPECT_TRUE(answer.ok()) << MessageOf(answer.status());
  return answer.value_or(v1::Explanation());
}

}  // namespace aisle::test

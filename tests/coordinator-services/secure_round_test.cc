// The secure sum over real gRPC: several stores in this process, each with its certificate and the real protocol. They
// go in step: in each phase every one checks in, is asked for that phase's message at once, and gives it.
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <set>

#include "aggregation/weights.h"
#include "base/net/status_conversion.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"
#include "tests/coordinator-driver/sum_part.h"
#include "tests/coordinator-services/live_headquarters.h"

namespace aisle::test {
namespace {

constexpr uint32_t kStores = 5;  // Three neighbours rebuild a secret: one of the five may be lost on the way.
constexpr uint32_t kMin = 4;
constexpr uint64_t kParameters = 1000;

class WireStore {
 public:
  WireStore(LiveHeadquarters& headquarters, const std::string& name, int32_t value)
      : headquarters_(headquarters),
        identity_(headquarters.Enrol(name)),
        part_(*StoreId::Parse(name), identity_.certificate, std::make_shared<const KeyPair>(identity_.key.Clone()),
              identity_.ca_pem),
        vector_(kParameters, value) {
    Reconnect();
    Greet();  // Known to be there when the round opens, so that all are wanted.
  }
  // Offers itself, and doesn't wait for what comes of it.
  void Greet() {
    v1::CheckInRequest greeting = live_->Greeting();
    greeting.set_wait_max_ms(1);
    EXPECT_TRUE(live_->CheckIn(greeting).ok());
  }
  void Reconnect() {
    const v1::RoundRef round = live_ == nullptr ? v1::RoundRef() : live_->round;
    live_ = std::make_unique<LiveStore>(headquarters_, identity_);
    live_->round = round;
  }
  Status Train() {
    AISLE_ASSIGN_OR_RETURN(const v1::TrainInstruction task, live_->AskForTask());
    AISLE_ASSIGN_OR_RETURN(const BlobName plan, FromProto(task.plan()));
    terms_ = {.round = FromProto(task.round()).value(),
              .plan = plan.digest,
              .length = kParameters,
              .cohort_min = kMin,
              .corrupt_permille = 50,
              .dropout_permille = 100};
    return live_->Report({.digest = Digest(), .size = kParameters * 4});
  }
  StatusOr<Instruction> Ask() {
    AISLE_ASSIGN_OR_RETURN(const v1::CheckInResponse answer, live_->CheckIn(v1::STORE_STANDING_TRAINED));
    return FromProto(answer);
  }
  // The next message of the sum, given.
  Status Act() {
    AISLE_ASSIGN_OR_RETURN(const Instruction instruction, Ask());
    if (const auto* collect = std::get_if<CollectInstruction>(&instruction)) {
      AISLE_ASSIGN_OR_RETURN(
          const std::string masked,
          part_.Mask(*collect->inbox, {reinterpret_cast<const char*>(vector_.data()), kParameters * 4}));
      return live_->Upload(masked);
    }
    AISLE_ASSIGN_OR_RETURN(const SumReport report, part_.Answer(instruction, terms_, absl::Now()));
    return Say(ToProto(report));
  }
  Status Say(const v1::SumStepRequest& request) {
    Call call;
    v1::SumStepResponse response;
    return FromGrpc(live_->fleet->SumStep(&call, request, &response));
  }
  Status Refuse() {
    Call call;
    v1::ReportOutcomeRequest report;
    *report.mutable_round() = live_->round;
    report.mutable_refused()->set_reason(v1::REFUSAL_REASON_ROSTER_FORGED);
    report.mutable_refused()->set_detail("made up for this test");
    v1::ReportOutcomeResponse reported;
    return FromGrpc(live_->fleet->ReportOutcome(&call, report, &reported));
  }
  SumPart& part() { return part_; }
  const CohortTerms& terms() const { return terms_; }

 private:
  LiveHeadquarters& headquarters_;
  TlsIdentity identity_;
  SumPart part_;
  std::vector<int32_t> vector_;
  CohortTerms terms_;
  std::unique_ptr<LiveStore> live_;
};

// The messages of the sum, in order.
enum Step { kAdvertise, kShare, kUpload, kConfirm, kReveal, kSteps };

class SecureRoundTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint32_t i = 1; i <= kStores; ++i) {
      stores_.push_back(
          std::make_unique<WireStore>(headquarters_, fmt::format("s{}", i), static_cast<int32_t>(1000 * i)));
    }
    ASSERT_TRUE(headquarters_
                    .SubmitJob(headquarters_.PrepareJob("demand", kParameters, 1,
                                                        {.min = kMin, .target = kStores, .secure_sum = true}))
                    .ok());
  }
  void TrainAll() {
    for (const auto& store : stores_) store->Greet();
    for (const auto& store : stores_) {
      const Status trained = store->Train();
      ASSERT_TRUE(trained.ok()) << MessageOf(trained);
    }
  }
  // Everybody gives this step's message, until the round needs no more of them.
  void ActAll(int step) {
    uint32_t enough = kStores;
    if (step == kReveal) enough = kMin;  // Four hold three shares of every secret: then the sum is out.
    for (uint32_t i = 0, acted = 0; i < kStores && acted < enough; ++i) {
      if (gone_.contains(i)) continue;
      const Status given = stores_[i]->Act();
      ASSERT_TRUE(given.ok()) << "step " << step << " of store " << i + 1 << ": " << MessageOf(given);
      ++acted;
    }
  }
  void Lose(uint32_t store) {
    const Status refused = stores_[store]->Refuse();
    ASSERT_TRUE(refused.ok()) << MessageOf(refused);
    gone_.insert(store);
  }
  void Restart() {
    headquarters_.Restart();
    for (const auto& store : stores_) store->Reconnect();
  }
  v1::Round Round() {
    Call call;
    v1::GetRoundRequest request;
    request.mutable_round()->set_job("demand");
    request.mutable_round()->set_number(1);
    v1::Round round;
    EXPECT_TRUE(headquarters_.admin().GetRound(&call, request, &round).ok());
    return round;
  }
  // Held until the round is over.
  RoundClosed AwaitEnd(uint32_t store) {
    for (;;) {
      const StatusOr<Instruction> answer = stores_[store]->Ask();
      if (!answer.ok()) return {.reason = std::string(MessageOf(answer.status()))};
      if (const auto* closed = std::get_if<RoundClosed>(&*answer)) return *closed;
    }
  }
  float FirstWeight() {
    Call get;
    v1::GetModelRequest request;
    request.set_job("demand");
    v1::Model model;
    EXPECT_TRUE(headquarters_.admin().GetModel(&get, request, &model).ok());
    Call fetch;
    v1::FetchBlobRequest wanted;
    wanted.set_sha256(model.weights().sha256());
    const auto reader = headquarters_.admin().FetchBlob(&fetch, wanted);
    std::string bytes;
    for (v1::FetchBlobResponse chunk; reader->Read(&chunk);) bytes += chunk.data();
    EXPECT_TRUE(reader->Finish().ok());
    return DecodeWeights(bytes).value().values.at(0);
  }
  static float WeightOf(const std::vector<int>& stores) {
    return static_cast<float>(1000.0 * std::accumulate(stores.begin(), stores.end(), 0) / 65536 / kStores);
  }

  LiveHeadquarters headquarters_;
  std::vector<std::unique_ptr<WireStore>> stores_;
  std::set<uint32_t> gone_;
};

TEST_F(SecureRoundTest, FiveStoresCommitTheirSumWhileHeadquartersIsRestartedBetweenAnyTwoSteps) {
  TrainAll();
  constexpr v1::RoundPhase kPhases[] = {v1::ROUND_PHASE_ADVERTISING, v1::ROUND_PHASE_SHARING,
                                        v1::ROUND_PHASE_COLLECTING, v1::ROUND_PHASE_CONFIRMING,
                                        v1::ROUND_PHASE_UNMASKING};
  for (int step = kAdvertise; step < kSteps; ++step) {
    EXPECT_EQ(Round().phase(), kPhases[step]);
    Restart();
    EXPECT_EQ(Round().phase(), kPhases[step]) << "resumed";
    ActAll(step);
  }
  const RoundClosed closed = AwaitEnd(0);
  ASSERT_EQ(closed.outcome, RoundOutcome::kCommitted) << closed.reason;
  EXPECT_NEAR(FirstWeight(), WeightOf({1, 2, 3, 4, 5}), 1e-6);
}

class LostOverTheWireTest : public SecureRoundTest, public ::testing::WithParamInterface<int> {};

TEST_P(LostOverTheWireTest, AStoreThatRefusesAtAnyStepCostsItsVectorAtMost) {
  TrainAll();
  for (int step = kAdvertise; step < kSteps; ++step) {
    if (step == GetParam()) Lose(1);
    ActAll(step);
  }
  const RoundClosed closed = AwaitEnd(0);
  ASSERT_EQ(closed.outcome, RoundOutcome::kCommitted) << closed.reason;
  const bool vector_is_in = GetParam() > kUpload;
  EXPECT_NEAR(FirstWeight(), vector_is_in ? WeightOf({1, 2, 3, 4, 5}) : WeightOf({1, 3, 4, 5}), 1e-6);
  EXPECT_NE(Round().stores(1).detail().find("roster_forged"), std::string::npos);
}

std::string NameOfStep(const ::testing::TestParamInfo<int>& test) {
  constexpr std::array<const char*, kSteps> kNames = {"Advertise", "Share", "Upload", "Confirm", "Reveal"};
  return kNames[static_cast<size_t>(test.param)];
}

INSTANTIATE_TEST_SUITE_P(, LostOverTheWireTest, ::testing::Range<int>(kAdvertise, kSteps), NameOfStep);

TEST_F(SecureRoundTest, WrongMessagesAreRefusedAtTheDoorAndTheRoundGoesOn) {
  TrainAll();
  const Instruction asked = stores_[0]->Ask().value();
  const SumReport report = stores_[0]->part().Answer(asked, stores_[0]->terms(), absl::Now()).value();
  const v1::SumStepRequest honest = ToProto(report);
  EXPECT_EQ(stores_[1]->Say(honest).code(), StatusCode::kInvalidArgument) << "another store's advert";
  v1::SumStepRequest wrong = honest;
  wrong.mutable_advert()->mutable_signature()->back() ^= 1;
  EXPECT_EQ(stores_[0]->Say(wrong).code(), StatusCode::kUnauthenticated);
  wrong = honest;
  wrong.mutable_advert()->set_nonce("short");
  EXPECT_EQ(stores_[0]->Say(wrong).code(), StatusCode::kInvalidArgument);
  wrong = honest;
  wrong.set_attempt(0);
  EXPECT_EQ(stores_[0]->Say(wrong).code(), StatusCode::kInvalidArgument);
  wrong.set_attempt(2);
  EXPECT_EQ(stores_[0]->Say(wrong).code(), StatusCode::kFailedPrecondition);
  wrong = honest;
  wrong.mutable_round()->set_number(9);
  EXPECT_EQ(stores_[0]->Say(wrong).code(), StatusCode::kNotFound);
  wrong = honest;
  wrong.clear_message();
  EXPECT_EQ(stores_[0]->Say(wrong).code(), StatusCode::kInvalidArgument);
  wrong.mutable_confirmation()->set_survivors_sha256(std::string(32, 's'));
  wrong.mutable_confirmation()->set_signature("signed");
  EXPECT_EQ(stores_[0]->Say(wrong).code(), StatusCode::kFailedPrecondition) << "not yet";
  Call call;
  v1::SumStepResponse response;
  EXPECT_EQ(headquarters_.Stranger()->SumStep(&call, honest, &response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);

  EXPECT_TRUE(stores_[0]->Say(honest).ok());
  EXPECT_TRUE(stores_[0]->Say(honest).ok()) << "a repeat changes nothing";
  for (uint32_t i = 1; i < kStores; ++i) ASSERT_TRUE(stores_[i]->Act().ok());
  EXPECT_EQ(Round().phase(), v1::ROUND_PHASE_SHARING);
  for (int step = kShare; step < kSteps; ++step) ActAll(step);
  EXPECT_EQ(AwaitEnd(0).outcome, RoundOutcome::kCommitted);
}

}  // namespace
}  // namespace aisle::test

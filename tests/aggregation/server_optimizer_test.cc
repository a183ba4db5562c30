#include "aggregation/server_optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace aisle {
namespace {

using ::testing::HasSubstr;

constexpr std::array kKinds = {ServerOptimizerKind::kFedAvg, ServerOptimizerKind::kFedAvgM,
                               ServerOptimizerKind::kFedAdagrad, ServerOptimizerKind::kFedAdam,
                               ServerOptimizerKind::kFedYogi};

ServerOptimizer MakeOptimizer(ServerOptimizerPolicy policy, size_t parameters = 1) {
  return ServerOptimizer::Make(policy, parameters).value();
}

// Known answers: two steps on one weight from x = 1 with updates 0.5 and -0.25, worked out by hand from the formulas of
// the header.
struct KnownAnswer {
  std::string name;
  ServerOptimizerPolicy policy;
  double after_one;
  double after_two;
};
class ServerOptimizerAnswerTest : public ::testing::TestWithParam<KnownAnswer> {};

TEST_P(ServerOptimizerAnswerTest, StepsAsThePaperSays) {
  ServerOptimizer optimizer = MakeOptimizer(GetParam().policy);
  std::vector<float> weights = {1.0F};
  ASSERT_TRUE(optimizer.Step(weights, std::vector<float>{0.5F}).ok());
  EXPECT_NEAR(weights[0], GetParam().after_one, 1e-6);
  ASSERT_TRUE(optimizer.Step(weights, std::vector<float>{-0.25F}).ok());
  EXPECT_NEAR(weights[0], GetParam().after_two, 1e-6);
  EXPECT_EQ(optimizer.steps(), 2U);
}

ServerOptimizerPolicy Policy(ServerOptimizerKind kind) {
  ServerOptimizerPolicy policy = ServerOptimizerPolicy::Defaults(kind);
  policy.learning_rate = 0.1;
  policy.tau = 0.01;
  return policy;
}

// Adagrad (beta1 0): v = 1e-4 + 0.25, then + 0.0625.
const double kAdagrad1 = 1 + 0.1 * 0.5 / (std::sqrt(0.2501) + 0.01);
const double kAdagrad2 = kAdagrad1 - 0.1 * 0.25 / (std::sqrt(0.3126) + 0.01);
// Adam: m = 0.05, then 0.045 - 0.025 = 0.02; v = 0.99e-4 + 0.0025 = 0.002599, then 0.00257301 + 0.000625.
const double kAdam1 = 1 + 0.1 * 0.05 / (std::sqrt(0.002599) + 0.01);
const double kAdam2 = kAdam1 + 0.1 * 0.02 / (std::sqrt(0.00319801) + 0.01);
// Yogi: v = 1e-4 + 0.01 * 0.25 = 0.0026 (v below d^2: sign -1), then + 0.01 * 0.0625 = 0.003225.
const double kYogi1 = 1 + 0.1 * 0.05 / (std::sqrt(0.0026) + 0.01);
const double kYogi2 = kYogi1 + 0.1 * 0.02 / (std::sqrt(0.003225) + 0.01);

INSTANTIATE_TEST_SUITE_P(
    , ServerOptimizerAnswerTest,
    ::testing::Values(KnownAnswer{"FedAvg", Policy(ServerOptimizerKind::kFedAvg), 1.05, 1.025},
                      KnownAnswer{"FedAvgM", Policy(ServerOptimizerKind::kFedAvgM), 1.05, 1.07},
                      KnownAnswer{"FedAdagrad", Policy(ServerOptimizerKind::kFedAdagrad), kAdagrad1, kAdagrad2},
                      KnownAnswer{"FedAdam", Policy(ServerOptimizerKind::kFedAdam), kAdam1, kAdam2},
                      KnownAnswer{"FedYogi", Policy(ServerOptimizerKind::kFedYogi), kYogi1, kYogi2}),
    [](const auto& test) { return test.param.name; });

TEST(ServerOptimizerTest, YogiLowersItsVarianceAdditively) {
  ServerOptimizerPolicy policy = Policy(ServerOptimizerKind::kFedYogi);
  policy.beta1 = 0;
  policy.tau = 1;  // v starts at 1, above d^2 = 0.25: v = 1 - 0.01 * 0.25.
  ServerOptimizer optimizer = MakeOptimizer(policy);
  std::vector<float> weights = {0.0F};
  ASSERT_TRUE(optimizer.Step(weights, std::vector<float>{0.5F}).ok());
  EXPECT_NEAR(weights[0], 0.1 * 0.5 / (std::sqrt(0.9975) + 1), 1e-7);
}

TEST(ServerOptimizerTest, DefaultsAreThePapers) {
  EXPECT_EQ(ServerOptimizerPolicy::Defaults(ServerOptimizerKind::kFedAvg).learning_rate, 1.0);
  const ServerOptimizerPolicy adam = ServerOptimizerPolicy::Defaults(ServerOptimizerKind::kFedAdam);
  EXPECT_EQ(adam.beta1, 0.9);
  EXPECT_EQ(adam.beta2, 0.99);
  EXPECT_EQ(adam.tau, 1e-3);
  EXPECT_EQ(ServerOptimizerPolicy::Defaults(ServerOptimizerKind::kFedAdagrad).beta1, 0.0);
}

std::vector<float> AnyUpdate(size_t length) {
  return *rc::gen::container<std::vector<float>>(
      length, rc::gen::map(rc::gen::inRange(-100000, 100000), [](int n) { return static_cast<float>(n) * 1e-5F; }));
}

RC_GTEST_PROP(ServerOptimizerProperty, AReplayFromTheStateGivesTheSameBits, ()) {
  const ServerOptimizerKind kind = *rc::gen::elementOf(std::vector(kKinds.begin(), kKinds.end()));
  constexpr size_t kLength = 17;
  ServerOptimizer optimizer = MakeOptimizer(ServerOptimizerPolicy::Defaults(kind), kLength);
  std::vector<float> weights = AnyUpdate(kLength);
  RC_ASSERT(optimizer.Step(weights, AnyUpdate(kLength)).ok());
  ServerOptimizer replayed = MakeOptimizer(ServerOptimizerPolicy::Defaults(kind), kLength);
  RC_ASSERT(replayed.RestoreState(optimizer.EncodeState()).ok());
  std::vector<float> replayed_weights = weights;
  const std::vector<float> update = AnyUpdate(kLength);
  RC_ASSERT(optimizer.Step(weights, update).ok());
  RC_ASSERT(replayed.Step(replayed_weights, update).ok());
  RC_ASSERT(weights == replayed_weights);
  RC_ASSERT(optimizer.EncodeState() == replayed.EncodeState());
}

RC_GTEST_PROP(ServerOptimizerProperty, CoordinatesAreIndependent, ()) {
  const ServerOptimizerKind kind = *rc::gen::elementOf(std::vector(kKinds.begin(), kKinds.end()));
  ServerOptimizer both = MakeOptimizer(ServerOptimizerPolicy::Defaults(kind), 2);
  ServerOptimizer second = MakeOptimizer(ServerOptimizerPolicy::Defaults(kind), 1);
  std::vector<float> weights = AnyUpdate(2);
  std::vector<float> alone = {weights[1]};
  for (int step = 0; step < 3; ++step) {
    const std::vector<float> update = AnyUpdate(2);
    RC_ASSERT(both.Step(weights, update).ok());
    RC_ASSERT(second.Step(alone, std::vector<float>{update[1]}).ok());
  }
  RC_ASSERT(weights[1] == alone[0]);
}

TEST(ServerOptimizerTest, RefusesUpdatesThatAreNotNumbersAndChangesNothing) {
  for (const ServerOptimizerKind kind : kKinds) {
    ServerOptimizer optimizer = MakeOptimizer(ServerOptimizerPolicy::Defaults(kind), 2);
    const std::string before = optimizer.EncodeState();
    std::vector<float> weights = {1.0F, 2.0F};
    EXPECT_EQ(optimizer.Step(weights, std::vector<float>{0.1F, std::nanf("")}).code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(optimizer.Step(weights, std::vector<float>{0.1F}).code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(weights, ::testing::ElementsAre(1.0F, 2.0F));
    EXPECT_EQ(optimizer.EncodeState(), before);
  }
}

TEST(ServerOptimizerTest, SaysWhenWeightsLeaveTheFloatRange) {
  ServerOptimizerPolicy policy;
  policy.learning_rate = 1000;
  ServerOptimizer optimizer = MakeOptimizer(policy);
  std::vector<float> weights = {0.0F};
  const Status status = optimizer.Step(weights, std::vector<float>{1e38F});
  EXPECT_EQ(status.code(), StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(MessageOf(status)), HasSubstr("learning_rate of 1000"));
}

TEST(ServerOptimizerTest, RefusesStatesOfOthers) {
  ServerOptimizer adam = MakeOptimizer(Policy(ServerOptimizerKind::kFedAdam), 4);
  const std::string state = adam.EncodeState();
  EXPECT_TRUE(adam.RestoreState(state).ok());
  EXPECT_EQ(MakeOptimizer(Policy(ServerOptimizerKind::kFedYogi), 4).RestoreState(state).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeOptimizer(Policy(ServerOptimizerKind::kFedAdam), 5).RestoreState(state).code(),
            StatusCode::kInvalidArgument);
  for (size_t size = 0; size < state.size(); ++size) {
    EXPECT_EQ(adam.RestoreState(std::string_view(state).substr(0, size)).code(), StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(adam.RestoreState(state + "x").code(), StatusCode::kDataLoss);
  std::string negative = state;
  negative.back() = static_cast<char>(0xbf);  // The last v turns negative.
  EXPECT_EQ(adam.RestoreState(negative).code(), StatusCode::kDataLoss);
  EXPECT_EQ(adam.EncodeState(), state);
}

TEST(ServerOptimizerTest, NamesItsKinds) {
  for (const ServerOptimizerKind kind : kKinds) EXPECT_EQ(ParseServerOptimizerKind(ToString(kind)).value(), kind);
  EXPECT_THAT(std::string(MessageOf(ParseServerOptimizerKind("adam").status())), HasSubstr("use fedavg"));
}

TEST(ServerOptimizerTest, RefusesPoliciesOutOfRange) {
  const auto complaint = [](auto change) {
    ServerOptimizerPolicy policy;
    change(policy);
    const Status status = Validate(policy);
    return status.ok() ? std::string("none") : std::string(MessageOf(status));
  };
  EXPECT_EQ(complaint([](auto&) {}), "none");
  EXPECT_THAT(complaint([](auto& p) { p.learning_rate = 0; }), HasSubstr("learning_rate is 0"));
  EXPECT_THAT(complaint([](auto& p) { p.learning_rate = std::nan(""); }), HasSubstr("learning_rate is nan"));
  EXPECT_THAT(complaint([](auto& p) { p.momentum = 1; }), HasSubstr("momentum is 1"));
  EXPECT_THAT(complaint([](auto& p) { p.beta1 = -0.1; }), HasSubstr("beta1 is -0.1"));
  EXPECT_THAT(complaint([](auto& p) { p.beta2 = 1; }), HasSubstr("beta2 is 1"));
  EXPECT_THAT(complaint([](auto& p) { p.tau = 0; }), HasSubstr("tau is 0"));
  EXPECT_THAT(complaint([](auto& p) { p.kind = static_cast<ServerOptimizerKind>(9); }), HasSubstr("number 9"));
  EXPECT_FALSE(ServerOptimizer::Make({}, 0).ok());
}

}  // namespace
}  // namespace aisle

#include "coordinator/jobs/masked_sum.h"

#include <gtest/gtest.h>

#include "tests/coordinator-round/sum_walk.h"

namespace aisle::test {
namespace {

// A round whose vectors have so many coordinates, up to its commit, with one drop-out.
struct MaskedRound {
  explicit MaskedRound(uint64_t length)
      : walk([&] {
          RoundPolicy policy = EightWithSum();
          policy.update_size = length * 4;
          return policy;
        }()),
        sum(length) {
    walk.ToCollecting();
    walk.silent = {6};
    walk.All(PhaseName::kCollecting, &SumWalk::Upload).All(PhaseName::kConfirming, &SumWalk::Confirm);
    walk.All(PhaseName::kUnmasking, &SumWalk::Reveal);
    apply = Only<ApplySum>(walk.latest).at(0);
    for (int i = 1; i <= 8; ++i) {
      if (i == 6) continue;
      EXPECT_TRUE(sum.Add(walk.Masked(i)).ok());
    }
  }
  SumWalk walk;
  ApplySum apply;
  ModularSum sum;
};

TEST(MaskedSumTest, GivesTheSurvivorsSumOfSmallVectorsAndOfThoseThatAllProcessorsShare) {
  for (const uint64_t length : {uint64_t{1}, uint64_t{100}, uint64_t{65'537}, uint64_t{400'001}}) {
    MaskedRound masked(length);
    const std::vector<uint32_t> plain = masked.walk.PlainSum(masked.apply.survivors);
    EXPECT_NE(std::vector<uint32_t>(masked.sum.values().begin(), masked.sum.values().end()), plain);
    ASSERT_TRUE(TakeMasksOff(*masked.apply.transcript, masked.sum).ok());
    EXPECT_EQ(std::vector<uint32_t>(masked.sum.values().begin(), masked.sum.values().end()), plain) << length;
  }
}

TEST(MaskedSumTest, NamesWhoDealtWrongSharesAndLeavesTheSumAsItWas) {
  MaskedRound masked(100);
  secagg::Transcript wrong = *masked.apply.transcript;
  wrong.dealt.at(2).seed_digest = Sha256::Of("another seed");
  const ModularSum before = masked.sum;
  const Status refused = TakeMasksOff(wrong, masked.sum);
  EXPECT_EQ(refused.code(), StatusCode::kDataLoss);
  EXPECT_NE(MessageOf(refused).find("s003"), std::string_view::npos) << MessageOf(refused);
  EXPECT_EQ(masked.sum, before);
}

}  // namespace
}  // namespace aisle::test

// What the secure sum is for: the survivors' sum comes out bit for bit, and one masked vector says nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <vector>

#include "tests/secagg-math/chi_square.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::secagg {
namespace {

using ::testing::HasSubstr;

std::vector<uint32_t> UnmaskedSum(PlayedCohort& played) {
  played.Reveal();
  std::vector<uint32_t> sum = played.MaskedSum();
  const auto masks = Reconstruct(played.transcript());
  AISLE_CHECK(masks.ok(), "{}", MessageOf(masks.status()));
  masks->RemoveFrom(0, sum);
  return sum;
}

// Draws who is absent, drops out and falls silent, as far as the threshold allows.
Play AnyPlay(uint32_t size, uint64_t seed) {
  AesCtrStream random(SecretBytes::CopyOf(Sha256::Of(fmt::format("fates {}", seed)).view()), "test/fates");
  Play play{.size = size, .seed = seed, .length = 1 + random.Below(60)};
  const PlayedCohort drawn(play);
  const std::vector<bool> everybody(size, true);
  std::vector<bool> there(size, true);
  for (uint64_t tries = random.Below(size); tries > 0; --tries) {
    const auto position = static_cast<uint32_t>(random.Below(size));
    if (!there[position]) continue;
    there[position] = false;
    if (!drawn.cohort().WithTooFewNeighbours(everybody, there).empty()) {
      there[position] = true;
      continue;
    }
    Positions* const fates[] = {&play.absent, &play.dropped, &play.silent};
    fates[random.Below(3)]->insert(position);
  }
  return play;
}

RC_GTEST_PROP(SecureSumTest, OfCompleteGraphsIsTheSurvivorsSum, ()) {
  PlayedCohort played(AnyPlay(*rc::gen::inRange<uint32_t>(4, 17), *rc::gen::arbitrary<uint64_t>()));
  RC_ASSERT(UnmaskedSum(played) == played.PlainSum());
}

TEST(SecureSumTest, OfSparseGraphsIsTheSurvivorsSum) {
  for (uint32_t seed = 0; seed < 6; ++seed) {
    PlayedCohort played(AnyPlay(40 + 4 * seed, seed));
    ASSERT_LT(played.cohort().parameters().degree, played.cohort().size() - 1);
    EXPECT_EQ(UnmaskedSum(played), played.PlainSum()) << seed;
  }
}

TEST(SecureSumTest, OfManyStoresIsTheSurvivorsSum) {
  PlayedCohort played({.size = 150,
                       .length = 1000,
                       .cohort_min = 100,
                       .dropout_permille = 100,
                       .absent = {3, 77},
                       .dropped = {0, 1, 50, 51, 52, 149},
                       .silent = {9, 10}});
  ASSERT_LT(played.cohort().parameters().degree, 149u);
  EXPECT_EQ(UnmaskedSum(played), played.PlainSum());
}

TEST(SecureSumTest, ComesOutInAnyPieces) {
  PlayedCohort played({.length = 100, .dropped = {2}});
  played.Reveal();
  const auto masks = Reconstruct(played.transcript());
  ASSERT_TRUE(masks.ok());
  std::vector<uint32_t> sum = played.MaskedSum();
  masks->RemoveFrom(63, std::span(sum).subspan(63));
  masks->RemoveFrom(0, std::span(sum).first(10));
  masks->RemoveFrom(10, std::span(sum).subspan(10, 53));
  EXPECT_EQ(sum, played.PlainSum());
}

TEST(SecureSumTest, AVectorMayBeMaskedInAnyPieces) {
  PlayedCohort played({.length = 100});
  played.Collect();
  std::vector<uint32_t> masked = played.VectorOf(1);
  played.member(1).Mask(31, std::span(masked).subspan(31));
  played.member(1).Mask(0, std::span(masked).first(31));
  EXPECT_EQ(masked, played.MaskedVectorOf(1));
}

// A million bytes of masked zeros over 16 cohorts. The test fails by chance once in 1,000,000 seeds; the seeds are
// fixed.
TEST(SecureSumTest, AMaskedVectorAloneIsUniform) {
  ChiSquare256 counts;
  for (uint32_t seed = 0; seed < 16; ++seed) {
    PlayedCohort played({.seed = seed, .length = 1 << 14});
    played.Collect();
    std::vector<uint32_t> masked(played.play().length);
    played.member(seed % 6).Mask(0, masked);
    for (const uint32_t value : masked) {
      for (int shift = 0; shift < 32; shift += 8) counts.Count(static_cast<uint8_t>(value >> shift));
    }
  }
  EXPECT_TRUE(counts.LooksUniform()) << counts.statistic();
}

// Whatever headquarters lacks one share of stays hidden, and it says of whom.
TEST(SecureSumTest, BelowTheThresholdNothingIsRebuilt) {
  PlayedCohort played({.size = 6, .dropped = {5}});
  played.Reveal();
  Transcript transcript = played.transcript();
  while (transcript.revealed.size() >= played.cohort().parameters().threshold) {
    transcript.revealed.erase(std::prev(transcript.revealed.end()));
  }
  const auto masks = Reconstruct(transcript);
  EXPECT_EQ(masks.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(masks.status().message(), HasSubstr("'store-00005'"));
  EXPECT_EQ(StillHidden(transcript).size(), 6u);
}

TEST(SecureSumTest, TheDropoutsOwnVectorStaysMasked) {
  PlayedCohort played({.size = 6, .dropped = {}});
  played.Collect();
  const std::vector<uint32_t> late = played.MaskedVectorOf(4);  // Headquarters has it, and says that it hasn't.
  PlayedCohort lied({.size = 6, .dropped = {4}});
  lied.Reveal();
  const auto masks = Reconstruct(lied.transcript());
  ASSERT_TRUE(masks.ok());
  std::vector<uint32_t> tried = late;  // Without its pairs' masks, but with its own.
  for (const secagg::Mask& mask : masks->dropout_masks()) {
    ApplyMask(mask.key, mask.sign == MaskSign::kAdd ? MaskSign::kSubtract : MaskSign::kAdd, 0, tried);
  }
  EXPECT_NE(tried, lied.VectorOf(4));
  for (size_t i = 0; i < tried.size(); ++i) EXPECT_NE(tried[i], lied.VectorOf(4)[i]) << i;
}

}  // namespace
}  // namespace aisle::secagg

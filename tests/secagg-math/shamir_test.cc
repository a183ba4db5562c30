#include "privacy/secagg/shamir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <vector>

#include "base/digest.h"
#include "tests/secagg-math/chi_square.h"

namespace aisle::secagg {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kPrime = FieldElement::kModulus;

SecretBytes SecretOf(std::string_view bytes) { return SecretBytes::CopyOf(bytes); }

AesCtrStream Stream(uint64_t seed) { return {SecretBytes::CopyOf(Sha256::Of(std::to_string(seed)).view()), "test"}; }

std::vector<uint32_t> OneTo(uint32_t count) {
  std::vector<uint32_t> points(count);
  std::iota(points.begin(), points.end(), 1u);
  return points;
}

Share Copy(const Share& share) { return {share.x, share.y}; }

// What the shares at `chosen` places rebuild.
StatusOr<SecretBytes> Rebuild(const std::vector<Share>& shares, const std::vector<size_t>& chosen) {
  std::vector<uint32_t> points;
  std::vector<Share> picked;
  for (const size_t i : chosen) {
    points.push_back(shares[i].x);
    picked.push_back(Copy(shares[i]));
  }
  AISLE_ASSIGN_OR_RETURN(const LagrangeWeights weights, LagrangeWeights::AtZero(points));
  return weights.Combine(picked);
}

std::vector<size_t> AnyOf(size_t count, size_t out_of) {
  std::vector<size_t> all(out_of);
  std::iota(all.begin(), all.end(), size_t{0});
  for (size_t i = 0; i < count; ++i) std::swap(all[i], all[*rc::gen::inRange(i, out_of)]);
  all.resize(count);
  return all;
}

RC_GTEST_PROP(ShamirTest, AnyThresholdOfSharesRebuild, ()) {
  const auto bytes = *rc::gen::container<std::string>(kSharedSecretSize, rc::gen::arbitrary<char>());
  const auto points = *rc::gen::unique<std::vector<uint32_t>>(
      *rc::gen::inRange<size_t>(1, 40), rc::gen::distinctFrom(rc::gen::arbitrary<uint32_t>(), uint32_t{0}));
  const auto threshold = *rc::gen::inRange<uint32_t>(1, static_cast<uint32_t>(points.size()) + 1);
  AesCtrStream random = Stream(*rc::gen::arbitrary<uint64_t>());
  const std::vector<Share> shares = Split(SecretOf(bytes), threshold, points, random).value();
  RC_ASSERT(shares.size() == points.size());
  const size_t count = *rc::gen::inRange<size_t>(threshold, points.size() + 1);
  const StatusOr<SecretBytes> rebuilt = Rebuild(shares, AnyOf(count, shares.size()));
  RC_ASSERT(rebuilt.ok());
  RC_ASSERT(rebuilt->Reveal() == bytes);
}

TEST(ShamirTest, TakesSecretsAtTheEdgesThroughTheirLimbs) {
  AesCtrStream random = Stream(1);
  std::vector<std::string> secrets = {std::string(32, '\0'), std::string(32, '\xff')};
  for (size_t bit = 0; bit < 256; ++bit) {  // Each bit alone, and each missing.
    secrets.emplace_back(32, '\0');
    secrets.back()[bit / 8] = static_cast<char>(1 << bit % 8);
    secrets.emplace_back(32, '\xff');
    secrets.back()[bit / 8] = static_cast<char>(~(1 << bit % 8));
  }
  for (const std::string& secret : secrets) {
    const std::vector<Share> shares = Split(SecretOf(secret), 2, OneTo(3), random).value();
    EXPECT_EQ(Rebuild(shares, {2, 0}).value().Reveal(), secret) << ToHex(secret);
  }
}

// With a threshold of 1 the share is the secret: shows how limbs are cut. 52 bits are 6.5 bytes.
TEST(ShamirTest, CutsLimbsOf52BitsFromTheLowest) {
  AesCtrStream random = Stream(2);
  const std::string secret = *FromHex("0123456789abcdef0123456789abcdeffedcba98765432100f1e2d3c4b5a6978");
  const std::vector<Share> shares = Split(SecretOf(secret), 1, OneTo(2), random).value();
  EXPECT_EQ(shares[0].y[0], 0xdab8967452301u);  // The first 8 bytes are the number 0xefcdab8967452301.
  EXPECT_EQ(shares[0].y, shares[1].y);
  std::string joined(32, '\0');
  for (size_t bit = 0; bit < 256; ++bit) {
    if (shares[0].y[bit / 52] >> bit % 52 & 1) joined[bit / 8] = static_cast<char>(joined[bit / 8] | 1 << bit % 8);
  }
  EXPECT_EQ(joined, secret);
  EXPECT_LT(shares[0].y[4], uint64_t{1} << 48);
}

// An independent evaluation: the coefficients are drawn power by power, limb by limb.
TEST(ShamirTest, ASharesValuesLieOnThePolynomialsThatWereDrawn) {
  const std::string secret = *FromHex("0123456789abcdef0123456789abcdeffedcba98765432100f1e2d3c4b5a6978");
  const std::vector<uint32_t> points = {1, 7, 0xffffffff};
  AesCtrStream random = Stream(3);
  const std::vector<Share> shares = Split(SecretOf(secret), 3, points, random).value();
  AesCtrStream again = Stream(3);
  const Share constant = Copy(Split(SecretOf(secret), 1, OneTo(1), again).value()[0]);  // Draws nothing.
  std::array<std::array<uint64_t, kLimbs>, 3> terms;
  terms[0] = constant.y;
  for (size_t power : {1, 2}) {
    for (uint64_t& term : terms[power]) term = again.Draw64() >> 3;
  }
  __extension__ using WideShare = unsigned __int128;
  for (const Share& share : shares) {
    for (size_t limb = 0; limb < kLimbs; ++limb) {
      WideShare value = 0;
      WideShare power = 1;
      for (const auto& term : terms) {
        value = (value + power * term[limb]) % kPrime;
        power = power * share.x % kPrime;
      }
      EXPECT_EQ(share.y[limb], static_cast<uint64_t>(value));
    }
  }
}

// Threshold 4, shares 1 to 3, secrets of all zeros and of all ones: each value is uniform, and so is what an attacker
// may make of the three together. Five limbs, fixed seeds; all checks together raise a false alarm once in 33,000
// times.
TEST(ShamirTest, OneShareFewerThanTheThresholdIsUniform) {
  for (const char fill : {'\0', '\xff'}) {
    AesCtrStream random = Stream(4 + static_cast<unsigned char>(fill));
    const SecretBytes secret = SecretOf(std::string(32, fill));
    const LagrangeWeights weights = LagrangeWeights::AtZero(OneTo(3)).value();
    std::array<ChiSquare256, kLimbs> first;
    std::array<ChiSquare256, kLimbs> low;
    std::array<ChiSquare256, kLimbs> guess;  // What three shares would rebuild if the threshold were 3.
    for (int turn = 0; turn < 40'000; ++turn) {
      const std::vector<Share> shares = Split(secret, 4, OneTo(4), random).value();
      for (size_t limb = 0; limb < kLimbs; ++limb) {
        FieldElement at_zero;  // 3 y1 - 3 y2 + y3: Lagrange's at zero for the points 1, 2, 3.
        at_zero = Add(at_zero, Multiply({3}, {shares[0].y[limb]}));
        at_zero = Subtract(at_zero, Multiply({3}, {shares[1].y[limb]}));
        at_zero = Add(at_zero, {shares[2].y[limb]});
        first[limb].Count(static_cast<uint8_t>(shares[0].y[limb] >> 53));
        low[limb].Count(static_cast<uint8_t>(shares[2].y[limb]));
        guess[limb].Count(static_cast<uint8_t>(at_zero.value >> 53));
      }
    }
    for (size_t limb = 0; limb < kLimbs; ++limb) {
      EXPECT_TRUE(first[limb].LooksUniform()) << limb << ": " << first[limb].statistic();
      EXPECT_TRUE(low[limb].LooksUniform()) << limb << ": " << low[limb].statistic();
      EXPECT_TRUE(guess[limb].LooksUniform()) << limb << ": " << guess[limb].statistic();
    }
  }
}

// Exactly, not only by statistics: for any two shares of a threshold of three, every secret is possible.
RC_GTEST_PROP(ShamirTest, FewerSharesFitEverySecret, ()) {
  const FieldElement y1{*rc::gen::inRange<uint64_t>(0, kPrime)};
  const FieldElement y2{*rc::gen::inRange<uint64_t>(0, kPrime)};
  const FieldElement secret{*rc::gen::inRange<uint64_t>(0, uint64_t{1} << 52)};
  // The parabola through (0, secret), (1, y1), (2, y2) has these coefficients, so some draw would have made it.
  const FieldElement half = Inverse({2});
  const FieldElement square = Multiply(half, Add(Subtract(y2, Multiply({2}, y1)), secret));
  const FieldElement linear = Subtract(Subtract(y1, secret), square);
  RC_ASSERT(Add(secret, Add(linear, square)) == y1);
  RC_ASSERT(Add(secret, Add(Multiply({2}, linear), Multiply({4}, square))) == y2);
}

TEST(ShamirTest, AWrongShareIsNoticed) {
  AesCtrStream random = Stream(9);
  const SecretBytes secret = DrawKey(random);
  int noticed = 0;
  for (size_t limb = 0; limb < kLimbs; ++limb) {
    std::vector<Share> shares = Split(secret, 3, OneTo(3), random).value();
    shares[1].y[limb] = DrawElement(random).value;
    const StatusOr<SecretBytes> rebuilt = Rebuild(shares, {0, 1, 2});
    if (!rebuilt.ok()) {
      ++noticed;
      EXPECT_EQ(rebuilt.status().code(), StatusCode::kInvalidArgument);
      EXPECT_THAT(std::string(MessageOf(rebuilt.status())), HasSubstr("don't fit together"));
    }
  }
  EXPECT_EQ(noticed, 5);  // Each is noticed with probability 511 / 512 or more; the seed is fixed.
}

TEST(ShamirTest, SharesOfOtherPointsOrInAnotherOrderAreRefused) {
  AesCtrStream random = Stream(10);
  const std::vector<Share> shares = Split(DrawKey(random), 2, OneTo(3), random).value();
  const std::vector<uint32_t> points = {1, 2};
  const LagrangeWeights weights = LagrangeWeights::AtZero(points).value();
  const auto combine = [&](std::vector<size_t> chosen) {
    std::vector<Share> picked;
    for (const size_t i : chosen) picked.push_back(Copy(shares[i]));
    return weights.Combine(picked).status();
  };
  EXPECT_TRUE(combine({0, 1}).ok());
  for (const std::vector<size_t>& wrong : {std::vector<size_t>{1, 0}, {0, 2}, {0}, {0, 1, 2}, {}}) {
    EXPECT_EQ(combine(wrong).code(), StatusCode::kInvalidArgument);
  }
}

TEST(ShamirTest, ValuesOutsideTheFieldAreRefused) {
  AesCtrStream random = Stream(11);
  const LagrangeWeights weights = LagrangeWeights::AtZero(OneTo(2)).value();
  for (const uint64_t wrong : {kPrime, kPrime + 1, uint64_t{1} << 61, uint64_t{1} << 63, ~uint64_t{0}}) {
    for (size_t limb = 0; limb < kLimbs; ++limb) {
      std::vector<Share> shares = Split(DrawKey(random), 2, OneTo(2), random).value();
      shares[1].y[limb] = wrong;
      EXPECT_THAT(std::string(MessageOf(weights.Combine(shares).status())), HasSubstr("point 2"));
      const SecretBytes bytes = shares[1].Serialise();
      EXPECT_EQ(Share::Parse(2, bytes.Reveal()).status().code(), StatusCode::kInvalidArgument);
    }
  }
}

TEST(ShamirTest, ThresholdsAndPointsAreChecked) {
  AesCtrStream random = Stream(12);
  const SecretBytes secret = DrawKey(random);
  const auto split = [&](uint32_t threshold, std::vector<uint32_t> points) {
    return Split(secret, threshold, points, random).status();
  };
  EXPECT_TRUE(split(2, {1, 2}).ok());
  EXPECT_THAT(std::string(MessageOf(split(3, {1, 2}))), HasSubstr("threshold of 3"));
  EXPECT_THAT(std::string(MessageOf(split(0, {1, 2}))), HasSubstr("threshold of 0"));
  EXPECT_THAT(std::string(MessageOf(split(1, {1, 0}))), HasSubstr("point 0"));
  EXPECT_THAT(std::string(MessageOf(split(1, {5, 3, 5}))), HasSubstr("point 5 comes twice"));
  EXPECT_EQ(split(1, {}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Split(SecretBytes(31), 1, OneTo(1), random).status().code(), StatusCode::kInvalidArgument);
  for (const std::vector<uint32_t>& points : {std::vector<uint32_t>{}, {0}, {4, 4}}) {
    EXPECT_EQ(LagrangeWeights::AtZero(points).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(ShareTest, IsFortyLittleEndianBytesAndBack) {
  const Share share(7, {1, 2, 3, 4, kPrime - 1});
  const SecretBytes bytes = share.Serialise();
  EXPECT_EQ(ToHex(bytes.Reveal()), "0100000000000000020000000000000003000000000000000400000000000000feffffffffffff1f");
  const StatusOr<Share> parsed = Share::Parse(7, bytes.Reveal());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->x, 7);
  EXPECT_EQ(parsed->y, share.y);
  for (const size_t size : {0, 39, 41}) {
    EXPECT_EQ(Share::Parse(7, std::string(size, '\0')).status().code(), StatusCode::kInvalidArgument) << size;
  }
  EXPECT_EQ(Share::Parse(0, bytes.Reveal()).status().code(), StatusCode::kInvalidArgument);
}

TEST(ShareTest, IsWipedWhenItGoesOrMoves) {
  static_assert(!std::is_copy_constructible_v<Share> && !std::is_copy_assignable_v<Share>);
  alignas(Share) std::array<unsigned char, sizeof(Share)> memory;
  Share* share = new (memory.data()) Share(1, {11, 12, 13, 14, 15});
  Share moved = std::move(*share);
  EXPECT_EQ(share->y, (std::array<uint64_t, kLimbs>{}));
  *share = std::move(moved);
  EXPECT_EQ(moved.y, (std::array<uint64_t, kLimbs>{}));
  EXPECT_EQ(share->y[4], 15);
  const volatile uint64_t* values = share->y.data();
  share->~Share();
  for (size_t limb = 0; limb < kLimbs; ++limb) EXPECT_EQ(values[limb], 0);
}

}  // namespace
}  // namespace aisle::secagg

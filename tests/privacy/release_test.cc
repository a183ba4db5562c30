#include "privacy/release.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "aggregation/modular_sum.h"
#include "tests/privacy/ledger_fixture.h"

namespace aisle {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Quantizer MakeQuantizer(size_t length, double noise_multiplier = 1, uint32_t addends_max = 100) {
  return Quantizer::Make(
             {.clip_norm = 1, .length = length, .addends_max = addends_max, .noise_multiplier = noise_multiplier})
      .value();
}

AesCtrStream MakeStream() { return AesCtrStream(SecretBytes(32), "release test"); }

std::vector<int32_t> Centered(const SecretVector<uint32_t>& released) {
  return {released.Reveal().begin(), released.Reveal().end()};
}

TEST(ReleaseTest, AddsNoiseOfThePromisedSize) {
  constexpr size_t kLength = 100'000;
  const Quantizer quantizer = MakeQuantizer(kLength, 0.5);
  auto stream = MakeStream();
  const auto released = Release(ReceiptFor(MakeDebit(0.5)), SecretVector<int32_t>(kLength), quantizer, stream);
  ASSERT_TRUE(released.ok()) << released.status();
  double squares = 0;
  for (const int32_t value : Centered(*released)) squares += double{1} * value * value;
  const double sigma = 0.5 * static_cast<double>(quantizer.scale());
  // The variance of 100,000 samples is within 4.5 of its deviations but for 7e-6 of seeds.
  EXPECT_NEAR(squares / kLength / (sigma * sigma), 1, 4.5 * std::sqrt(2.0 / kLength));
}

TEST(ReleaseTest, CarriesTheValueUnderTheNoise) {
  constexpr size_t kLength = 3;
  const Quantizer quantizer = MakeQuantizer(kLength, 0.001);
  const auto release = [&](std::vector<int32_t> clean) {
    auto stream = MakeStream();
    return Centered(
        Release(ReceiptFor(MakeDebit(0.001)), SecretVector<int32_t>(std::move(clean)), quantizer, stream).value());
  };
  const std::vector<int32_t> noise = release({0, 0, 0});
  EXPECT_THAT(release({5000, -5000, 0}), ElementsAre(noise[0] + 5000, noise[1] - 5000, noise[2]));
}

TEST(ReleaseTest, TakesNothingWithoutAReceiptThatIsGood) {
  const Quantizer quantizer = MakeQuantizer(2);
  auto stream = MakeStream();
  DebitReceipt receipt = ReceiptFor(MakeDebit());
  ASSERT_TRUE(Release(std::move(receipt), SecretVector<int32_t>(2), quantizer, stream).ok());
  const auto again = Release(std::move(receipt), SecretVector<int32_t>(2), quantizer, stream);
  EXPECT_EQ(again.status().code(), StatusCode::kFailedPrecondition);
}

TEST(ReleaseTest, ChecksTheNormOfAWorkerItDoesNotTrust) {
  const Quantizer quantizer = MakeQuantizer(2);
  auto stream = MakeStream();
  const auto over =
      Release(ReceiptFor(MakeDebit()), SecretVector<int32_t>(std::vector<int32_t>{65536, 1}), quantizer, stream);
  EXPECT_EQ(over.status().code(), StatusCode::kInvalidArgument);
  const auto wild =
      Release(ReceiptFor(MakeDebit()),
              SecretVector<int32_t>(std::vector<int32_t>(2, std::numeric_limits<int32_t>::min())), quantizer, stream);
  EXPECT_EQ(wild.status().code(), StatusCode::kInvalidArgument);
  const auto short_one = Release(ReceiptFor(MakeDebit()), SecretVector<int32_t>(1), quantizer, stream);
  EXPECT_EQ(short_one.status().code(), StatusCode::kInvalidArgument);
}

TEST(ReleaseTest, ClampsSoThatNoSumCanWrap) {
  // A quantizer made for less noise than the debit buys: the clamp has to act.
  constexpr uint32_t kAddends = 20'000;
  constexpr size_t kLength = 10'000;
  const Quantizer quantizer = MakeQuantizer(kLength, 0, kAddends);
  auto stream = MakeStream();
  const auto released = Release(ReceiptFor(MakeDebit(4)), SecretVector<int32_t>(kLength), quantizer, stream);
  ASSERT_TRUE(released.ok());
  const std::vector<int32_t> values = Centered(*released);
  const auto [low, high] = std::ranges::minmax(values);
  EXPECT_EQ(low, -quantizer.coordinate_max());
  EXPECT_EQ(high, quantizer.coordinate_max());
  EXPECT_LE(int64_t{high} * kAddends, std::numeric_limits<int32_t>::max());
}

TEST(ReleaseTest, TheUnitNoneGoesOutAsItIs) {
  const Quantizer quantizer = MakeQuantizer(3, 0);
  auto stream = MakeStream();
  const auto released = Release(ReceiptFor(MakeUnboundedDebit()),
                                SecretVector<int32_t>(std::vector<int32_t>{1, -2, 65000}), quantizer, stream);
  ASSERT_TRUE(released.ok());
  EXPECT_THAT(Centered(*released), ElementsAre(1, -2, 65000));
}

TEST(ReleaseTest, SumsOfReleasesAreSumsOfVectorsAndNoise) {
  // 50 stores send the same vector: the sum's mean is the vector, with noise sqrt(50) as large.
  constexpr size_t kLength = 20'000;
  constexpr int kStores = 50;
  const Quantizer quantizer = MakeQuantizer(kLength, 0.2);
  auto stream = MakeStream();
  ModularSum sum(kLength);
  for (int store = 0; store < kStores; ++store) {
    const auto released = Release(ReceiptFor(MakeDebit(0.2)),
                                  SecretVector<int32_t>(std::vector<int32_t>(kLength, -300)), quantizer, stream);
    ASSERT_TRUE(released.ok());
    ASSERT_TRUE(sum.Add(released->Reveal()).ok());
  }
  double total = 0;
  for (size_t i = 0; i < kLength; ++i) total += sum.Centered(i);
  const double deviation = 0.2 * 65536 * std::sqrt(double{kStores} * kLength);
  EXPECT_NEAR(total, -300.0 * kStores * kLength, 4.5 * deviation);  // False alarms: 7e-6.
}

TEST(NoiseSigmaTest, RoundsThePromiseUp) {
  const Quantizer quantizer = MakeQuantizer(1, 0);
  EXPECT_EQ(NoiseSigma(1, quantizer).value(), 65536);
  EXPECT_EQ(NoiseSigma(0.001, quantizer).value(), 66);  // 65.536
  EXPECT_EQ(NoiseSigma(std::nextafter(0.5, 1.0), quantizer).value(), 32769);
  EXPECT_EQ(NoiseSigma(1e-9, quantizer).value(), 1);
}

RC_GTEST_PROP(NoiseSigmaProperty, IsNeverLessThanThePromise, ()) {
  const double z = *rc::gen::inRange(1, 2'000'000) * 0.0001;
  const Quantizer quantizer = MakeQuantizer(1, 0);
  const int64_t sigma = NoiseSigma(z, quantizer).value();
  RC_ASSERT(static_cast<double>(sigma) >= z * 65536);
  RC_ASSERT(static_cast<double>(sigma) < z * 65536 + 1);
}

TEST(NoiseSigmaTest, RefusesWhatTheSamplerCannotDraw) {
  const Quantizer quantizer = MakeQuantizer(1, 0);
  for (const double z : {0.0, -1.0, 1e6, std::nan(""), double{INFINITY}}) {
    EXPECT_THAT(std::string(MessageOf(NoiseSigma(z, quantizer).status())), HasSubstr("it must be from 1 to")) << z;
  }
}

}  // namespace
}  // namespace aisle

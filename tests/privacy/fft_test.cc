#include "privacy/accounting/fft.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

namespace aisle {
namespace {

using Wide = std::complex<long double>;

// By the definition, with the digits of long double.
Wide BinOf(const std::vector<double>& signal, size_t k) {
  Wide sum = 0;
  for (size_t j = 0; j < signal.size(); ++j) {
    const auto turns = static_cast<long double>(j * k % signal.size()) / static_cast<long double>(signal.size());
    sum += static_cast<long double>(signal[j]) * std::polar(1.0L, -2 * std::numbers::pi_v<long double> * turns);
  }
  return sum;
}

std::vector<double> AnySignal() {
  const size_t length = size_t{1} << *rc::gen::inRange(2, 9);
  std::vector<double> signal(length);
  for (double& point : signal) point = *rc::gen::inRange(-1'000'000, 1'000'000) * 1e-6;
  return signal;
}

double SumOfModuli(const std::vector<double>& signal) {
  return std::transform_reduce(signal.begin(), signal.end(), 0.0, std::plus<>(), [](double x) { return std::fabs(x); });
}

RC_GTEST_PROP(FftProperty, ForwardIsTheDefinitionWithinItsBound, ()) {
  const std::vector<double> signal = AnySignal();
  RealFft fft(signal.size());
  Spectrum spectrum;
  fft.Forward(signal, spectrum);
  for (size_t k = 0; k < spectrum.real.size(); ++k) {
    const Wide error = Wide(spectrum.real[k], spectrum.imag[k]) - BinOf(signal, k);
    RC_ASSERT(std::abs(error) <= fft.rounding() * SumOfModuli(signal));
  }
}

RC_GTEST_PROP(FftProperty, InverseUndoesForwardWithinTheBounds, ()) {
  const std::vector<double> signal = AnySignal();
  RealFft fft(signal.size());
  Spectrum spectrum;
  fft.Forward(signal, spectrum);
  std::vector<double> back(signal.size());
  fft.Inverse(spectrum, back);
  // Bins are wrong by at most rounding() * sum, which an average keeps; their moduli are at most the sum.
  for (size_t i = 0; i < signal.size(); ++i) {
    RC_ASSERT(std::fabs(back[i] - signal[i]) <= 2.01 * fft.rounding() * SumOfModuli(signal));
  }
}

TEST(FftTest, ALongTransformKeepsItsPromiseToo) {
  // The spectrum of a geometric series is known: (1 - r^n) / (1 - r exp(-2 pi i k / n)).
  const size_t length = size_t{1} << 18;
  const double ratio = 0.999;
  std::vector<double> signal(length);
  double power = 1;
  for (double& point : signal) {
    point = power;
    power *= ratio;
  }
  RealFft fft(length);
  Spectrum spectrum;
  fft.Forward(signal, spectrum);
  for (const size_t k : {size_t{0}, size_t{1}, size_t{1000}, length / 4, length / 2 - 1, length / 2}) {
    const Wide root = std::polar(
        1.0L, -2 * std::numbers::pi_v<long double> * static_cast<long double>(k) / static_cast<long double>(length));
    const Wide expected = (1.0L - static_cast<long double>(power)) / (1.0L - static_cast<long double>(ratio) * root);
    // The products above are rounded as well: half an ulp each, at most 2^18 of them on what has not yet died out.
    EXPECT_LE(std::abs(Wide(spectrum.real[k], spectrum.imag[k]) - expected), (fft.rounding() + 2e-13) * 1000) << k;
  }
}

TEST(FftTest, BoundIsSmall) { EXPECT_LT(RealFft(RealFft::kLengthMax / 16).rounding(), 3e-14); }

}  // namespace
}  // namespace aisle

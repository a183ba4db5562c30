#include "privacy/accounting/fft.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/check.h"

namespace aisle {
namespace {

void AddRoot(Spectrum& roots, size_t j, size_t halfway) {
  const double angle = -std::numbers::pi * static_cast<double>(j) / static_cast<double>(halfway);
  roots.real.push_back(std::cos(angle));
  roots.imag.push_back(std::sin(angle));
}

// One level of Cooley and Tukey's decimation in time: `count` butterflies of arms `a` and `b`.
void Butterflies(double* __restrict a_real, double* __restrict a_imag, double* __restrict b_real,
                 double* __restrict b_imag, const double* __restrict w_real, const double* __restrict w_imag,
                 size_t count) {
  for (size_t j = 0; j < count; ++j) {
    const double real = b_real[j] * w_real[j] - b_imag[j] * w_imag[j];
    const double imag = b_real[j] * w_imag[j] + b_imag[j] * w_real[j];
    b_real[j] = a_real[j] - real;
    b_imag[j] = a_imag[j] - imag;
    a_real[j] += real;
    a_imag[j] += imag;
  }
}

}  // namespace

RealFft::RealFft(size_t length) : half_(length / 2) {
  AISLE_CHECK(std::has_single_bit(length) && length >= kLengthMin && length <= kLengthMax, "length {}", length);
  levels_ = std::countr_zero(half_);
  reversed_.resize(half_);
  for (size_t i = 1; i < half_; ++i) reversed_[i] = reversed_[i / 2] / 2 + (i % 2) * (half_ / 2);
  for (size_t width = 1; width < half_; width *= 2) {
    for (size_t j = 0; j < width; ++j) AddRoot(twiddles_, j, width);
  }
  for (size_t k = 0; k <= half_ / 2; ++k) AddRoot(turn_, k, half_);
  work_.real.resize(half_);
  work_.imag.resize(half_);
}

double RealFft::rounding() const {
  constexpr double kUnit = std::numeric_limits<double>::epsilon() / 2;
  return (2 * 5 * (levels_ + 1) + 12) * 1.01 * kUnit;
}

void RealFft::Transform() {
  for (size_t width = 1; width < half_; width *= 2) {
    const double* w_real = &twiddles_.real[width - 1];
    const double* w_imag = &twiddles_.imag[width - 1];
    for (size_t a = 0; a < half_; a += 2 * width) {
      const size_t b = a + width;
      Butterflies(&work_.real[a], &work_.imag[a], &work_.real[b], &work_.imag[b], w_real, w_imag, width);
    }
  }
}

// The even points went in as real and the odd ones as imaginary parts; bins k and half - k are unmixed together.
void RealFft::Unpack(size_t k, Spectrum& spectrum) const {
  const size_t mirror = half_ - k;
  const double low_real = work_.real[k];
  const double low_imag = work_.imag[k];
  const double high_real = work_.real[mirror % half_];
  const double high_imag = work_.imag[mirror % half_];
  const double even_real = (low_real + high_real) / 2;
  const double even_imag = (low_imag - high_imag) / 2;
  const double odd_real = (low_imag + high_imag) / 2;
  const double odd_imag = (high_real - low_real) / 2;
  const double turned_real = odd_real * turn_.real[k] - odd_imag * turn_.imag[k];
  const double turned_imag = odd_real * turn_.imag[k] + odd_imag * turn_.real[k];
  spectrum.real[k] = even_real + turned_real;
  spectrum.imag[k] = even_imag + turned_imag;
  spectrum.real[mirror] = even_real - turned_real;
  spectrum.imag[mirror] = turned_imag - even_imag;
}

void RealFft::Forward(std::span<const double> signal, Spectrum& spectrum) {
  AISLE_CHECK(signal.size() == length(), "{} points for {}", signal.size(), length());
  for (size_t i = 0; i < half_; ++i) {
    work_.real[i] = signal[2 * reversed_[i]];
    work_.imag[i] = signal[2 * reversed_[i] + 1];
  }
  Transform();
  spectrum.real.resize(half_ + 1);
  spectrum.imag.resize(half_ + 1);
  for (size_t k = 0; k <= half_ / 2; ++k) Unpack(k, spectrum);
}

void RealFft::Inverse(const Spectrum& spectrum, std::span<double> signal) {
  AISLE_CHECK(signal.size() == length() && spectrum.real.size() == half_ + 1, "{} points for {}", signal.size(),
              length());
  // Mixes as Unpack unmixes, then runs forwards on swapped parts: that is backwards.
  for (size_t i = 0; i < half_; ++i) {
    const size_t k = reversed_[i];
    const size_t mirror = half_ - k;
    const double even_real = spectrum.real[k] + spectrum.real[mirror];
    const double even_imag = spectrum.imag[k] - spectrum.imag[mirror];
    const double odd_real = spectrum.real[k] - spectrum.real[mirror];
    const double odd_imag = spectrum.imag[k] + spectrum.imag[mirror];
    // exp(+2 pi i k / length): kept up to a quarter turn, mirrored beyond.
    const bool mirrored = k > half_ / 2;
    const double turn_real = mirrored ? -turn_.real[mirror] : turn_.real[k];
    const double turn_imag = mirrored ? -turn_.imag[mirror] : -turn_.imag[k];
    const double turned_real = odd_real * turn_real - odd_imag * turn_imag;
    const double turned_imag = odd_real * turn_imag + odd_imag * turn_real;
    work_.imag[i] = even_real - turned_imag;
    work_.real[i] = even_imag + turned_real;
  }
  Transform();
  const double scale = 1 / static_cast<double>(length());
  for (size_t i = 0; i < half_; ++i) {
    signal[2 * i] = work_.imag[i] * scale;
    signal[2 * i + 1] = work_.real[i] * scale;
  }
}

}  // namespace aisle

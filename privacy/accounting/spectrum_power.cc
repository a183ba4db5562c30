#include "privacy/accounting/spectrum_power.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aisle {
namespace {

// Bins this small are dropped, and their size counted as error: for most of a smooth distribution's spectrum.
constexpr double kLogDropped = -46;  // e^-46 = 1e-20

// Rounding of one complex product, relative: Brent, Percival, Zimmermann 2007 prove sqrt(5) u.
constexpr double kProductRounding = 2.5 * std::numeric_limits<double>::epsilon() / 2;

struct Number {
  double real = 1;
  double imag = 0;
  Number operator*(const Number& other) const {
    return {.real = real * other.real - imag * other.imag, .imag = real * other.imag + imag * other.real};
  }
};

double Modulus(double real, double imag) { return std::sqrt(real * real + imag * imag); }

Number Power(Number base, uint64_t exponent) {
  Number power;
  for (; exponent > 1; exponent /= 2) {
    if (exponent % 2 == 1) power = power * base;
    base = base * base;
  }
  return exponent == 1 ? power * base : power;
}

}  // namespace

SpectrumPower::SpectrumPower(RealFft& fft)
    : fft_(fft), log_most_(fft.length() / 2 + 1), log_spread_(fft.length() / 2 + 1) {
  product_.real.assign(log_most_.size(), 1);
  product_.imag.assign(log_most_.size(), 0);
}

void SpectrumPower::Multiply(std::span<const double> mass, uint64_t count) {
  fft_.Forward(mass, factor_);
  const double error = fft_.rounding();  // Of each bin, for masses of sum 1.
  const auto times = static_cast<double>(count);
  for (size_t k = 0; k < log_most_.size(); ++k) {
    if (log_most_[k] < kLogDropped) continue;
    const Number bin{.real = factor_.real[k], .imag = factor_.imag[k]};
    const double modulus = Modulus(bin.real, bin.imag);
    log_most_[k] += times * std::min(0.0, std::log(modulus + error));  // No true bin is over 1.
    // A power of n takes at most 2 n products' worth of relative rounding.
    log_spread_[k] += times * (error / modulus + 2 * kProductRounding);
    const Number product = Number{.real = product_.real[k], .imag = product_.imag[k]} * Power(bin, count);
    const bool kept = log_most_[k] >= kLogDropped;
    product_.real[k] = kept ? product.real : 0;
    product_.imag[k] = kept ? product.imag : 0;
  }
}

double SpectrumPower::Invert(std::span<double> mass) {
  // Every bin but the first and the last stands for its conjugate too.
  double errors = 0;
  double moduli = 0;
  for (size_t k = 0; k < log_most_.size(); ++k) {
    const double weight = k == 0 || k + 1 == log_most_.size() ? 1 : 2;
    const double most = std::exp(log_most_[k]);
    errors += weight * (log_most_[k] < kLogDropped ? most : most * std::min(2.0, 2 * log_spread_[k]));
    moduli += weight * Modulus(product_.real[k], product_.imag[k]);
  }
  fft_.Inverse(product_, mass);
  return (errors + fft_.rounding() * moduli) / static_cast<double>(fft_.length());
}

}  // namespace aisle

// A product of powers of spectra, one bin at a time, that knows how wrong it is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "privacy/accounting/fft.h"

namespace aisle {

// Convolves masses, cyclically. `fft` must outlive it.
class SpectrumPower {
 public:
  explicit SpectrumPower(RealFft& fft);

  // Convolves with `mass`, `count` times with itself. Masses are at least 0 with sum 1; one per point of the transform.
  void Multiply(std::span<const double> mass, uint64_t count);

  // What has been multiplied. Returns a bound of every point's error.
  double Invert(std::span<double> mass);

 private:
  RealFft& fft_;
  Spectrum factor_;
  Spectrum product_;
  // Per bin: the log of what the true product's modulus can be at most; and how far below that the computed one can be,
  // as the difference of logs.
  std::vector<double> log_most_;
  std::vector<double> log_spread_;
};

}  // namespace aisle

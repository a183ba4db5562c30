// Fourier transforms of real vectors, with a proven bound on their rounding, so that a caller can put the error on the
// safe side. Ours because the bound is part of the accountant's proof and 100 lines carry it; see
// docs/decisions/0001-libraries.md.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace aisle {

// Half of a real vector's spectrum: bins 0 .. length/2; the others are their conjugates.
struct Spectrum {
  std::vector<double> real;
  std::vector<double> imag;
};

// For one length. Forward and Inverse use memory of the object: one thread at a time.
class RealFft {
 public:
  static constexpr size_t kLengthMin = 4;
  static constexpr size_t kLengthMax = size_t{1} << 24;

  explicit RealFft(size_t length);  // A power of two within the limits (AISLE_CHECK).

  size_t length() const { return 2 * half_; }

  // X_k = sum over j of x_j exp(-2 pi i j k / length).
  void Forward(std::span<const double> signal, Spectrum& spectrum);
  // The inverse, with the factor 1 / length.
  void Inverse(const Spectrum& spectrum, std::span<double> signal);

  // Every X_k is within rounding() * sum |x_j| of the true one, and every inverse x_j within rounding() times the mean
  // of |X_k| over all `length` bins. Proof: an output is a sum over inputs, each of which passed through log2(length)
  // butterflies; a butterfly has a twiddle factor right to 1.5 u, one complex product (2.24 u: Brent, Percival,
  // Zimmermann 2007) and one sum (u), together under 5 u for u = 2^-53; parting real from imaginary halves at most
  // doubles that, and adds 12 u.
  double rounding() const;

 private:
  void Transform();  // Of work_, in place, forwards.
  void Unpack(size_t k, Spectrum& spectrum) const;

  size_t half_;
  int levels_ = 0;  // log2(half_)
  std::vector<size_t> reversed_;
  Spectrum twiddles_;  // Level by level: exp(-pi i j / width) for j < width = 1, 2, 4 .. half / 2.
  Spectrum turn_;      // exp(-2 pi i k / length), k <= half / 2.
  Spectrum work_;
};

}  // namespace aisle

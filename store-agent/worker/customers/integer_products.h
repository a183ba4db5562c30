// Sums of products of 16-bit integers in 32 bits: what outer products and their norms are made of. Exact modulo 2^32,
// in whatever order; and so exact wherever the result itself is known to fit. One instruction takes 32 products where
// the machine has AVX-512 VNNI, 16 with AVX2; all give the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aisle {

inline constexpr int32_t kFineRowMax = 32767;  // Of a number in a row: -32768 is left out, so that pairs can't wrap.

// dots[r] = a . rows[r] modulo 2^32, for each row of `rows` [row_count, count].
void DotProducts(const int16_t* a, const int16_t* rows, size_t row_count, size_t count, int32_t* dots);

// What RoundRow() found out about the integers that it wrote.
struct RoundedRow {
  double squares = 0;   // Their sum of squares within 1 %, or far over 2^30.
  int32_t largest = 0;  // The largest of them, disregarding signs.
};

// fine = values * scale rounded to the nearest integer, clamped to +-kFineRowMax. `scale` is finite and not zero.
RoundedRow RoundRow(const float* values, size_t count, double scale, int16_t* fine);

// A matrix of sums [as, bs], to which outer products of rows are added.
class ProductSums {
 public:
  ProductSums(size_t as, size_t bs);

  // sums[i][j] += sum over r of a[r][i] * b[r][j], modulo 2^32. `a` is [rows, as] and `b` is [rows, bs].
  void Add(const int16_t* a, const int16_t* b, size_t rows);

  size_t as() const { return as_; }
  size_t bs() const { return bs_; }
  int32_t* row(size_t i) { return sums_.data() + i * stride_; }  // `bs` sums.
  const int32_t* row(size_t i) const { return sums_.data() + i * stride_; }

 private:
  size_t as_;
  size_t bs_;
  size_t stride_;              // bs, filled up to whole vectors.
  std::vector<int32_t> sums_;  // [as, stride]
  std::vector<int32_t> a_;     // [rows / 2, as]: two rows' numbers beside each other.
  std::vector<int32_t> b_;     // [rows / 2, stride], likewise.
};

}  // namespace aisle

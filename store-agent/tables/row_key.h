// The keys of a table's family, in byte order.
//
//   'r' time identity               -> the sealed row: the table itself, in order of time
//   'c' pseudonym time identity     -> nothing: the rows of one customer
//   's' identity                    -> time and content mark: the rows of a table with a `sequence`
//
// Time is 8 bytes big-endian with the sign flipped, so that byte order is time order; tables without a time use 0.
// Times and pseudonyms stand in clear in the keys; everything else of a row is sealed or keyed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aisle {

inline constexpr size_t kRowIdentitySize = 16;
inline constexpr size_t kTimeKeySize = 8;
inline constexpr char kRowMark = 'r';
inline constexpr char kCustomerMark = 'c';
inline constexpr char kSequenceMark = 's';

std::string EncodeTime(int64_t time);
int64_t DecodeTime(std::string_view eight_bytes);

std::string RowKey(int64_t time, std::string_view identity);
std::string RowKeysFrom(int64_t time);  // The least row key of that time.
std::string CustomerPrefix(std::string_view pseudonym);
std::string CustomerKey(std::string_view pseudonym, std::string_view row_key);
std::string SequenceKey(std::string_view identity);

// What a row key says. DataLoss if it isn't one.
struct RowPlace {
  int64_t time = 0;
  std::string_view identity;  // Within the key.
};
StatusOr<RowPlace> ParseRowKey(std::string_view key);
// The row key at the end of a customer key. DataLoss if it isn't one.
StatusOr<std::string> RowKeyOfCustomerKey(std::string_view key);

}  // namespace aisle

#include "store-agent/tables/row_key.h"

#include "store-agent/tables/row.h"

namespace aisle {

std::string EncodeTime(int64_t time) {
  const uint64_t flipped = static_cast<uint64_t>(time) ^ (uint64_t{1} << 63);
  std::string bytes(kTimeKeySize, '\0');
  for (size_t i = 0; i < kTimeKeySize; ++i) bytes[i] = static_cast<char>(flipped >> (56 - 8 * i) & 0xff);
  return bytes;
}

int64_t DecodeTime(std::string_view eight_bytes) {
  uint64_t flipped = 0;
  for (const char c : eight_bytes.substr(0, kTimeKeySize)) flipped = flipped << 8 | static_cast<uint8_t>(c);
  return static_cast<int64_t>(flipped ^ (uint64_t{1} << 63));
}

std::string RowKey(int64_t time, std::string_view identity) { return RowKeysFrom(time).append(identity); }

std::string RowKeysFrom(int64_t time) { return kRowMark + EncodeTime(time); }

std::string CustomerPrefix(std::string_view pseudonym) { return kCustomerMark + std::string(pseudonym); }

std::string CustomerKey(std::string_view pseudonym, std::string_view row_key) {
  return CustomerPrefix(pseudonym).append(row_key.substr(1));
}

std::string SequenceKey(std::string_view identity) { return kSequenceMark + std::string(identity); }

StatusOr<RowPlace> ParseRowKey(std::string_view key) {
  if (key.size() != 1 + kTimeKeySize + kRowIdentitySize || key[0] != kRowMark) {
    return DataLoss("a key of {} bytes isn't a row's", key.size());
  }
  return RowPlace{.time = DecodeTime(key.substr(1)), .identity = key.substr(1 + kTimeKeySize)};
}

StatusOr<std::string> RowKeyOfCustomerKey(std::string_view key) {
  constexpr size_t kHead = 1 + kPseudonymSize;
  if (key.size() != kHead + kTimeKeySize + kRowIdentitySize || key[0] != kCustomerMark) {
    return DataLoss("a key of {} bytes isn't a customer's", key.size());
  }
  return kRowMark + std::string(key.substr(kHead));
}

}  // namespace aisle

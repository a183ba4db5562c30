// The ledger file's framing: records of u32 body size, body, and the 32-byte digest that chains them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/status.h"

namespace aisle {

inline constexpr size_t kLedgerBodySizeMax = 256;

struct LedgerRecord {
  std::string bytes;
  Digest digest;  // SHA-256("aisle/ledger/v2" 0 | previous | size | body)
};
LedgerRecord MakeRecord(const Digest& previous, std::string_view body);

struct ReadRecord {
  std::string_view body;
  Digest digest;
  size_t end = 0;  // Offset of the next record.
};

// The record at `offset` of a whole file. Nothing if what is there is the torn tail of an interrupted write: less than
// one whole record, or one with a disk sector that was never written (all zero). DataLoss if it is a record that
// doesn't continue the chain. (Editing only the last record can be made to look like a torn one. That gains what
// cutting it off gains, and is told by the same anchor.)
StatusOr<std::optional<ReadRecord>> ReadRecordAt(std::string_view file, size_t offset, const Digest& previous);

}  // namespace aisle

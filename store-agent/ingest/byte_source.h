// Where the bytes of a CSV file come from: a plain file or a gzipped one, a piece at a time.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/status.h"

namespace aisle {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills some or all of `into`, which isn't empty, and says how much; 0 only at the end.
  virtual StatusOr<size_t> Read(std::span<char> into) = 0;
};

// The file's bytes; those of *.gz unpacked (RFC 1952, also of several members in a row). Follows no symbolic link.
//   InvalidArgument   it isn't a regular file
//   DataLoss          (from Read) the packed data is damaged or ends in the middle
//   and ErrnoStatus's codes for what the disk says.
StatusOr<std::unique_ptr<ByteSource>> OpenByteSource(const std::string& path);

}  // namespace aisle

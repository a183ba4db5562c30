// The one sum of a round while its updates arrive. Large ones go in piece by piece, beside being spooled: once one is
// whole, nothing of it has to come from the disk again. What turns out not to belong in the sum is read back and taken
// out; a sum of integers forgets it without a trace.
//
// It knows how much of each store's update is in it, and no more: what may go in, what must come out, and where bytes
// are read is for the spool (upload_spool.h) and the fold line (fold_line.h) to say.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "aggregation/modular_sum.h"
#include "base/fleet.h"
#include "base/ids.h"
#include "base/status.h"

namespace aisle {

// Thread-safe.
class ArrivingSum {
 public:
  static constexpr size_t kPieceSize = 256 << 10;  // Bytes read at once; stays in a core's own cache.

  // What of a store is in the sum: the first `bytes` bytes of an update.
  struct Share {
    StoreId store;
    BlobName update;
    uint64_t bytes = 0;
  };
  // Reads exactly `size` bytes of an update from `offset` on.
  using Reader = std::function<Status(uint64_t offset, char* data, size_t size)>;

  // `length` coordinates; they take no memory before the first is added.
  explicit ArrivingSum(size_t length) : length_(length) {}

  // These bytes of the store's update have come, from `offset` on, and are in the spool. They go in if all before them
  // did; otherwise, and after Close, they are left for Complete.
  void Arrived(const StoreId& store, const BlobName& update, uint64_t offset, std::string_view data);
  // Adds what is missing of an update that is whole, reading it. After an error what was added stays, and is known.
  Status Complete(const StoreId& store, const BlobName& update, const Reader& read);
  // Takes out what is in of an update. If it can't be read the sum is spoilt until Clear.
  void Withdraw(const StoreId& store, const BlobName& update, const Reader& read);
  // The same where the bytes are known to be gone.
  void Lose(const StoreId& store, const BlobName& update);

  // Nothing goes in by arriving from now on; waits for those that are taking something out.
  void Close();
  std::vector<Share> shares() const;
  bool spoilt() const;
  void Clear();       // All zero, nobody's.
  ModularSum Take();  // And begins another, closed like this one.

 private:
  uint64_t BytesOf(const StoreId& store, const BlobName& update) const;
  ModularSum& Sum();

  const size_t length_;
  mutable std::mutex mutex_;  // Guards what follows. Held for one piece at a time.
  std::condition_variable withdrawn_;
  std::optional<ModularSum> sum_;
  std::map<std::pair<StoreId, BlobName>, uint64_t> portions_;  // Bytes of each that are in.
  int withdrawing_ = 0;
  bool closed_ = false;
  bool spoilt_ = false;
};

}  // namespace aisle

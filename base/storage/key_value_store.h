// An ordered, durable map from bytes to bytes with several named families: a thin door to RocksDB.
//
// RocksDB's own types stay behind it. Its statuses become ours:
//   ResourceExhausted   the disk is full; free space and try again, the store takes writes again by itself
//   FailedPrecondition  another program (or another part of this one) has the folder open
//   DataLoss            stored bytes are damaged; restore the folder from a backup
//   PermissionDenied    the folder can't be read or written
//   Unavailable         any other input/output error; try again
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace rocksdb {
class ColumnFamilyHandle;
}

namespace aisle {

// What a store may use of the machine. The defaults suit an edge box: a few MiB resident when idle.
struct KeyValueOptions {
  std::vector<std::string> families;        // Made if absent. "default" is always there.
  uint64_t block_cache_size = 4 << 20;      // Bytes, over all families; holds index and filter blocks too.
  uint64_t write_buffer_size = 2 << 20;     // Bytes of one family's write buffer.
  uint64_t write_buffers_total = 8 << 20;   // Bytes over all families: the fullest is written out beyond it.
  uint64_t write_ahead_log_max = 64 << 20;  // Bytes on disk before the oldest buffers are written out.
  uint64_t disk_reserve = 8 << 20;          // Bytes left free: only batches that purely delete may use them.
  int background_threads = 2;
  bool compress = true;  // LZ4. Off where values are sealed: ciphertext doesn't shrink.
};

// One family of an open store; borrowed from it and valid as long as it. Copy freely.
class Family {
 public:
  Family() = default;
  bool valid() const { return handle_ != nullptr; }

 private:
  friend class KeyValueStore;
  friend class WriteBatch;
  explicit Family(rocksdb::ColumnFamilyHandle* handle) : handle_(handle) {}
  rocksdb::ColumnFamilyHandle* handle_ = nullptr;
};

// Changes that happen together or not at all, in the order in which they were added. Not thread-safe.
class WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  WriteBatch& operator=(WriteBatch&&) noexcept;

  WriteBatch& Put(Family family, std::string_view key, std::string_view value);
  WriteBatch& Delete(Family family, std::string_view key);  // A key that isn't there is fine.
  // Every key in [first, end).
  WriteBatch& DeleteRange(Family family, std::string_view first, std::string_view end);
  void Clear();

  size_t changes() const;
  size_t bytes() const;
  bool empty() const { return changes() == 0; }

 private:
  friend class KeyValueStore;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class Durability {
  kSynced,    // On the disk when Write returns: survives a power cut.
  kBuffered,  // With the operating system: survives `kill -9`, may be lost (newest first) in a power cut.
};

// Walks keys in byte order over the state at the time the cursor was made; later writes don't show. Not thread-safe.
//
//   for (Cursor row = store.Prefix(family, "round/"); row.Valid(); row.Next()) { … row.key() … row.value() … }
//   After the loop ask row.status(): an error ends a walk just as the last key does.
class Cursor {
 public:
  ~Cursor();
  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) noexcept;

  bool Valid() const;
  void Next();
  std::string_view key() const;    // Until Next.
  std::string_view value() const;  // Until Next.
  Status status() const;

 private:
  friend class KeyValueStore;
  struct Impl;
  explicit Cursor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Thread-safe. All cursors must be gone before the store is.
class KeyValueStore {
 public:
  // Opens the folder, making it and its families where they are missing. Families on disk that `options` doesn't name
  // are kept and opened as well.
  static StatusOr<std::unique_ptr<KeyValueStore>> Open(const std::string& folder, const KeyValueOptions& options);
  ~KeyValueStore();
  KeyValueStore(const KeyValueStore&) = delete;
  KeyValueStore& operator=(const KeyValueStore&) = delete;

  // The family of that name, which must have been named in the options or found on disk: else it is our bug.
  Family FamilyNamed(std::string_view name) const;
  std::vector<std::string> families() const;  // All names, "default" first.
  // Removes a family with all it holds, and every Family made of it. Not while others use it.
  Status DropFamily(std::string_view name);

  // Nullopt where the key isn't there.
  StatusOr<std::optional<std::string>> Get(Family family, std::string_view key) const;
  // Whether the key is there; cheaper than Get.
  StatusOr<bool> Contains(Family family, std::string_view key) const;
  // All of the batch or nothing. On any error nothing was changed, as far as a reader can see.
  Status Write(WriteBatch& batch, Durability durability);
  Status Put(Family family, std::string_view key, std::string_view value, Durability durability);

  // Every key in [first, end); an empty `end` means to the last key.
  Cursor Range(Family family, std::string_view first, std::string_view end) const;
  // Every key that starts with `prefix`; an empty prefix means all.
  Cursor Prefix(Family family, std::string_view prefix) const;

  // Writes the buffers to table files and gives their memory back.
  Status Flush();
  // Rewrites [first, end) of the family (all if both are empty) so that deleted bytes leave the disk.
  Status Compact(Family family, std::string_view first, std::string_view end);
  // A copy of the store as of this moment, in `folder`, which must not be there yet and lie on the same file system:
  // table files are shared (hard links), so it costs next to no space until both have moved on. Writes go on meanwhile.
  Status Checkpoint(const std::string& folder) const;
  uint64_t SizeOnDisk() const;  // Bytes of table files.

 private:
  struct Impl;
  explicit KeyValueStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The first key after all keys that start with `prefix`; empty if there is none (only 0xff bytes, or nothing).
std::string EndOfPrefix(std::string_view prefix);

}  // namespace aisle

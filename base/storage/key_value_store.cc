#include "base/storage/key_value_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>

#include "base/check.h"
#include "base/clock.h"
#include "base/storage/durability.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

bool IsLockHeld(const rocksdb::Status& status, std::string_view text) {
  return status.IsIOError() && (text.find("lock hold by current process") != std::string_view::npos ||
                                text.find("While lock file") != std::string_view::npos);
}

Status FromRocks(const rocksdb::Status& status, std::string_view what, const std::string& folder) {
  if (status.ok()) return OkStatus();
  const std::string text = status.ToString();
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return ResourceExhausted("cannot {} {}: the disk is full ({}); free some space and try again", what, folder, text);
  }
  if (IsLockHeld(status, text)) {
    return FailedPrecondition("cannot {} {}: it is in use by another running program ({}); stop that one first", what,
                              folder, text);
  }
  if (status.IsCorruption()) {
    return DataLoss("cannot {} {}: stored data is damaged ({}); restore the folder from a backup", what, folder, text);
  }
  if (text.find("Permission denied") != std::string::npos || text.find("Read-only file system") != std::string::npos) {
    return PermissionDenied("cannot {} {}: {}", what, folder, text);
  }
  return Unavailable("cannot {} {}: {}", what, folder, text);
}

// Not of a full disk, which is met by pauses, unless it showed only when what was written before was synced.
bool MeansLoss(const rocksdb::Status& error) {
  const std::string text = error.ToString();
  const bool at_sync =
      text.find("While fdatasync") != std::string::npos || text.find("While fsync") != std::string::npos;
  const bool full = error.IsNoSpace() || error.subcode() == rocksdb::Status::kSpaceLimit;
  return error.IsIOError() && (at_sync || !full);
}

// RocksDB would look every five seconds whether a full disk has space again, and refuse writes as "busy" meanwhile. The
// next write asks instead (see Write). Every write and sync that failed, in the foreground or not, comes by here.
class ErrorListener final : public rocksdb::EventListener {
 public:
  explicit ErrorListener(std::string folder) : folder_(std::move(folder)) {}

  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* automatic) override {
    *automatic = false;
  }
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    if (MeansLoss(*error)) DurabilityLost(folder_, FromRocks(*error, "write to", folder_));
  }

 private:
  const std::string folder_;
};

rocksdb::DBOptions DatabaseOptions(const std::string& folder, const KeyValueOptions& options) {
  rocksdb::DBOptions database;
  database.create_if_missing = true;
  database.create_missing_column_families = true;
  database.max_background_jobs = std::max(1, options.background_threads);
  database.db_write_buffer_size = options.write_buffers_total;
  database.max_total_wal_size = options.write_ahead_log_max;
  database.max_open_files = 64;  // Table files kept open; their metadata lives in the block cache.
  database.info_log_level = rocksdb::WARN_LEVEL;
  database.max_log_file_size = 1 << 20;
  database.keep_log_file_num = 2;
  database.max_manifest_file_size = 4 << 20;
  database.stats_dump_period_sec = 0;  // No periodic work of any kind: an idle store costs no CPU.
  database.stats_persist_period_sec = 0;
  database.listeners.push_back(std::make_shared<ErrorListener>(folder));
  return database;
}

rocksdb::ColumnFamilyOptions FamilyOptions(const KeyValueOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.block_size = 16 << 10;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = options.write_buffer_size;
  family.arena_block_size = std::clamp<uint64_t>(options.write_buffer_size / 32, 16 << 10, 1 << 20);
  family.max_write_buffer_number = 3;
  family.memtable_prefix_bloom_size_ratio = 0.05;  // Keys that aren't there are known without a search.
  family.memtable_whole_key_filtering = true;
  family.target_file_size_base = std::max<uint64_t>(4 << 20, options.write_buffer_size);
  family.max_bytes_for_level_base = 8 * family.target_file_size_base;
  family.compression = options.compress ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  return family;
}

// Every family there must be: "default", those on disk, those asked for.
std::vector<std::string> AllFamilies(const std::string& folder, const KeyValueOptions& options) {
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies({}, folder, &names).ok()) names = {rocksdb::kDefaultColumnFamilyName};
  for (const std::string& name : options.families) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace

struct WriteBatch::Impl {
  rocksdb::WriteBatch batch;
};

WriteBatch::WriteBatch() : impl_(std::make_unique<Impl>()) {}
WriteBatch::~WriteBatch() = default;
WriteBatch::WriteBatch(WriteBatch&&) noexcept = default;
WriteBatch& WriteBatch::operator=(WriteBatch&&) noexcept = default;

WriteBatch& WriteBatch::Put(Family family, std::string_view key, std::string_view value) {
  const rocksdb::Status added = impl_->batch.Put(family.handle_, ToSlice(key), ToSlice(value));
  AISLE_CHECK(added.ok(), "{}", added.ToString());  // Only for sizes past 4 GiB.
  return *this;
}

WriteBatch& WriteBatch::Delete(Family family, std::string_view key) {
  const rocksdb::Status added = impl_->batch.Delete(family.handle_, ToSlice(key));
  AISLE_CHECK(added.ok(), "{}", added.ToString());
  return *this;
}

WriteBatch& WriteBatch::DeleteRange(Family family, std::string_view first, std::string_view end) {
  const rocksdb::Status added = impl_->batch.DeleteRange(family.handle_, ToSlice(first), ToSlice(end));
  AISLE_CHECK(added.ok(), "{}", added.ToString());
  return *this;
}

void WriteBatch::Clear() { impl_->batch.Clear(); }
size_t WriteBatch::changes() const { return impl_->batch.Count(); }
size_t WriteBatch::bytes() const { return impl_->batch.GetDataSize(); }

struct Cursor::Impl {
  std::string folder;
  std::string end;
  rocksdb::Slice bound;  // Of `end`; RocksDB keeps a pointer to it.
  std::unique_ptr<rocksdb::Iterator> iterator;
};

Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cursor::~Cursor() = default;
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor& Cursor::operator=(Cursor&&) noexcept = default;
bool Cursor::Valid() const { return impl_->iterator->Valid(); }
void Cursor::Next() { impl_->iterator->Next(); }
std::string_view Cursor::key() const { return ToView(impl_->iterator->key()); }
std::string_view Cursor::value() const { return ToView(impl_->iterator->value()); }
Status Cursor::status() const { return FromRocks(impl_->iterator->status(), "read from", impl_->folder); }

struct KeyValueStore::Impl {
  std::string folder;
  std::unique_ptr<rocksdb::DB> database;
  std::map<std::string, rocksdb::ColumnFamilyHandle*, std::less<>> families;
  // Set by a write that failed: RocksDB then refuses all writes until it is told to resume.
  std::atomic<bool> stopped = false;
  std::mutex recovering;
  uint64_t disk_reserve = 0;

  ~Impl() {
    for (auto& [name, handle] : families) database->DestroyColumnFamilyHandle(handle);
    if (database) database->Close();
  }
  Status From(const rocksdb::Status& status, std::string_view what) const { return FromRocks(status, what, folder); }
  Status CheckSpace(uint64_t size, uint64_t reserve) const;
  Status Recover();
};

// Refused here, before RocksDB meets the full disk: its log can't take a write after one that failed half way.
Status KeyValueStore::Impl::CheckSpace(uint64_t size, uint64_t reserve) const {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return ErrnoStatus(errno, "look at the disk of", folder);
  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free >= size + reserve) return OkStatus();
  return ResourceExhausted(
      "cannot write to {}: the disk is full ({} free, {} kept in reserve); free some space and try again", folder,
      FormatByteCount(free), FormatByteCount(reserve));
}

// After a failed write RocksDB refuses all further ones until it is resumed; and where the log itself met the error it
// must be given a new one, which only the switch of a buffer that isn't empty brings about (RocksDB 7.8,
// DBImpl::SwitchMemtable). The deletion of an absent key, kept out of the log, makes it so.
Status KeyValueStore::Impl::Recover() {
  const std::lock_guard lock(recovering);
  if (!stopped) return OkStatus();
  AISLE_RETURN_IF_ERROR(From(database->Resume(), "write to"));
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  AISLE_RETURN_IF_ERROR(From(database->Delete(unlogged, "\xff/aisle/absent"), "write to"));
  if (!database->Flush({}).ok()) AISLE_RETURN_IF_ERROR(From(database->Resume(), "write to"));
  stopped = false;
  return OkStatus();
}

KeyValueStore::KeyValueStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeyValueStore::~KeyValueStore() = default;

StatusOr<std::unique_ptr<KeyValueStore>> KeyValueStore::Open(const std::string& folder,
                                                             const KeyValueOptions& options) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  const rocksdb::ColumnFamilyOptions family = FamilyOptions(options, rocksdb::NewLRUCache(options.block_cache_size, 2));
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : AllFamilies(folder, options)) descriptors.emplace_back(name, family);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* database = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(DatabaseOptions(folder, options), folder, descriptors, &handles, &database);
  if (MeansLoss(opened)) DurabilityLost(folder, FromRocks(opened, "open the database", folder));
  AISLE_RETURN_IF_ERROR(FromRocks(opened, "open the database", folder));
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  impl->disk_reserve = options.disk_reserve;
  impl->database.reset(database);
  for (rocksdb::ColumnFamilyHandle* handle : handles) impl->families.emplace(handle->GetName(), handle);
  return std::unique_ptr<KeyValueStore>(new KeyValueStore(std::move(impl)));
}

Family KeyValueStore::FamilyNamed(std::string_view name) const {
  const auto found = impl_->families.find(name);
  AISLE_CHECK(found != impl_->families.end(), "no family {} in {}", name, impl_->folder);
  return Family(found->second);
}

std::vector<std::string> KeyValueStore::families() const {
  std::vector<std::string> names = {rocksdb::kDefaultColumnFamilyName};
  for (const auto& [name, handle] : impl_->families) {
    if (name != names.front()) names.push_back(name);
  }
  return names;
}

Status KeyValueStore::DropFamily(std::string_view name) {
  const auto found = impl_->families.find(name);
  if (found == impl_->families.end()) return NotFound("{} has no family {}", impl_->folder, name);
  AISLE_RETURN_IF_ERROR(impl_->From(impl_->database->DropColumnFamily(found->second), "drop a family of"));
  impl_->database->DestroyColumnFamilyHandle(found->second);
  impl_->families.erase(found);
  return OkStatus();
}

StatusOr<std::optional<std::string>> KeyValueStore::Get(Family family, std::string_view key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status got = impl_->database->Get({}, family.handle_, ToSlice(key), &value);
  if (got.IsNotFound()) return std::optional<std::string>();
  AISLE_RETURN_IF_ERROR(impl_->From(got, "read from"));
  return std::optional<std::string>(value.ToString());
}

StatusOr<bool> KeyValueStore::Contains(Family family, std::string_view key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status got = impl_->database->Get({}, family.handle_, ToSlice(key), &value);
  if (got.IsNotFound()) return false;
  AISLE_RETURN_IF_ERROR(impl_->From(got, "read from"));
  return true;
}

Status KeyValueStore::Write(WriteBatch& batch, Durability durability) {
  AISLE_RETURN_IF_ERROR(impl_->CheckSpace(batch.bytes(), batch.impl_->batch.HasPut() ? impl_->disk_reserve : 0));
  if (impl_->stopped) AISLE_RETURN_IF_ERROR(impl_->Recover());
  rocksdb::WriteOptions options;
  options.sync = durability == Durability::kSynced;
  options.memtable_insert_hint_per_batch = true;  // Batches come mostly in order of their keys.
  const rocksdb::Status written = impl_->database->Write(options, &batch.impl_->batch);
  if (!written.ok()) impl_->stopped = true;
  return impl_->From(written, "write to");
}

Status KeyValueStore::Put(Family family, std::string_view key, std::string_view value, Durability durability) {
  WriteBatch batch;
  batch.Put(family, key, value);
  return Write(batch, durability);
}

Cursor KeyValueStore::Range(Family family, std::string_view first, std::string_view end) const {
  auto cursor = std::make_unique<Cursor::Impl>();
  cursor->folder = impl_->folder;
  cursor->end = std::string(end);
  cursor->bound = ToSlice(cursor->end);
  rocksdb::ReadOptions options;
  if (!end.empty()) options.iterate_upper_bound = &cursor->bound;
  cursor->iterator.reset(impl_->database->NewIterator(options, family.handle_));
  cursor->iterator->Seek(ToSlice(first));
  return Cursor(std::move(cursor));
}

Cursor KeyValueStore::Prefix(Family family, std::string_view prefix) const {
  return Range(family, prefix, EndOfPrefix(prefix));
}

Status KeyValueStore::Flush() {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  for (const auto& [name, handle] : impl_->families) handles.push_back(handle);
  return impl_->From(impl_->database->Flush({}, handles), "write to");
}

Status KeyValueStore::Compact(Family family, std::string_view first, std::string_view end) {
  const rocksdb::Slice begin = ToSlice(first);
  const rocksdb::Slice stop = ToSlice(end);
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  return impl_->From(impl_->database->CompactRange(options, family.handle_, first.empty() ? nullptr : &begin,
                                                   end.empty() ? nullptr : &stop),
                     "compact");
}

Status KeyValueStore::Checkpoint(const std::string& folder) const {
  rocksdb::Checkpoint* made = nullptr;
  const rocksdb::Status created = rocksdb::Checkpoint::Create(impl_->database.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  AISLE_RETURN_IF_ERROR(impl_->From(created, "copy"));
  return FromRocks(checkpoint->CreateCheckpoint(folder), "copy " + impl_->folder + " to", folder);
}

uint64_t KeyValueStore::SizeOnDisk() const {
  uint64_t total = 0;
  for (const auto& [name, handle] : impl_->families) {
    uint64_t size = 0;
    if (impl_->database->GetIntProperty(handle, "rocksdb.total-sst-files-size", &size)) total += size;
  }
  return total;
}

std::string EndOfPrefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

}  // namespace aisle

// Small updates, one after another in one file. Making, naming, syncing and removing a file costs more than a small
// update itself: here a hundred of them share one file and a handful of syncs.
//
//   <folder>/updates   records: magic, store, digest, payload size, payload
//
// A record counts if its payload has its digest, which every restart checks; where the file is damaged, those behind it
// still count. An update on its way in waits in memory
// (at most kSharedUpdateMax bytes each); a restart loses it, and the store sends it again.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "coordinator/uploads/shared_sync.h"
#include "coordinator/uploads/update_shelf.h"

namespace aisle {

inline constexpr uint64_t kSharedUpdateMax = 64 << 10;  // Bytes: larger updates get a file of their own.

class SharedShelf final : public UpdateShelf {
 public:
  // Reads what is there and makes sure of it; a record that was cut at the end is taken away.
  static StatusOr<std::unique_ptr<SharedShelf>> Open(const std::string& folder);

  bool ReadsBack() const override { return false; }  // Small ones are read once, from memory.
  bool Has(const StoreId& store, const BlobName& update) const override;
  uint64_t PartialSize(const StoreId&, const BlobName&) const override { return 0; }
  StatusOr<std::unique_ptr<ArrivingUpdate>> Begin(const StoreId& store, const BlobName& update) override;
  Status DropPartial(const StoreId&, const BlobName&) override { return OkStatus(); }  // They are in memory only.
  StatusOr<SpooledUpdate> OpenVerified(const StoreId& store, const BlobName& update) override;
  Status Forget(const StoreId& store) override;

 private:
  class Arriving;
  struct Record;
  using Key = std::pair<StoreId, Digest>;
  SharedShelf(FileDescriptor file, std::string path);
  Status Load();
  void Index(const Record& record, uint64_t end);  // Of one that ends there.
  // Writes a record and waits until it is durable. An empty payload makes all earlier records of the store void.
  Status Write(const StoreId& store, const Digest& digest, std::string_view payload);
  StatusOr<uint64_t> WriteRecord(const StoreId& store, const Digest& digest, std::string_view payload);

  const std::shared_ptr<const FileDescriptor> file_;
  const std::string path_;
  SharedSync sync_;
  mutable std::mutex mutex_;        // Guards the two below.
  uint64_t end_ = 0;                // Of the last record.
  std::map<Key, uint64_t> begins_;  // Where the payloads of complete updates begin.
};

}  // namespace aisle

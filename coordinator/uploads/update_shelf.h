// Where the updates of one round come to rest: promised to the spool, kept in one of two ways.
//   file_shelf.h    a file per update: large ones
//   shared_shelf.h  one file for all: small ones, so that a hundred stores cost a handful of syncs
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/fleet.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/storage/files.h"
#include "base/storage/page_cache.h"

namespace aisle {

// One update on its way in. Not thread-safe.
class ArrivingUpdate {
 public:
  virtual ~ArrivingUpdate() = default;
  virtual uint64_t received() const = 0;
  // InvalidArgument (kSizeMismatch) beyond the promised size; ResourceExhausted (kStorageFull) drops what is here.
  virtual Status Append(std::string_view data) = 0;
  // Only with all bytes here. DataLoss (kDigestMismatch) drops them; OK means verified and durable, and ends this.
  virtual Status Finish() = 0;
  // Reads back what is here, also after a Finish that found it damaged. Only where the shelf says that it can.
  virtual Status ReadBack(uint64_t offset, char* data, size_t size) = 0;
};

// A complete, verified update, open for reading. Thread-safe; stays readable when the update is dropped meanwhile.
class SpooledUpdate {
 public:
  SpooledUpdate(std::shared_ptr<const FileDescriptor> file, uint64_t begin, std::string path)
      : file_(std::move(file)), begin_(begin), path_(std::move(path)) {}
  // Exactly `size` bytes from `offset` of the update on.
  Status ReadAt(uint64_t offset, char* data, size_t size) const {
    return ReadExactlyAt(file_->get(), data, size, begin_ + offset, path_);
  }
  // Says that its first `size` bytes were read for the last time, as far as one can tell.
  void ReadOut(uint64_t size) const { DropFromMemory(file_->get(), begin_, size); }

 private:
  std::shared_ptr<const FileDescriptor> file_;
  uint64_t begin_;  // Of the update in the file.
  std::string path_;
};

// Thread-safe, but one ArrivingUpdate per store at a time.
class UpdateShelf {
 public:
  virtual ~UpdateShelf() = default;
  // Whether what arrives can be read back before it is whole.
  virtual bool ReadsBack() const = 0;
  virtual bool Has(const StoreId& store, const BlobName& update) const = 0;
  // Bytes that a cut stream left, of an update that isn't complete.
  virtual uint64_t PartialSize(const StoreId& store, const BlobName& update) const = 0;
  // Begins, or goes on with what a cut stream left.
  virtual StatusOr<std::unique_ptr<ArrivingUpdate>> Begin(const StoreId& store, const BlobName& update) = 0;
  // Drops what a cut stream left of an update that isn't complete. Nothing of it is arriving.
  virtual Status DropPartial(const StoreId& store, const BlobName& update) = 0;
  // See UploadSpool::OpenVerified.
  virtual StatusOr<SpooledUpdate> OpenVerified(const StoreId& store, const BlobName& update) = 0;
  // Drops all of a store's updates, whole or not. Nothing of its is arriving.
  virtual Status Forget(const StoreId& store) = 0;
};

}  // namespace aisle

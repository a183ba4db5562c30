// Large updates, each a file of its own:
//
//   <folder>/<store>.<sha256>.part     arriving
//   <folder>/<store>.<sha256>.update   whole, verified, on the disk
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "coordinator/uploads/shared_sync.h"
#include "coordinator/uploads/update_shelf.h"

namespace aisle {

class FileShelf final : public UpdateShelf {
 public:
  explicit FileShelf(std::string folder);

  bool ReadsBack() const override { return true; }
  bool Has(const StoreId& store, const BlobName& update) const override;
  uint64_t PartialSize(const StoreId& store, const BlobName& update) const override;
  StatusOr<std::unique_ptr<ArrivingUpdate>> Begin(const StoreId& store, const BlobName& update) override;
  Status DropPartial(const StoreId& store, const BlobName& update) override;
  StatusOr<SpooledUpdate> OpenVerified(const StoreId& store, const BlobName& update) override;
  Status Forget(const StoreId& store) override;

 private:
  class Arriving;
  std::string PathOf(const StoreId& store, const Digest& digest, std::string_view ending) const;
  bool WasVerified(const StoreId& store, const Digest& digest) const;
  void NoteVerified(const StoreId& store, const Digest& digest);

  const std::string folder_;
  SharedSync folder_sync_;
  mutable std::mutex mutex_;
  std::set<std::pair<StoreId, Digest>> verified_;  // Complete updates checked by this program; guarded by mutex_.
};

}  // namespace aisle

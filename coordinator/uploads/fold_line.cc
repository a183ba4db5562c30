#include "coordinator/uploads/fold_line.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/cover.h"

namespace aisle {

// Touched only on the executor.
struct FoldLine::Work {
  explicit Work(std::shared_ptr<UploadSpool> from) : spool(std::move(from)) {}

  Status Fold(const StoreId& store, const BlobName& update);
  StatusOr<ModularSum> Take(std::vector<StoreId> stores);
  Status AddFile(const StoreId& store, const BlobName& update);
  Status RebuildIfBroken();
  Status CheckFolded(std::vector<StoreId> stores) const;
  ModularSum& Sum();

  const std::shared_ptr<UploadSpool> spool;
  std::optional<ModularSum> sum;       // Made for the first update.
  std::map<StoreId, BlobName> folded;  // What the sum is of.
  bool broken = false;                 // A read failed half way: the sum holds a piece of an update.
  std::unique_ptr<char[]> buffer;
};

ModularSum& FoldLine::Work::Sum() {
  if (!sum) sum.emplace(spool->update_size() / ModularSum::kCoordinateSize);
  if (!buffer) buffer = std::make_unique_for_overwrite<char[]>(kBufferSize);
  return *sum;
}

Status FoldLine::Work::Fold(const StoreId& store, const BlobName& update) {
  if (const auto known = folded.find(store); known != folded.end()) {
    if (known->second == update) return OkStatus();
    return AlreadyExists("{} is in the sum with update {}; it can't give {} as well", store,
                         known->second.digest.ShortHex(), update.digest.ShortHex());
  }
  AISLE_RETURN_IF_ERROR(RebuildIfBroken());
  AISLE_RETURN_IF_ERROR(AddFile(store, update));
  folded.emplace(store, update);
  return OkStatus();
}

Status FoldLine::Work::AddFile(const StoreId& store, const BlobName& update) {
  AISLE_ASSIGN_OR_RETURN(const SpooledUpdate spooled, spool->OpenVerified(store, update));
  ModularSum& total = Sum();
  for (uint64_t offset = 0; offset < update.size; offset += kBufferSize) {
    const size_t size = std::min<uint64_t>(kBufferSize, update.size - offset);
    Status added = spooled.ReadAt(offset, buffer.get(), size);
    if (added.ok()) added = total.AddBytes({buffer.get(), size}, offset / ModularSum::kCoordinateSize);
    if (!added.ok()) {
      broken = offset > 0;
      return added;
    }
  }
  spooled.ReadOut(update.size);
  return OkStatus();
}

Status FoldLine::Work::RebuildIfBroken() {
  if (!broken) return OkStatus();
  AISLE_COVER("uploads.sum_rebuilt");
  Sum().Clear();
  for (const auto& [store, update] : folded) {
    const Status added = AddFile(store, update);
    broken = true;  // Until the last one is in again.
    AISLE_RETURN_IF_ERROR(added);
  }
  broken = false;
  return OkStatus();
}

StatusOr<ModularSum> FoldLine::Work::Take(std::vector<StoreId> stores) {
  AISLE_RETURN_IF_ERROR(CheckFolded(std::move(stores)));
  AISLE_RETURN_IF_ERROR(RebuildIfBroken());
  ModularSum taken = std::move(Sum());
  sum.reset();
  folded.clear();
  return taken;
}

Status FoldLine::Work::CheckFolded(std::vector<StoreId> stores) const {
  std::ranges::sort(stores);
  std::vector<StoreId> have;
  for (const auto& [store, update] : folded) have.push_back(store);
  if (stores == have) return OkStatus();
  std::vector<StoreId> different;
  std::ranges::set_symmetric_difference(stores, have, std::back_inserter(different));
  return FailedPrecondition("the sum holds {} updates where {} were asked for; they differ in {} stores, {} the first",
                            have.size(), stores.size(), different.size(),
                            different.empty() ? "a repeated one" : different.front().str());
}

FoldLine::FoldLine(std::shared_ptr<UploadSpool> spool, Executor& worker)
    : work_(std::make_shared<Work>(std::move(spool))), worker_(worker) {}

FoldLine::~FoldLine() = default;

void FoldLine::Fold(const StoreId& store, const BlobName& update, Folded folded) {
  worker_.Post([line = std::weak_ptr(work_), store, update, folded = std::move(folded)] {
    if (const std::shared_ptr<Work> work = line.lock()) folded(work->Fold(store, update));
  });
}

void FoldLine::Take(std::vector<StoreId> stores, Taken taken) {
  worker_.Post([line = std::weak_ptr(work_), stores = std::move(stores), taken = std::move(taken)] {
    if (const std::shared_ptr<Work> work = line.lock()) taken(work->Take(stores));
  });
}

}  // namespace aisle

#include "coordinator/uploads/fold_line.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/cover.h"

namespace aisle {

// Touched only on the executor, but for the sum.
struct FoldLine::Work {
  explicit Work(std::shared_ptr<UploadSpool> from)
      : spool(std::move(from)), sum(std::make_shared<ArrivingSum>(spool->update_size() / ModularSum::kCoordinateSize)) {
    spool->SumArrivals(sum);
  }

  Status Fold(const StoreId& store, const BlobName& update);
  StatusOr<ModularSum> Take(std::vector<StoreId> stores);
  Status AddFile(const StoreId& store, const BlobName& update);
  void WithdrawOthers();
  Status AddMissing();
  Status CheckFolded(std::vector<StoreId> stores) const;

  const std::shared_ptr<UploadSpool> spool;
  const std::shared_ptr<ArrivingSum> sum;
  std::map<StoreId, BlobName> folded;  // What the sum is to be of.
};

Status FoldLine::Work::Fold(const StoreId& store, const BlobName& update) {
  if (const auto known = folded.find(store); known != folded.end()) {
    if (known->second == update) return OkStatus();
    return AlreadyExists("{} is in the sum with update {}; it can't give {} as well", store,
                         known->second.digest.ShortHex(), update.digest.ShortHex());
  }
  AISLE_RETURN_IF_ERROR(AddFile(store, update));
  folded.emplace(store, update);
  return OkStatus();
}

Status FoldLine::Work::AddFile(const StoreId& store, const BlobName& update) {
  AISLE_ASSIGN_OR_RETURN(const SpooledUpdate spooled, spool->OpenVerified(store, update));
  AISLE_RETURN_IF_ERROR(sum->Complete(
      store, update, [&](uint64_t offset, char* data, size_t size) { return spooled.ReadAt(offset, data, size); }));
  spooled.ReadOut(update.size);
  return OkStatus();
}

// Of stores whose update isn't whole, wasn't accepted, or wasn't the one that was.
void FoldLine::Work::WithdrawOthers() {
  for (const ArrivingSum::Share& share : sum->shares()) {
    const auto found = folded.find(share.store);
    if (found == folded.end() || found->second != share.update) spool->Withdraw(share.store, share.update, *sum);
  }
}

Status FoldLine::Work::AddMissing() {
  if (sum->spoilt()) {
    AISLE_COVER("uploads.sum_rebuilt");
    sum->Clear();
  }
  std::map<StoreId, uint64_t> have;
  for (const ArrivingSum::Share& share : sum->shares()) have[share.store] = share.bytes;
  for (const auto& [store, update] : folded) {
    if (have[store] < update.size) AISLE_RETURN_IF_ERROR(AddFile(store, update));
  }
  return OkStatus();
}

StatusOr<ModularSum> FoldLine::Work::Take(std::vector<StoreId> stores) {
  AISLE_RETURN_IF_ERROR(CheckFolded(std::move(stores)));
  sum->Close();
  WithdrawOthers();
  AISLE_RETURN_IF_ERROR(AddMissing());
  folded.clear();
  return sum->Take();
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

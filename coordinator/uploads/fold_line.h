// The one sum of a round: complete updates, each exactly once. Large ones are mostly in it when they are whole, since
// the spool shows them to the sum as they arrive (arriving_sum.h); the rest is folded out of the spool. Who was
// accepted decides: what else is in the sum when it is taken comes out first.
//
// All other work is done on the executor that is handed in, one update at a time, through one buffer: memory is the sum
// and that buffer, whatever the number of stores. A sum of integers doesn't care about order, so after a restart
// folding the accepted updates again, in any order, gives the same bits.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "aggregation/modular_sum.h"
#include "base/executor.h"
#include "base/fleet.h"
#include "base/ids.h"
#include "base/status.h"
#include "coordinator/uploads/upload_spool.h"

namespace aisle {

// Calls come from any thread. Callbacks run on the executor. May be destroyed while work is queued: that is dropped,
// and its callbacks with it.
class FoldLine {
 public:
  // What comes by streams that the spool had before is read back when it is accepted. One executor may serve the lines
  // of many rounds; it must outlive the line.
  FoldLine(std::shared_ptr<UploadSpool> spool, Executor& worker);
  ~FoldLine();
  FoldLine(const FoldLine&) = delete;
  FoldLine& operator=(const FoldLine&) = delete;

  // Adds a complete update to the sum. A store that was folded before changes nothing: OK for the same update,
  // AlreadyExists for another. Errors as UploadSpool::OpenVerified; after any of them the sum that is
  // taken is as if this update had never been tried.
  using Folded = std::function<void(const Status&)>;
  void Fold(const StoreId& store, const BlobName& update, Folded folded);

  // Hands the sum over once everything asked for before has been folded, and begins a new one. FailedPrecondition,
  // naming the stores, if the folded updates aren't exactly those of `stores`; the sum stays then.
  using Taken = std::function<void(StatusOr<ModularSum>)>;
  void Take(std::vector<StoreId> stores, Taken taken);

 private:
  struct Work;
  std::shared_ptr<Work> work_;
  Executor& worker_;
};

}  // namespace aisle

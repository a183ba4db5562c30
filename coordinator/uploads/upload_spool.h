// The spool of one round: the update vectors that stores send, kept until the round is over. How they lie on the disk
// is the shelf's business (update_shelf.h).
//
// What was acknowledged survives `kill -9` and a power cut; what was cut goes on where it stopped, also after a
// restart. Nothing is read back (and so nothing is folded) that wasn't verified against the digest the store reported.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/fleet.h"
#include "base/ids.h"
#include "base/status.h"
#include "coordinator/uploads/arriving_sum.h"
#include "coordinator/uploads/shared_shelf.h"
#include "coordinator/uploads/update_shelf.h"

namespace aisle {

class UploadSpool;

// One stream of one store's update. Used by one thread at a time; the spool must outlive it.
//
// A store whose link was cut comes back on a new stream before the old one is known to be dead: the newest session goes
// on with the same bytes, and every call on an older one answers Aborted.
class UploadSession {
 public:
  UploadSession(const UploadSession&) = delete;
  UploadSession& operator=(const UploadSession&) = delete;

  // The next bytes of the stream. InvalidArgument (kSizeMismatch) beyond the promised size; ResourceExhausted
  // (kStorageFull, with a retry time) if the disk is full: the partial update is dropped and received() is zero again.
  Status Append(std::string_view data);
  // The stream ended. If all bytes are here: verifies, syncs, and answers complete; DataLoss (kDigestMismatch) drops
  // them. If some are missing: OK with complete = false, and a later stream goes on. Blocks for the disk (a millisecond
  // for a small update, a tenth of a second for a large one): not for a thread that others wait for. Many at once share
  // the disk's syncs.
  StatusOr<UploadStatus> Finish();

 private:
  friend class UploadSpool;
  struct Arrival;
  UploadSession(UploadSpool& spool, std::shared_ptr<Arrival> arrival, uint64_t turn, uint64_t offset);
  Status CheckTurn() const;

  UploadSpool& spool_;
  std::shared_ptr<Arrival> arrival_;
  const uint64_t turn_;
  uint64_t offset_;  // Of the stream's next byte in the update.
};

// Thread-safe.
class UploadSpool {
 public:
  // `update_size` is the size in bytes that every update of this round has. Goes on with what the folder holds; files
  // that aren't a spool's are left alone.
  // Updates of up to `shared_max` bytes share a file; always the same for one folder.
  static StatusOr<std::unique_ptr<UploadSpool>> Open(std::string folder, uint64_t update_size,
                                                     uint64_t shared_max = kSharedUpdateMax);
  ~UploadSpool();
  // Drops the spool of a round that is over, open sessions or not. OK if there is none.
  static Status Remove(const std::string& folder);

  // A stream of `update` whose data starts at `offset`. InvalidArgument (kSizeMismatch) for another size than the
  // round's; OutOfRange if `offset` is beyond what is here (ask Find where to go on). An offset before that is fine:
  // what is here already is skipped. Data of a complete update is skipped altogether, and Finish says complete.
  StatusOr<std::unique_ptr<UploadSession>> Begin(const StoreId& store, const BlobName& update, uint64_t offset);

  // How much of the update is here. Zero if nothing is.
  StatusOr<UploadStatus> Find(const StoreId& store, const BlobName& update) const;

  // Bytes of the store's latest upload that came since this program started. Never waits.
  uint64_t Received(const StoreId& store) const;

  // A complete update, open for reading. One that was not verified since this program started is read and checked
  // first. NotFound if it isn't complete. DataLoss if the disk cut or damaged it: the file is dropped, and the store
  // can send it again.
  StatusOr<SpooledUpdate> OpenVerified(const StoreId& store, const BlobName& update);

  // What arrives from now on goes into `sum` as well, where updates have a file each: small ones are left to Complete.
  // Updates that are arriving already go where they went before.
  void SumArrivals(std::shared_ptr<ArrivingSum> sum);
  // Takes what is in a sum of an update out of it again, whether that is whole or still arriving.
  void Withdraw(const StoreId& store, const BlobName& update, ArrivingSum& sum);

  // Drops whatever this store sent: it left the round, or its vector isn't wanted.
  Status Forget(const StoreId& store);

  uint64_t update_size() const { return update_size_; }
  const std::string& folder() const { return folder_; }

 private:
  friend class UploadSession;
  using Arrival = UploadSession::Arrival;
  UploadSpool(std::string folder, uint64_t update_size, std::unique_ptr<UpdateShelf> shelf);
  Status CheckSize(const StoreId& store, const BlobName& update) const;
  std::shared_ptr<Arrival> ArrivalOf(const StoreId& store, const BlobName& update);
  Status DropOtherPartial(const StoreId& store, const BlobName& update);
  Status Prepare(Arrival& arrival);
  void DropArrival(const StoreId& store);

  const std::string folder_;
  const uint64_t update_size_;  // Bytes.
  const std::unique_ptr<UpdateShelf> shelf_;
  mutable std::mutex mutex_;                              // Never held while the disk is waited for.
  std::map<StoreId, std::shared_ptr<Arrival>> arrivals_;  // Guarded by mutex_.
  std::shared_ptr<ArrivingSum> sum_;                      // The same. Null: nothing is summed as it arrives.
};

}  // namespace aisle

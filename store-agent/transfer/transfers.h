// One attempt to move a blob down or an update up. An attempt that is cut keeps what arrived; the next one continues
// there.
#pragma once

#include <optional>

#include "store-agent/agent/events.h"
#include "store-agent/transfer/blob_cache.h"
#include "store-agent/transfer/byte_meter.h"
#include "store-agent/transfer/fleet_link.h"
#include "store-agent/transfer/spool.h"

namespace aisle {

// `disk`: not the link but the store's own disk failed; `outcome` then says nothing.
struct TransferResult {
  agent::CallOutcome outcome;
  Status disk;
  uint64_t there = 0;  // Bytes of an upload that headquarters has, as far as is known.
};

// Done at once if the blob is in the cache.
TransferResult Download(FleetLink& link, const BlobCache& cache, ByteMeter& meter, const BlobName& blob,
                        std::stop_token stop);

struct UploadOptions {
  SpooledVector which = SpooledVector::kUpdate;
  bool resume = false;  // Ask first how much is there …
  uint64_t known = 0;   // … which is progress if it is over the bytes that were known to be.
};
// `outcome` is done once headquarters has verified all of it.
TransferResult UploadSpooled(FleetLink& link, const Spool& spool, ByteMeter& meter, const UploadHeader& update,
                             const UploadOptions& options, std::stop_token stop);

}  // namespace aisle

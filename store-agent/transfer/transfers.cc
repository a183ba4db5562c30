#include "store-agent/transfer/transfers.h"

#include <algorithm>

#include "base/cover.h"
#include "store-agent/transfer/call_outcome.h"

namespace aisle {
namespace {

TransferResult FromStatus(const Status& status, bool progressed = false) {
  TransferResult result{.outcome = OutcomeOf(status)};
  result.outcome.progressed = progressed;
  return result;
}

TransferResult FromDisk(Status status) { return {.disk = std::move(status)}; }

TransferResult CutAt(uint64_t there, TransferResult result) {
  result.there = there;
  return result;
}

// Reads the spooled vector piece by piece.
class SpoolReader {
 public:
  SpoolReader(const FileDescriptor& file, std::string path, uint64_t offset, uint64_t size, ByteMeter& meter)
      : file_(file), path_(std::move(path)), offset_(offset), size_(size), meter_(meter) {}

  StatusOr<std::string> Next() {
    std::string piece(std::min(kChunkSize, size_ - offset_), '\0');
    if (piece.empty()) return piece;
    disk_ = ReadExactlyAt(file_.get(), piece.data(), piece.size(), offset_, path_);
    if (!disk_.ok()) return disk_;
    offset_ += piece.size();
    meter_.CountUp(piece.size());
    return piece;
  }
  const Status& disk() const { return disk_; }

 private:
  const FileDescriptor& file_;
  std::string path_;
  uint64_t offset_;
  uint64_t size_;
  ByteMeter& meter_;
  Status disk_;
};

}  // namespace

TransferResult Download(FleetLink& link, const BlobCache& cache, ByteMeter& meter, const BlobName& blob,
                        std::stop_token stop) {
  if (cache.Has(blob)) return {};
  StatusOr<PartialBlob> part = cache.Begin(blob);
  if (!part.ok()) return FromDisk(part.status());
  const uint64_t before = part->received();
  Status disk;
  const auto sink = [&](std::string_view data) {
    meter.CountDown(data.size());
    Status appended = part->Append(data);
    if (!appended.ok() && appended.code() != StatusCode::kInvalidArgument) disk = appended;
    return appended;
  };
  Status fetched = before == blob.size ? OkStatus() : link.Fetch(blob, before, sink, stop);
  (void)meter.Save();
  if (!disk.ok()) return FromDisk(disk);
  const bool progressed = part->received() > before;
  // However the link broke: a blob that is whole is whole.
  const bool broken = !fetched.ok() && (part->received() < blob.size || fetched.code() == StatusCode::kInvalidArgument);
  if (broken) return FromStatus(fetched, progressed);
  const Status finished = part->Finish();
  const StatusCode code = finished.code();
  if (finished.ok() || code == StatusCode::kDataLoss || part->received() < blob.size) {
    return FromStatus(finished, progressed && code != StatusCode::kDataLoss);
  }
  return FromDisk(finished);
}

TransferResult UploadSpooled(FleetLink& link, const Spool& spool, ByteMeter& meter, const UploadHeader& update,
                             const UploadOptions& options, std::stop_token stop) {
  UploadHeader header = update;
  bool progressed = false;
  if (options.resume) {
    const StatusOr<UploadStatus> there = link.AskUploadStatus(update.round, update.update.digest, stop);
    if (!there.ok()) return CutAt(options.known, FromStatus(there.status()));
    if (there->complete) return {};
    header.offset = there->received <= update.update.size ? there->received : 0;
    progressed = header.offset > options.known;
  }
  const StatusOr<FileDescriptor> file = spool.OpenVector(update.round, options.which);
  if (!file.ok()) return FromDisk(file.status());
  SpoolReader reader(*file, spool.PathOf(update.round, options.which), header.offset, update.update.size, meter);
  const StatusOr<UploadStatus> sent = link.Upload(
      header, [&] { return reader.Next(); }, stop);
  (void)meter.Save();
  if (!reader.disk().ok()) return FromDisk(reader.disk());
  // What this attempt has brought there, the next one will hear.
  if (!sent.ok()) return CutAt(header.offset, FromStatus(sent.status(), progressed));
  if (sent->complete) return {};
  AISLE_COVER("transfer.upload_incomplete");
  return CutAt(sent->received,
               FromStatus(Unavailable("headquarters has {} of {} bytes", sent->received, update.update.size),
                          progressed || sent->received > header.offset));
}

}  // namespace aisle

#include "coordinator/blobs/incoming_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/cover.h"
#include "base/reason.h"
#include "base/storage/page_cache.h"

namespace aisle {
namespace {

constexpr size_t kReadSize = 256 << 10;
constexpr absl::Duration kFullDiskRetry = absl::Seconds(30);

// One run of the disk, where a hundred files that arrive at once would lie in pieces between each other: quicker to
// write and much quicker to remove. Only a hint: a full disk shows itself when something is written.
void Reserve(int fd, uint64_t size) {
  static_cast<void>(::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)));
}

}  // namespace

Status NameFullDisk(Status status) {
  if (status.code() != StatusCode::kResourceExhausted) return status;
  return WithReason(std::move(status), Reason::kStorageFull, kFullDiskRetry);
}

IncomingFile::IncomingFile(Place place, const BlobName& name, FileDescriptor file)
    : place_(std::move(place)), name_(name), file_(std::move(file)) {}

IncomingFile::~IncomingFile() {
  if (file_.valid() && received_ == 0 && !abandoned_) Abandon();
}

StatusOr<IncomingFile> IncomingFile::Open(Place place, const BlobName& name) {
  StatusOr<FileDescriptor> file = OpenFile(place.partial, O_RDWR | O_CREAT);
  if (!file.ok()) return NameFullDisk(file.status());
  IncomingFile incoming(std::move(place), name, *std::move(file));
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(incoming.place_.partial));
  if (size > name.size) {
    AISLE_RETURN_IF_ERROR(incoming.Restart());
  } else {
    AISLE_RETURN_IF_ERROR(incoming.HashAgain(size));
  }
  if (incoming.place_.passes) {
    Reserve(incoming.file_.get(), name.size);
    incoming.can_direct_ = WriteDirectly(incoming.file_.get(), true);
    incoming.direct_ = incoming.can_direct_;
  }
  return incoming;
}

Status IncomingFile::HashAgain(uint64_t size) {
  if (size == 0) return OkStatus();
  const auto buffer = std::make_unique_for_overwrite<char[]>(kReadSize);
  while (received_ < size) {
    const size_t wanted = std::min<uint64_t>(kReadSize, size - received_);
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(file_.get(), buffer.get(), wanted, received_, place_.partial));
    hash_.Update({buffer.get(), wanted});
    received_ += wanted;
  }
  written_back_ = received_;
  dropped_ = received_;
  return OkStatus();
}

Status IncomingFile::Restart() {
  hash_ = Sha256();
  received_ = 0;
  written_back_ = 0;
  dropped_ = 0;
  if (::ftruncate(file_.get(), 0) != 0) return ErrnoStatus(errno, "empty", place_.partial);
  return OkStatus();
}

Status IncomingFile::Append(std::string_view data) {
  if (data.size() > name_.size - received_) {
    return WithReason(InvalidArgument("{} was promised with {} bytes, but {} or more came", name_.digest.ShortHex(),
                                      name_.size, received_ + data.size()),
                      Reason::kSizeMismatch);
  }
  const bool direct = GoesDirectly(data.size());
  Status written = direct ? WriteDirect(data) : Write(data);
  if (!written.ok()) {
    AISLE_RETURN_IF_ERROR(Restart());
    return NameFullDisk(std::move(written));
  }
  hash_.Update(data);
  received_ += data.size();
  if (direct && written_back_ + data.size() == received_) {  // Nothing in memory is left to be written.
    written_back_ = received_;
    dropped_ = received_;
  }
  WriteBack();
  return OkStatus();
}

bool IncomingFile::GoesDirectly(uint64_t size) const {
  return can_direct_ && size >= kDirectMin && size % kDirectBlock == 0 && received_ % kDirectBlock == 0;
}

void IncomingFile::Direct(bool direct) {
  if (can_direct_ && direct != direct_ && WriteDirectly(file_.get(), direct)) direct_ = direct;
}

Status IncomingFile::Write(std::string_view data) {
  Direct(false);
  return WriteAllAt(file_.get(), data, received_, place_.partial);
}

// By way of a buffer that lies as the disk wants it.
Status IncomingFile::WriteDirect(std::string_view data) {
  struct alignas(kDirectBlock) Piece {
    char bytes[kReadSize];
  };
  thread_local const auto piece = std::make_unique_for_overwrite<Piece>();
  Direct(true);
  for (uint64_t at = 0; at < data.size(); at += kReadSize) {
    const size_t size = data.copy(piece->bytes, kReadSize, at);
    Status written = WriteAllAt(file_.get(), {piece->bytes, size}, received_ + at, place_.partial);
    if (!written.ok() && direct_) {  // Perhaps a file system that promises more than it keeps: once more as others do.
      Direct(false);
      can_direct_ = false;
      written = WriteAllAt(file_.get(), {piece->bytes, size}, received_ + at, place_.partial);
    }
    AISLE_RETURN_IF_ERROR(written);
  }
  return OkStatus();
}

Status IncomingFile::ReadBack(uint64_t offset, char* data, size_t size) {
  Direct(false);
  return ReadExactlyAt(file_.get(), data, size, offset, place_.partial);
}

void IncomingFile::WriteBack() {
  if (received_ - written_back_ < kWriteBackStep) return;
  StartWriting(file_.get(), written_back_, received_ - written_back_);
  written_back_ = received_;
  if (!place_.passes || received_ < dropped_ + kInMemoryMax + kWriteBackStep) return;
  DropFromMemory(file_.get(), dropped_, received_ - kInMemoryMax - dropped_);
  dropped_ = received_ - kInMemoryMax;
}

Status IncomingFile::Finish() {
  if (received_ != name_.size) {
    return WithReason(FailedPrecondition("{} of {} bytes of {} are here; send the rest", received_, name_.size,
                                         name_.digest.ShortHex()),
                      Reason::kSizeMismatch);
  }
  const Digest digest = hash_.Finish();
  if (digest != name_.digest) {
    Abandon();
    return WithReason(DataLoss("the {} bytes that came have digest {}, promised was {}; send them again from the start",
                               name_.size, digest.ShortHex(), name_.digest.ShortHex()),
                      Reason::kDigestMismatch);
  }
  AISLE_COVER("commit.incoming.before");
  Status synced = SyncData(file_.get(), place_.partial);
  if (!synced.ok()) {
    AISLE_RETURN_IF_ERROR(Restart());
    return NameFullDisk(std::move(synced));
  }
  file_.Close();
  AISLE_COVER("commit.incoming.aside");
  if (::rename(place_.partial.c_str(), place_.complete.c_str()) != 0) {
    return ErrnoStatus(errno, "rename " + place_.partial + " to", place_.complete);
  }
  AISLE_COVER("commit.incoming.renamed");
  return OkStatus();
}

void IncomingFile::Abandon() {
  ::unlink(place_.partial.c_str());
  abandoned_ = true;
  received_ = 0;
}

}  // namespace aisle

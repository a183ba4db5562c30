#include "coordinator/blobs/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/cover.h"
#include "base/reason.h"
#include "base/storage/page_cache.h"

namespace aisle {
namespace {

constexpr std::string_view kIncoming = "incoming";
constexpr size_t kVerifiedMax = 4096;

Status CheckSize(uint64_t size) {
  if (size <= kBlobSizeMax) return OkStatus();
  return WithReason(InvalidArgument("a blob of {} bytes is over the limit of {}", size, kBlobSizeMax),
                    Reason::kLimitExceeded);
}

// The disk takes the beginning of a large model while the rest of it is being copied.
Status WriteInSteps(int fd, std::string_view bytes, const std::string& path) {
  constexpr size_t kStep = IncomingFile::kWriteBackStep;
  for (size_t at = 0; at < bytes.size(); at += kStep) {
    const std::string_view step = bytes.substr(at, kStep);
    AISLE_RETURN_IF_ERROR(WriteAllAt(fd, step, at, path));
    if (step.size() == kStep) StartWriting(fd, at, step.size());
  }
  return OkStatus();
}

Status FromFileSystem(const std::error_code& error, std::string_view what, const std::string& path) {
  return ErrnoStatus(error.value(), what, path);
}

}  // namespace

BlobReader::BlobReader(const BlobName& name, FileDescriptor file, std::string path)
    : name_(name), file_(std::move(file)), path_(std::move(path)) {}

StatusOr<std::string> BlobReader::ReadAt(uint64_t offset, size_t size_max) const {
  std::string data;
  AISLE_RETURN_IF_ERROR(ReadAt(offset, size_max, data));
  return data;
}

Status BlobReader::ReadAt(uint64_t offset, size_t size_max, std::string& data) const {
  if (offset > name_.size) {
    return OutOfRange("blob {} has {} bytes; asked for was byte {}", name_.digest.ShortHex(), name_.size, offset);
  }
  data.resize(std::min<uint64_t>(size_max, name_.size - offset));
  return ReadExactlyAt(file_.get(), data.data(), data.size(), offset, path_);
}

BlobWriter::BlobWriter(BlobStore& store, const BlobName& name, std::unique_ptr<IncomingFile> file)
    : store_(store), name_(name), file_(std::move(file)) {}

BlobWriter::~BlobWriter() {
  if (!file_) return;
  file_.reset();
  store_.ReleaseWriting(name_.digest);
}

uint64_t BlobWriter::received() const { return file_ ? file_->received() : name_.size; }

Status BlobWriter::Append(std::string_view data) {
  if (file_) return file_->Append(data);
  if (data.empty()) return OkStatus();
  return WithReason(
      InvalidArgument("blob {} is whole with {} bytes, but more came", name_.digest.ShortHex(), name_.size),
      Reason::kSizeMismatch);
}

Status BlobWriter::Finish() {
  const std::string folder = store_.FolderOf(name_.digest);
  if (file_) {
    if (file_->received() == name_.size) AISLE_RETURN_IF_ERROR(store_.MakeFolderOf(name_.digest));
    AISLE_RETURN_IF_ERROR(file_->Finish());
    file_.reset();
    store_.NoteVerified(name_.digest);
    store_.ReleaseWriting(name_.digest);
  }
  return SyncFolder(folder);  // Also if it was there before: whoever renamed it may not have come to this yet.
}

StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(std::string folder) {
  AISLE_RETURN_IF_ERROR(MakeFolders(fmt::format("{}/{}", folder, kIncoming)));
  return std::unique_ptr<BlobStore>(new BlobStore(std::move(folder)));
}

std::string BlobStore::FolderOf(const Digest& digest) const {
  return fmt::format("{}/{}", folder_, digest.Hex().substr(0, 2));
}
std::string BlobStore::PathOf(const Digest& digest) const {
  return fmt::format("{}/{}", FolderOf(digest), digest.Hex());
}
std::string BlobStore::PartialOf(const Digest& digest) const {
  return fmt::format("{}/{}/{}", folder_, kIncoming, digest.Hex());
}

Status BlobStore::MakeFolderOf(const Digest& digest) {
  const std::string folder = FolderOf(digest);
  const std::lock_guard lock(folders_mutex_);  // Whoever finds the folder finds it durable.
  if (FileExists(folder)) return OkStatus();
  AISLE_RETURN_IF_ERROR(NameFullDisk(MakeFolders(folder)));
  return SyncFolder(folder_);
}

bool BlobStore::ClaimWriting(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  return being_written_.insert(digest).second;
}

void BlobStore::ReleaseWriting(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  being_written_.erase(digest);
}

StatusOr<BlobName> BlobStore::Put(std::string_view bytes) {
  AISLE_RETURN_IF_ERROR(CheckSize(bytes.size()));
  const BlobName name{.digest = Sha256::Of(bytes), .size = bytes.size()};
  const std::string folder = FolderOf(name.digest);
  Want(name.digest);
  if (!Contains(name.digest)) {
    if (!ClaimWriting(name.digest)) {
      return Unavailable("blob {} is being stored by another caller; try again", name.digest.ShortHex());
    }
    const Status written = WriteWhole(name.digest, bytes);
    ReleaseWriting(name.digest);
    AISLE_RETURN_IF_ERROR(NameFullDisk(written));
  }
  AISLE_RETURN_IF_ERROR(SyncFolder(folder));  // Also if it was there: its writer may not have come to this yet.
  AISLE_COVER("commit.model_blob.after");
  NoteVerified(name.digest);
  return name;
}

// Over whatever an earlier writer has left behind.
Status BlobStore::WriteWhole(const Digest& digest, std::string_view bytes) {
  const std::string partial = PartialOf(digest);
  AISLE_RETURN_IF_ERROR(MakeFolderOf(digest));
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(partial, O_WRONLY | O_CREAT | O_TRUNC));
  Status written = WriteInSteps(file.get(), bytes, partial);
  if (written.ok()) written = SyncData(file.get(), partial);
  AISLE_COVER("commit.model_blob.aside");
  if (written.ok() && ::rename(partial.c_str(), PathOf(digest).c_str()) != 0) {
    written = ErrnoStatus(errno, "rename " + partial + " to", PathOf(digest));
  }
  if (!written.ok()) ::unlink(partial.c_str());
  return written;
}

StatusOr<std::unique_ptr<BlobWriter>> BlobStore::BeginWriting(const BlobName& name) {
  AISLE_RETURN_IF_ERROR(CheckSize(name.size));
  Want(name.digest);
  if (const auto present = Find(name.digest); present.ok()) {
    if ((*present)->size() != name.size) {
      return WithReason(
          InvalidArgument("blob {} has {} bytes, not {}", name.digest.ShortHex(), (*present)->size(), name.size),
          Reason::kSizeMismatch);
    }
    return std::unique_ptr<BlobWriter>(new BlobWriter(*this, name, nullptr));
  }
  if (!ClaimWriting(name.digest)) {
    return Unavailable("blob {} is being stored by another caller; try again", name.digest.ShortHex());
  }
  StatusOr<IncomingFile> file =
      IncomingFile::Open({.partial = PartialOf(name.digest), .complete = PathOf(name.digest)}, name);
  if (!file.ok()) {
    ReleaseWriting(name.digest);
    return file.status();
  }
  return std::unique_ptr<BlobWriter>(new BlobWriter(*this, name, std::make_unique<IncomingFile>(*std::move(file))));
}

bool BlobStore::Contains(const Digest& digest) const { return FileExists(PathOf(digest)); }

StatusOr<std::shared_ptr<const BlobReader>> BlobStore::Find(const Digest& digest) const {
  std::string path = PathOf(digest);
  StatusOr<FileDescriptor> file = OpenFile(path, O_RDONLY);
  if (file.status().code() == StatusCode::kNotFound) return NotFound("there is no blob {}", digest.ShortHex());
  AISLE_RETURN_IF_ERROR(file.status());
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) return ErrnoStatus(errno, "read", path);
  const BlobName name{.digest = digest, .size = static_cast<uint64_t>(info.st_size)};
  return std::shared_ptr<const BlobReader>(new BlobReader(name, *std::move(file), std::move(path)));
}

StatusOr<std::string> BlobStore::Read(const BlobName& name) const {
  AISLE_ASSIGN_OR_RETURN(const std::shared_ptr<const BlobReader> reader, Find(name.digest));
  if (reader->size() != name.size) {
    return InvalidArgument("blob {} has {} bytes, not {}", name.digest.ShortHex(), reader->size(), name.size);
  }
  AISLE_ASSIGN_OR_RETURN(std::string bytes, reader->ReadAt(0, name.size));
  if (WasVerified(name.digest)) return bytes;
  if (Sha256::Of(bytes) != name.digest) {
    return DataLoss("blob {} is damaged on disk ({}); restore it from a backup", name.digest.ShortHex(),
                    PathOf(name.digest));
  }
  NoteVerified(name.digest);
  return bytes;
}

bool BlobStore::WasVerified(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return verified_.contains(digest);
}

void BlobStore::NoteVerified(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  if (verified_.size() >= kVerifiedMax) verified_.clear();  // Forgetting costs a hash, no more.
  verified_.insert(digest);
}

Status BlobStore::Remove(const Digest& digest) {
  {
    const std::lock_guard lock(mutex_);
    verified_.erase(digest);
    if (holds_ > 0) {
      removed_.insert(digest);
      return OkStatus();
    }
  }
  return RemoveFile(PathOf(digest));
}

BlobStore::Hold::Hold(BlobStore& store) : store_(store) {
  const std::lock_guard lock(store_.mutex_);
  ++store_.holds_;
}

BlobStore::Hold::~Hold() { store_.ReleaseHold(); }

// Somebody stores it: should it wait to be removed, it waits no more.
void BlobStore::Want(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  removed_.erase(digest);
}

void BlobStore::ReleaseHold() {
  std::set<Digest> removed;
  {
    const std::lock_guard lock(mutex_);
    if (--holds_ > 0) return;
    removed = std::exchange(removed_, {});
  }
  for (const Digest& digest : removed)
    RemoveFile(PathOf(digest)).IgnoreError();  // Left behind it costs space, no more.
}

StatusOr<std::vector<BlobName>> BlobStore::ListAll() const {
  std::vector<BlobName> blobs;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const StatusOr<Digest> digest = Digest::FromHex(entry->path().filename().string());
    if (!digest.ok() || entry->path().parent_path().filename() == kIncoming) continue;
    std::error_code gone;  // Removed meanwhile.
    const uint64_t size = entry->file_size(gone);
    if (!gone) blobs.push_back({.digest = *digest, .size = size});
  }
  if (error) return FromFileSystem(error, "list the blobs in", folder_);
  std::ranges::sort(blobs);
  return blobs;
}

StatusOr<uint64_t> BlobStore::RemovePartials(absl::Time untouched_since) {
  uint64_t freed = 0;
  const std::string incoming = fmt::format("{}/{}", folder_, kIncoming);
  std::error_code error;
  for (std::filesystem::directory_iterator entry(incoming, error), end; !error && entry != end;
       entry.increment(error)) {
    const StatusOr<Digest> digest = Digest::FromHex(entry->path().filename().string());
    if (!digest.ok() || !ClaimWriting(*digest)) continue;
    struct stat info {};
    const bool known = ::stat(entry->path().c_str(), &info) == 0;
    if (known && absl::TimeFromTimespec(info.st_mtim) < untouched_since && ::unlink(entry->path().c_str()) == 0) {
      freed += static_cast<uint64_t>(info.st_size);
    }
    ReleaseWriting(*digest);
  }
  if (error) return FromFileSystem(error, "list", incoming);
  return freed;
}

}  // namespace aisle

#include "cli/backup_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/config.h"
#include "base/identity/identity.h"

namespace aisle::cli {
namespace {

constexpr uint64_t kCopyStep = 1 << 20;
constexpr uint64_t kDigestsSizeMax = 256 << 20;
constexpr size_t kPathMax = 256;
constexpr std::string_view kPart = ".part";  // Of a file under way.

std::string In(const std::string& folder, std::string_view name) { return fmt::format("{}/{}", folder, name); }

std::string BlobPath(const Digest& digest) {
  return fmt::format("blobs/{}/{}", digest.Hex().substr(0, 2), digest.Hex());
}

// The digest that a blob's path names; nullopt of anything else.
std::optional<Digest> BlobAt(const std::string& path) {
  const StatusOr<Digest> digest = Digest::FromHex(std::filesystem::path(path).filename().string());
  return digest.ok() && path == BlobPath(*digest) ? std::optional(*digest) : std::nullopt;
}

// A plain name within state/, and none that a file under way has.
bool IsStatePath(const std::string& path) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
  const auto has = [&](std::string_view part) { return path.find(part) != std::string::npos; };
  return path.starts_with("state/") && path.size() < kPathMax && path.find_first_not_of(kPlain) == std::string::npos &&
         !has("/.") && !has("..") && !has("//") && !path.ends_with('/') && !path.ends_with(kPart);
}

// Paths come from outside: they stay within the folder.
Status CheckPath(const std::string& path) {
  if (IsStatePath(path) || BlobAt(path)) return OkStatus();
  return InvalidArgument("a backup has no file '{}'", path);
}

// They are written into the mark as they are.
Status CheckBegun(const v1::BackupBegun& begun) {
  constexpr size_t kVersionMax = 64;
  AISLE_RETURN_IF_ERROR(ChainName::Parse(begun.chain()).status());
  const bool plain =
      std::ranges::all_of(begun.version(), [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
  if (plain && begun.version().size() <= kVersionMax) return OkStatus();
  return InvalidArgument("headquarters names a version that is none");
}

// Every blob below a backup's folder.
std::set<Digest> BlobsIn(const std::string& folder) {
  std::set<Digest> blobs;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(In(folder, "blobs"), error), end; !error && entry != end;
       entry.increment(error)) {
    const StatusOr<Digest> digest = Digest::FromHex(entry->path().filename().string());
    if (digest.ok()) blobs.insert(*digest);
  }
  return blobs;
}

Status SyncTree(const std::string& folder) {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory()) AISLE_RETURN_IF_ERROR(SyncFolder(entry->path().string()));
  }
  if (error) return ErrnoStatus(error.value(), "list", folder);
  return SyncFolder(folder);
}

Status CopyFile(const std::string& from, const std::string& to, const Digest& expected, uint64_t& bytes) {
  AISLE_RETURN_IF_ERROR(MakeFolders(std::filesystem::path(to).parent_path().string()));
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor source, OpenFile(from, O_RDONLY));
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(from));
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor target, OpenFile(to, O_WRONLY | O_CREAT | O_EXCL));
  Sha256 hash;
  std::string step;
  for (uint64_t offset = 0; offset < size; offset += step.size()) {
    step.resize(std::min(kCopyStep, size - offset));
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(source.get(), step.data(), step.size(), offset, from));
    hash.Update(step);
    AISLE_RETURN_IF_ERROR(WriteAll(target.get(), step, to));
  }
  if (hash.Finish() != expected) return DataLoss("{} is damaged: its SHA-256 isn't the backup's", from);
  bytes += size;
  return SyncData(target.get(), to);
}

}  // namespace

StatusOr<BackupWriter> BackupWriter::Open(const std::string& folder, const std::string& since) {
  if (FileExists(In(folder, kBackupMark))) return AlreadyExists("{} holds a backup already; choose another", folder);
  std::error_code error;
  const bool fresh = !std::filesystem::exists(folder, error) || std::filesystem::is_empty(folder, error);
  if (!fresh && !FileExists(In(folder, "blobs"))) {
    return AlreadyExists("{} holds something that isn't the beginning of a backup", folder);
  }
  AISLE_RETURN_IF_ERROR(MakeFolders(In(folder, "blobs")));
  std::filesystem::remove_all(In(folder, "state"), error);
  AISLE_RETURN_IF_ERROR(MakeFolders(In(folder, "state")));
  BackupWriter writer(folder);
  if (!since.empty()) AISLE_RETURN_IF_ERROR(writer.LinkBlobs(since));
  writer.blobs_ = BlobsIn(folder);
  return writer;
}

Status BackupWriter::LinkBlobs(const std::string& since) {
  AISLE_RETURN_IF_ERROR(ReadBackupName(since).status());
  for (const Digest& digest : BlobsIn(since)) {
    const std::string from = In(since, BlobPath(digest));
    const std::string to = In(folder_, BlobPath(digest));
    if (FileExists(to)) continue;
    AISLE_RETURN_IF_ERROR(MakeFolders(std::filesystem::path(to).parent_path().string()));
    if (::link(from.c_str(), to.c_str()) == 0) continue;
    AISLE_RETURN_IF_ERROR(RemoveFile(to + ".part"));
    AISLE_RETURN_IF_ERROR(CopyFile(from, to + ".part", digest, bytes_));
    AISLE_RETURN_IF_ERROR(RenameDurably(to + ".part", to));
  }
  return OkStatus();
}

Status BackupWriter::Take(const v1::BackUpResponse& message) {
  if (open_.valid() != message.has_data()) return DataLoss("the backup's messages are out of order");
  if (message.has_begun()) {
    AISLE_RETURN_IF_ERROR(CheckBegun(message.begun()));
    begun_ = message.begun();
  }
  if (message.has_file()) return Begin(message.file());
  if (message.has_data()) return Append(message.data());
  ended_ = message.has_ended();
  return OkStatus();
}

Status BackupWriter::Begin(const v1::BackupFile& file) {
  AISLE_RETURN_IF_ERROR(CheckPath(file.path()));
  file_ = file;
  written_ = 0;
  *hash_ = Sha256();
  const std::string path = In(folder_, file.path());
  AISLE_RETURN_IF_ERROR(MakeFolders(std::filesystem::path(path).parent_path().string()));
  AISLE_ASSIGN_OR_RETURN(open_, OpenFile(path + ".part", O_WRONLY | O_CREAT | O_TRUNC));
  return file.size_bytes() == 0 ? EndFile() : OkStatus();
}

Status BackupWriter::Append(const std::string& data) {
  AISLE_RETURN_IF_ERROR(WriteAll(open_.get(), data, file_.path()));
  hash_->Update(data);
  written_ += data.size();
  bytes_ += data.size();
  if (written_ > file_.size_bytes()) return DataLoss("{} is longer than was said", file_.path());
  return written_ == file_.size_bytes() ? EndFile() : OkStatus();
}

Status BackupWriter::EndFile() {
  const std::string path = In(folder_, file_.path());
  AISLE_RETURN_IF_ERROR(SyncData(open_.get(), path));
  open_.Close();
  const Digest digest = hash_->Finish();
  if (const auto named = BlobAt(file_.path()); named && *named != digest) {
    return DataLoss(
        "blob {} is damaged at headquarters: no backup can be made of it. Put the file back from an older backup",
        named->Hex());
  }
  digests_[file_.path()] = digest;
  if (::rename((path + ".part").c_str(), path.c_str()) != 0) return ErrnoStatus(errno, "rename", path);
  return OkStatus();
}

Status BackupWriter::Finish() {
  if (!ended_ || begun_.chain().empty()) return DataLoss("the backup isn't whole");
  for (const Digest& blob : BlobsIn(folder_)) digests_[BlobPath(blob)] = blob;
  std::string list;
  for (const auto& [path, digest] : digests_) list += fmt::format("{}  {}\n", digest.Hex(), path);
  AISLE_RETURN_IF_ERROR(SyncTree(folder_));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(In(folder_, kBackupDigests), list));
  return WriteFileDurably(In(folder_, kBackupMark),
                          fmt::format("chain = \"{}\"\nmade_unix_us = {}\nversion = \"{}\"\n", begun_.chain(),
                                      begun_.made_unix_us(), begun_.version()));
}

StatusOr<BackupName> ReadBackupName(const std::string& folder) {
  const std::string path = In(folder, kBackupMark);
  if (!FileExists(path)) return NotFound("{} holds no backup: there is no {} in it", folder, kBackupMark);
  AISLE_ASSIGN_OR_RETURN(ConfigTable table, ConfigTable::ParseFile(path));
  BackupName name;
  table.Require("chain", name.chain);
  table.Require("made_unix_us", name.made_unix_us);
  table.Read("version", name.version);
  AISLE_RETURN_IF_ERROR(table.Finish());
  return name;
}

StatusOr<uint64_t> RestoreBackup(const std::string& backup, const std::string& data) {
  AISLE_RETURN_IF_ERROR(ReadBackupName(backup).status());
  std::error_code error;
  if (std::filesystem::exists(data, error) && !std::filesystem::is_empty(data, error)) {
    return AlreadyExists("{} isn't empty: a backup is restored to a folder of its own", data);
  }
  const std::string aside = data + ".part";
  std::filesystem::remove_all(aside, error);
  AISLE_RETURN_IF_ERROR(MakeFolders(aside));
  AISLE_ASSIGN_OR_RETURN(const std::string list, ReadFile(In(backup, kBackupDigests), kDigestsSizeMax));
  uint64_t bytes = 0;
  constexpr size_t kHexSize = 64;
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find('\n', at), list.size());
    const std::string line = list.substr(at, end - at);
    at = end + 1;
    const StatusOr<Digest> digest = Digest::FromHex(line.substr(0, kHexSize));
    if (!digest.ok() || line.size() < kHexSize + 3) return DataLoss("{} is damaged: '{}'", kBackupDigests, line);
    const std::string path = line.substr(kHexSize + 2);
    AISLE_RETURN_IF_ERROR(CheckPath(path));
    AISLE_RETURN_IF_ERROR(CopyFile(In(backup, path), In(aside, path), *digest, bytes));
  }
  AISLE_ASSIGN_OR_RETURN(const std::string mark, ReadFile(In(backup, kBackupMark)));
  AISLE_RETURN_IF_ERROR(SyncTree(aside));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(In(aside, kBackupMark), mark));
  std::filesystem::remove(data, error);  // An empty one may be there.
  AISLE_RETURN_IF_ERROR(RenameDurably(aside, data));
  return bytes;
}

}  // namespace aisle::cli

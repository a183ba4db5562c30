#include "cli/drop.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "base/random.h"
#include "base/storage/files.h"
#include "cli/progress.h"

namespace aisle::cli {
namespace {

namespace fs = std::filesystem;

struct DropPlaces {
  std::string inbox;
  std::string done;
  std::string refused;
};

bool IsFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

StatusOr<DropPlaces> FindPlaces(const DropRequest& request) {
  fs::path root = request.folder;
  if (!root.has_filename()) root = root.parent_path();  // A slash at the end.
  if (!IsFolder(root / "inbox") && root.filename() == "inbox") root = root.parent_path();
  const std::string table = request.table.str();
  if (!IsFolder(root / "inbox" / table)) {
    return NotFound(
        "{} has no inbox for the table {}: is this the drop folder of an agent that keeps it, and has it run?",
        request.folder, table);
  }
  return DropPlaces{root / "inbox" / table, root / "done" / table, root / "refused" / table};
}

// "sales-1f2e3d4c.csv.gz": a name that no other file has had.
StatusOr<std::string> FreshName(const std::string& file) {
  const std::string name = fs::path(file).filename();
  const std::string ending = name.ends_with(".csv.gz") ? ".csv.gz" : ".csv";
  if (name.starts_with('.') || !name.ends_with(ending) || name.size() > 200) {
    return InvalidArgument("{}: the agent takes files named *.csv or *.csv.gz, not hidden, of at most 200 characters",
                           file);
  }
  SecureRandom random;
  return fmt::format("{}-{:08x}{}", name.substr(0, name.size() - ending.size()), random.Below(uint64_t{1} << 32),
                     ending);
}

Status CopyContent(const FileDescriptor& from, const FileDescriptor& to, const DropRequest& request,
                   const std::string& part) {
  AISLE_ASSIGN_OR_RETURN(const uint64_t total, FileSize(request.file));
  ProgressBar bar("copying", ProgressBar::Unit::kBytes);
  std::string buffer(1 << 20, '\0');
  for (uint64_t copied = 0;;) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read", request.file);
    if (got == 0) return SyncData(to.get(), part);
    AISLE_RETURN_IF_ERROR(WriteAll(to.get(), std::string_view(buffer).substr(0, static_cast<size_t>(got)), part));
    copied += static_cast<uint64_t>(got);
    bar.Show(copied, total);
  }
}

// Hidden from the agent until the rename.
Status CopyInto(const DropRequest& request, const std::string& inbox, const std::string& name) {
  const std::string part = inbox + "/." + name + ".part";
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor from, OpenFile(request.file, O_RDONLY));
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor to, OpenFile(part, O_WRONLY | O_CREAT | O_EXCL, 0640));
  Status copied = CopyContent(from, to, request, part);
  if (copied.ok()) copied = RenameDurably(part, inbox + "/" + name);
  if (!copied.ok()) RemoveFile(part).IgnoreError();
  return copied;
}

// Sees names appear in folders. Watch before the file is dropped, so that no answer is missed.
class Watcher {
 public:
  static StatusOr<Watcher> On(const std::string& first, const std::string& second) {
    Watcher watcher;
    watcher.fd_ = FileDescriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    for (const std::string& folder : {first, second}) {
      if (::inotify_add_watch(watcher.fd_.get(), folder.c_str(), IN_MOVED_TO | IN_ONLYDIR) < 0) {
        return ErrnoStatus(errno, "watch", folder);
      }
    }
    return watcher;
  }

  // False once the deadline has passed.
  bool WaitForChange(absl::Time deadline) {
    const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    ::poll(&ready, 1, static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1 << 30)));
    char events[4096];
    while (::read(fd_.get(), events, sizeof events) > 0) {
    }
    return absl::Now() < deadline;
  }

 private:
  FileDescriptor fd_;
};

}  // namespace

StatusOr<DropAnswer> DropAndWait(const DropRequest& request) {
  AISLE_ASSIGN_OR_RETURN(const std::string name, FreshName(request.file));
  AISLE_ASSIGN_OR_RETURN(const DropPlaces places, FindPlaces(request));
  AISLE_ASSIGN_OR_RETURN(Watcher watcher, Watcher::On(places.done, places.refused));
  AISLE_RETURN_IF_ERROR(CopyInto(request, places.inbox, name));
  const absl::Time deadline = absl::Now() + request.wait;
  LiveLine line;
  line.Show("waiting for the agent");
  for (bool in_time = true; in_time;) {
    in_time = watcher.WaitForChange(deadline);
    for (const std::string& folder : {places.done, places.refused}) {
      const std::string path = fmt::format("{}/{}.report.json", folder, name);
      if (!FileExists(path)) continue;
      AISLE_ASSIGN_OR_RETURN(std::string report, ReadFile(path));
      return DropAnswer{std::move(report), path};
    }
  }
  return DeadlineExceeded("no agent took {}/{} within {}: it lies there and will be taken once aisle-agent runs",
                          places.inbox, name, aisle::FormatDuration(request.wait));
}

}  // namespace aisle::cli

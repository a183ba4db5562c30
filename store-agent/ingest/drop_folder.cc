#include "store-agent/ingest/drop_folder.h"

#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "base/cover.h"
#include "base/storage/files.h"
#include "store-agent/ingest/ingest.h"

namespace aisle {
namespace {

bool IsWanted(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".csv") || name.ends_with(".csv.gz"));
}

// The names of the files in `folder` that are to be taken.
StatusOr<std::set<std::string>> FilesIn(const std::string& folder) {
  DIR* const directory = ::opendir(folder.c_str());
  if (directory == nullptr) return ErrnoStatus(errno, "open the folder", folder);
  std::set<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    if (IsWanted(entry->d_name) && entry->d_type != DT_DIR) names.insert(entry->d_name);
  }
  ::closedir(directory);
  return names;
}

// `folder`/`name`, or the first of NAME.2, NAME.3 … that is free.
std::string FreePath(const std::string& folder, const std::string& name) {
  std::string path = folder + "/" + name;
  for (int number = 2; FileExists(path); ++number) path = fmt::format("{}/{}.{}", folder, name, number);
  return path;
}

}  // namespace

struct DropFolder::Impl {
  DropFolderOptions options;
  TableStore& store;
  DropFolderListener listener;
  FileDescriptor watch;
  FileDescriptor wake;
  std::map<int, TableName> table_of_watch;
  std::set<std::pair<TableName, std::string>> waiting;  // In the order in which they are taken.
  std::atomic<bool> stopping = false;
  std::thread worker;

  Impl(DropFolderOptions chosen, TableStore& into, DropFolderListener told)
      : options(std::move(chosen)), store(into), listener(std::move(told)) {}

  std::string Folder(std::string_view kind, const TableName& table) const {
    return fmt::format("{}/{}/{}", options.folder, kind, table);
  }

  Status Prepare();
  Status WatchTable(const TableName& table);
  void Rescan();
  void Run();
  bool TakeAll();
  Status Take(const TableName& table, const std::string& name);
  Status PutAway(const IngestReport& report, const std::string& path, const std::string& name);
  void Wait(bool retry);
  void ReadEvents();
};

Status DropFolder::Impl::WatchTable(const TableName& table) {
  const std::string inbox = Folder("inbox", table);
  for (const std::string& folder : {inbox, Folder("done", table), Folder("refused", table)}) {
    AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  }
  const int id = ::inotify_add_watch(watch.get(), inbox.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
  if (id < 0) return ErrnoStatus(errno, "watch", inbox);
  table_of_watch.emplace(id, table);
  return OkStatus();
}

// The watch comes before the first look, so that no file falls between them.
Status DropFolder::Impl::Prepare() {
  watch = FileDescriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.valid()) return ErrnoStatus(errno, "watch", options.folder);
  wake = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return ErrnoStatus(errno, "watch", options.folder);
  for (const TableName& table : store.tables()) AISLE_RETURN_IF_ERROR(WatchTable(table));
  Rescan();
  return OkStatus();
}

void DropFolder::Impl::Rescan() {
  for (const auto& [id, table] : table_of_watch) {
    StatusOr<std::set<std::string>> names = FilesIn(Folder("inbox", table));
    if (!names.ok()) {
      listener.on_error(Folder("inbox", table), names.status());
      continue;
    }
    for (const std::string& name : *names) waiting.emplace(table, name);
  }
}

void DropFolder::Impl::Run() {
  while (!stopping) {
    const bool all = TakeAll();
    if (!stopping) Wait(!all);
  }
}

// False if some file has to wait for better times.
bool DropFolder::Impl::TakeAll() {
  std::set<std::pair<TableName, std::string>> failed;
  for (; !waiting.empty() && !stopping; ReadEvents()) {
    const auto [table, name] = *waiting.begin();
    waiting.erase(waiting.begin());
    const Status taken = Take(table, name);
    if (taken.ok() || stopping) continue;
    listener.on_error(Folder("inbox", table) + "/" + name, taken);
    failed.emplace(table, name);
  }
  waiting.merge(failed);
  return waiting.empty();
}

Status DropFolder::Impl::Take(const TableName& table, const std::string& name) {
  const std::string path = Folder("inbox", table) + "/" + name;
  if (!FileExists(path)) return OkStatus();  // Taken already: its event came after the first look.
  StatusOr<IngestReport> report = IngestFile(store, table, path, {.should_stop = [this] { return stopping.load(); }});
  if (report.status().code() == StatusCode::kInvalidArgument) {  // Not a regular file.
    report = IngestReport{.file = name, .table = table, .refusal = std::string(MessageOf(report.status()))};
  }
  AISLE_RETURN_IF_ERROR(report.status());
  AISLE_RETURN_IF_ERROR(PutAway(*report, path, name));
  listener.on_file(*report);
  return OkStatus();
}

// The report first: a crash in between leaves the file in the inbox, and it is simply read again.
Status DropFolder::Impl::PutAway(const IngestReport& report, const std::string& path, const std::string& name) {
  const std::string kept = FreePath(Folder(report.refused() ? "refused" : "done", report.table), name);
  AISLE_RETURN_IF_ERROR(WriteFileDurably(kept + ".report.json", ToJson(report)));
  AISLE_COVER("commit.ingested.before");
  AISLE_RETURN_IF_ERROR(RenameDurably(path, kept));
  AISLE_COVER("commit.ingested.after");
  return OkStatus();
}

// Until a file comes, until it is time to try again, or until Stop.
void DropFolder::Impl::Wait(bool retry) {
  pollfd ready[] = {{.fd = watch.get(), .events = POLLIN, .revents = 0},
                    {.fd = wake.get(), .events = POLLIN, .revents = 0}};
  const int patience = retry ? static_cast<int>(absl::ToInt64Milliseconds(options.retry_after)) : -1;
  if (::poll(ready, 2, patience) < 0 && errno != EINTR) return;
  ReadEvents();
}

void DropFolder::Impl::ReadEvents() {
  alignas(inotify_event) char buffer[16 << 10];
  for (;;) {
    const ssize_t got = ::read(watch.get(), buffer, sizeof buffer);
    if (got <= 0) return;
    for (const char* at = buffer; at < buffer + got;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const char* const name = at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) Rescan();
      const auto table = table_of_watch.find(event.wd);
      if (event.len == 0 || table == table_of_watch.end() || (event.mask & IN_ISDIR) != 0) continue;
      if (IsWanted(name)) waiting.emplace(table->second, name);
    }
  }
}

DropFolder::DropFolder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DropFolder::~DropFolder() { Stop(); }

StatusOr<std::unique_ptr<DropFolder>> DropFolder::Start(DropFolderOptions options, TableStore& store,
                                                        DropFolderListener listener) {
  auto impl = std::make_unique<Impl>(std::move(options), store, std::move(listener));
  AISLE_RETURN_IF_ERROR(impl->Prepare());
  Impl* const running = impl.get();
  impl->worker = std::thread([running] { running->Run(); });
  return std::unique_ptr<DropFolder>(new DropFolder(std::move(impl)));
}

void DropFolder::Stop() {
  impl_->stopping = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t woken = ::write(impl_->wake.get(), &one, sizeof one);
  if (impl_->worker.joinable()) impl_->worker.join();
}

}  // namespace aisle

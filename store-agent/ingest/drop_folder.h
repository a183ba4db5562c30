// The folder through which files come in without anyone logging in.
//
//   FOLDER/inbox/<table>/*.csv, *.csv.gz      put here by a rename, so that no half-written file is ever seen
//   FOLDER/done/<table>/                      files that were taken, each with NAME.report.json beside it
//   FOLDER/refused/<table>/                   files that were refused, likewise
//
// Files of one table are taken in the order of their names. Names that begin with a dot or end otherwise than in .csv
// or .csv.gz are left alone. A file whose name was used before is kept as NAME.2, NAME.3 and so on. After a crash or an
// error of the machine (a full disk, say) the file is still in the inbox and is read again; reading again changes
// nothing. Files that are there at the start are taken first.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "store-agent/ingest/ingest_report.h"
#include "store-agent/tables/table_store.h"

namespace aisle {

struct DropFolderOptions {
  std::string folder;
  absl::Duration retry_after = absl::Minutes(1);  // After an error of the machine, while files wait.
};

// What the folder tells its owner, from its own thread: must return soon and not call back.
struct DropFolderListener {
  std::function<void(const IngestReport&)> on_file = [](const IngestReport&) {};
  // A file couldn't be read or put away; it will be tried again.
  std::function<void(const std::string& path, const Status&)> on_error = [](const std::string&, const Status&) {};
};

// Watches with inotify on a thread of its own: an idle folder costs nothing.
class DropFolder {
 public:
  // Makes the folders of all declared tables and begins. PermissionDenied and so on name the folder that can't be made;
  // ResourceExhausted if the system has no inotify watches left. The store must outlive the folder.
  static StatusOr<std::unique_ptr<DropFolder>> Start(DropFolderOptions options, TableStore& store,
                                                     DropFolderListener listener);
  ~DropFolder();  // Stops.
  DropFolder(const DropFolder&) = delete;
  DropFolder& operator=(const DropFolder&) = delete;

  // Ends after the batch in hand; the rest of that file is read at the next start. Blocks until the thread is gone.
  void Stop();

 private:
  struct Impl;
  explicit DropFolder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aisle

// A folder for parsers of files: in memory where the system has that, so that an input costs no disk.
#pragma once

#include <fcntl.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/storage/files.h"

namespace aisle::fuzz {

// One per process; empty at first, gone at the end.
class Scratch {
 public:
  Scratch() {
    std::error_code none;
    const std::filesystem::path memory("/dev/shm");
    std::string name =
        ((std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path()) /
         "fuzz-XXXXXX")
            .string();
    AISLE_CHECK(mkdtemp(name.data()) != nullptr, "{}", name);
    path_ = name;
  }
  ~Scratch() { Empty(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  // A folder in it, not made yet; what was there is gone.
  std::string Fresh(std::string_view name) const {
    std::string path = path_ + "/" + std::string(name);
    Empty(path);
    return path;
  }

 private:
  static void Empty(const std::string& path) {
    std::error_code none;
    std::filesystem::remove_all(path, none);
  }
  std::string path_;
};

inline void PutFile(const std::string& path, std::string_view content) {
  const FileDescriptor file = OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, 0600).value();
  AISLE_CHECK(WriteAll(file.get(), content, path).ok());
}

}  // namespace aisle::fuzz

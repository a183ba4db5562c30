// A folder under TMPDIR that goes away with the object: on the disk that the figures are about.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace aisle {

class ScratchFolder {
 public:
  ScratchFolder() : path_((std::filesystem::temp_directory_path() / "aisle-bench-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) path_ = ".";
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (path_ != ".") std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace aisle

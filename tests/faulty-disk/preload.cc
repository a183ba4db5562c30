// What LD_PRELOAD starts: takes the disk from the environment before the program's main.
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/faulty-disk/watched_disks.h"

namespace aisle::faulty_disk {
namespace {

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(':'), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

__attribute__((constructor)) void WatchFromEnvironment() {
  const char* folders = std::getenv("FAULTY_DISK_FOLDERS");
  const char* journal = std::getenv("FAULTY_DISK_JOURNAL");
  if (folders == nullptr || journal == nullptr) return;
  Watch(std::make_shared<WatchedDisk>(Split(folders), journal));
}

}  // namespace
}  // namespace aisle::faulty_disk

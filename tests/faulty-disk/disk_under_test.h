// A faulty disk in a temporary folder, and seeds of the power cuts that laws ask for.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "tests/faulty-disk/faulty_disk.h"
#include "tests/faulty-disk/seeded_luck.h"
#include "tests/storage/temporary_folder.h"

namespace aisle::faulty_disk {

// The first seed from `first` on whose cut goes this way.
inline uint64_t SeedOf(Mood mood, uint64_t first = 1) {
  for (uint64_t seed = first;; ++seed) {
    SeededLuck luck(seed);
    if (DrawMood(luck) == mood) return seed;
  }
}

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() : disk(std::make_unique<FaultyDisk>(std::vector{folder.File("disk")}, folder.File("journal"))) {}

  std::string File(std::string_view name) const { return folder.File("disk/" + std::string(name)); }
  std::string Read(std::string_view name) const { return folder.Read("disk/" + std::string(name)); }

  // With every name and byte synced.
  void MakeDurable(std::string_view name, std::string_view content) const {
    const int fd = ::open(File(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    ASSERT_EQ(::fsync(fd), 0);
    ::close(fd);
    SyncFolder(std::filesystem::path(File(name)).parent_path());
  }
  static void SyncFolder(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_EQ(::fsync(fd), 0) << path;
    ::close(fd);
  }
  static void SyncFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::fdatasync(fd), 0) << path;
    ::close(fd);
  }
  // Every path below the disk with its content; folders and links by what they are.
  std::map<std::string, std::string> Tree() const {
    std::map<std::string, std::string> tree;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.File("disk"))) {
      const std::string name = entry.path().lexically_relative(folder.File("disk"));
      if (entry.is_symlink()) {
        tree[name] = "-> " + std::filesystem::read_symlink(entry.path()).string();
      } else {
        tree[name] = entry.is_directory() ? "folder" : "file: " + Read(name);
      }
    }
    return tree;
  }
  // An empty disk, durably.
  void StartAnew() {
    for (const auto& entry : std::filesystem::directory_iterator(folder.File("disk"))) {
      std::filesystem::remove_all(entry.path());
    }
    KeepAll();
  }
  CutReport LoseAll() { return disk->CutPower(SeedOf(Mood::kLoseAll)); }
  CutReport KeepAll() { return disk->CutPower(SeedOf(Mood::kKeepAll)); }

  TemporaryFolder folder;
  std::unique_ptr<FaultyDisk> disk;
};

}  // namespace aisle::faulty_disk

#include "tests/simulation/disk.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "base/check.h"

namespace aisle::simulation {
namespace {

std::map<std::string, Disk*, std::less<>>& AllDisks() {
  static std::map<std::string, Disk*, std::less<>> disks;
  return disks;
}

void Apply(const Node::Write& write, std::string_view data, std::string& content) {
  if (write.cut) {
    content.resize(write.offset);
    return;
  }
  const size_t end = write.offset + data.size();
  if (content.size() < end) content.resize(end);
  content.replace(write.offset, data.size(), data);
}

void Apply(const Node::NameChange& change, std::map<std::string, std::shared_ptr<Node>>& names) {
  for (const auto& [name, node] : change.names) {
    if (node == nullptr)
      names.erase(name);
    else
      names.insert_or_assign(name, node);
  }
}

// How a power cut treats what wasn't synced: all is lost, all is there, or each its own way.
enum class Cut { kLosesAll, kKeepsAll, kMixes };

Cut DrawCut(RandomSource& random) {
  const uint64_t draw = random.Below(10);
  return draw < 4 ? Cut::kLosesAll : draw < 5 ? Cut::kKeepsAll : Cut::kMixes;
}

void LoseContent(Node& file, Cut cut, RandomSource& random) {
  for (const Node::Write& write : file.writes) {
    const uint64_t fate = cut == Cut::kLosesAll ? 0 : cut == Cut::kKeepsAll ? 1 : random.Below(3);
    if (fate == 0) continue;
    const size_t kept = fate == 1 ? write.data.size() : random.Below(write.data.size() + 1);
    Apply(write, std::string_view(write.data).substr(0, kept), file.synced);
  }
  file.writes.clear();
  file.content = file.synced;
}

void LoseNames(Node& folder, Cut cut, RandomSource& random) {
  for (const Node::NameChange& change : folder.name_changes) {
    if (cut == Cut::kKeepsAll || (cut == Cut::kMixes && random.Below(2) == 0)) Apply(change, folder.synced_names);
  }
  folder.name_changes.clear();
  folder.names = folder.synced_names;
}

void Lose(Node& node, Cut cut, RandomSource& random, std::set<Node*>& done) {
  if (!done.insert(&node).second) return;
  if (!node.folder) return LoseContent(node, cut, random);
  LoseNames(node, cut, random);
  for (const auto& [name, child] : node.names) Lose(*child, cut, random, done);
}

uint64_t SizeOf(const Node& node) {
  uint64_t size = node.content.size();
  for (const auto& [name, child] : node.names) size += SizeOf(*child);
  return size;
}

}  // namespace

Disk::Disk(std::string_view name)
    : folder_(std::string(kRoot) + std::string(name)), root_(std::make_shared<Node>(true)) {
  AISLE_CHECK(AllDisks().emplace(folder_, this).second, "there is a disk {} already", folder_);
}

Disk::~Disk() { AllDisks().erase(folder_); }

bool Disk::IsSimulated(std::string_view path) { return path.starts_with(kRoot) || (path == "/simulated"); }

Disk* Disk::Find(std::string_view path) {
  if (!path.starts_with(kRoot)) return nullptr;
  const auto found = AllDisks().find(path.substr(0, path.find('/', kRoot.size())));
  return found == AllDisks().end() ? nullptr : found->second;
}

void Disk::LosePower(RandomSource& random) {
  std::set<Node*> done;
  Lose(*root_, DrawCut(random), random, done);
}

std::shared_ptr<Node> Disk::FindNode(std::string_view path) const {
  if (path == folder_ || path == folder_ + "/") return root_;
  const Place place = PlaceOf(path);
  if (place.folder == nullptr) return nullptr;
  const auto found = place.folder->names.find(place.name);
  return found == place.folder->names.end() ? nullptr : found->second;
}

Disk::Place Disk::PlaceOf(std::string_view path) const {
  std::shared_ptr<Node> at = root_;
  std::string_view rest = path.substr(std::min(path.size(), folder_.size()));
  for (;;) {
    while (rest.starts_with('/')) rest.remove_prefix(1);
    const size_t slash = rest.find('/');
    const std::string_view after = slash == std::string_view::npos ? "" : rest.substr(slash);
    if (after.find_first_not_of('/') == std::string_view::npos) return {at, std::string(rest.substr(0, slash))};
    const auto next = at->names.find(std::string(rest.substr(0, slash)));
    if (next == at->names.end() || !next->second->folder) return {};
    at = next->second;
    rest = after;
  }
}

int Disk::Change() {
  ++changes_;
  if (before_change_ && !frozen_) before_change_();
  return frozen_ ? -EIO : 0;
}

void Disk::Name(Node& folder, const std::string& name, std::shared_ptr<Node> node) {
  folder.changed = changes_;
  folder.name_changes.push_back({{{name, std::move(node)}}});
  Apply(folder.name_changes.back(), folder.names);
}

Disk::Opened Disk::Open(const std::string& path, int flags) {
  std::shared_ptr<Node> node = FindNode(path);
  if (node == nullptr) {
    const Place place = PlaceOf(path);
    if (place.folder == nullptr || (flags & O_CREAT) == 0) return {-ENOENT, nullptr};
    if (const int refused = Change(); refused != 0) return {refused, nullptr};
    node = std::make_shared<Node>(false);
    node->changed = changes_;
    Name(*place.folder, place.name, node);
    return {0, node};
  }
  if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return {-EEXIST, nullptr};
  if ((flags & O_DIRECTORY) != 0 && !node->folder) return {-ENOTDIR, nullptr};
  if (node->folder && (flags & O_ACCMODE) != O_RDONLY) return {-EISDIR, nullptr};
  if ((flags & O_TRUNC) != 0 && !node->content.empty()) {
    if (const int refused = Cut(*node, 0); refused != 0) return {refused, nullptr};
  }
  return {0, node};
}

int64_t Disk::Write(Node& node, uint64_t offset, std::string_view data) {
  if (const int refused = Change(); refused != 0) return refused;
  const uint64_t end = offset + data.size();
  if (capacity_ != UINT64_MAX && end > node.content.size() && used() + (end - node.content.size()) > capacity_) {
    return -ENOSPC;
  }
  node.changed = changes_;
  node.writes.push_back({.offset = offset, .data = std::string(data)});
  Apply(node.writes.back(), node.writes.back().data, node.content);
  return static_cast<int64_t>(data.size());
}

int Disk::Cut(Node& node, uint64_t size) {
  if (const int refused = Change(); refused != 0) return refused;
  node.changed = changes_;
  node.writes.push_back({.offset = size, .cut = true});
  node.content.resize(size);
  return 0;
}

int Disk::Sync(Node& node) {
  if (const int refused = Change(); refused != 0) return refused;
  if (failing_ != nullptr) {
    for (const Node::Write& write : std::exchange(node.writes, {})) {
      if (failing_->Below(2) == 0) Apply(write, write.data, node.synced);
    }
    return -EIO;
  }
  for (const Node::Write& write : node.writes) Apply(write, write.data, node.synced);
  node.writes.clear();
  for (const Node::NameChange& change : node.name_changes) Apply(change, node.synced_names);
  node.name_changes.clear();
  return 0;
}

void Disk::ReadAnew(Node& file) {
  file.content = file.synced;
  for (const Node::Write& write : file.writes) Apply(write, write.data, file.content);
}

int Disk::MakeFolder(const std::string& path) {
  if (FindNode(path) != nullptr) return -EEXIST;
  const Place place = PlaceOf(path);
  if (place.folder == nullptr) return -ENOENT;
  if (const int refused = Change(); refused != 0) return refused;
  Name(*place.folder, place.name, std::make_shared<Node>(true));
  return 0;
}

int Disk::Remove(const std::string& path, bool folder) {
  const std::shared_ptr<Node> node = FindNode(path);
  if (node == nullptr || node == root_) return node == nullptr ? -ENOENT : -EBUSY;
  if (node->folder != folder) return folder ? -ENOTDIR : -EISDIR;
  if (!node->names.empty()) return -ENOTEMPTY;
  if (const int refused = Change(); refused != 0) return refused;
  const Place place = PlaceOf(path);
  Name(*place.folder, place.name, nullptr);
  return 0;
}

int Disk::Move(const std::string& from, const std::string& to) {
  const std::shared_ptr<Node> node = FindNode(from);
  const Place before = PlaceOf(from);
  const Place after = PlaceOf(to);
  if (node == nullptr || after.folder == nullptr) return -ENOENT;
  if (const int refused = Change(); refused != 0) return refused;
  if (before.folder != after.folder) {
    Name(*after.folder, after.name, node);
    Name(*before.folder, before.name, nullptr);
    return 0;
  }
  before.folder->name_changes.push_back({{{before.name, nullptr}, {after.name, node}}});
  Apply(before.folder->name_changes.back(), before.folder->names);
  return 0;
}

uint64_t Disk::used() const { return SizeOf(*root_); }

std::string Disk::Content(const std::string& path) const {
  const std::shared_ptr<Node> node = FindNode(path);
  return node == nullptr ? "" : node->content;
}

std::string Disk::Synced(const std::string& path) const {
  const std::shared_ptr<Node> node = FindNode(path);
  return node == nullptr ? "" : node->synced;
}

}  // namespace aisle::simulation

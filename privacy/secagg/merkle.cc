#include "privacy/secagg/merkle.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace aisle::secagg {
namespace {

constexpr std::string_view kLeafPrefix("\0", 1);
constexpr std::string_view kNodePrefix("\1", 1);

Digest NodeHash(const Digest& left, const Digest& right) {
  Sha256 hash;
  hash.Update(kNodePrefix);
  hash.Update(left.view());
  hash.Update(right.view());
  return hash.Finish();
}

// The level above. RFC 6962 splits a list at the largest power of two below its length; joining pairs and passing a
// last odd one upwards unchanged makes the same tree.
std::vector<Digest> LevelAbove(std::span<const Digest> level) {
  std::vector<Digest> above;
  above.reserve(level.size() / 2 + 1);
  for (size_t i = 0; i + 1 < level.size(); i += 2) above.push_back(NodeHash(level[i], level[i + 1]));
  if (level.size() % 2 == 1) above.push_back(level.back());
  return above;
}

Status NotIncluded(uint32_t position, uint32_t size, std::string_view why) {
  return InvalidArgument("the proof doesn't show an entry at {} of a tree of {}: {}", position, size, why);
}

}  // namespace

Digest LeafHash(std::string_view bytes) {
  Sha256 hash;
  hash.Update(kLeafPrefix);
  hash.Update(bytes);
  return hash.Finish();
}

Digest MerkleRoot(std::span<const Digest> leaf_hashes) {
  if (leaf_hashes.empty()) return Sha256::Of("");
  std::vector<Digest> level(leaf_hashes.begin(), leaf_hashes.end());
  while (level.size() > 1) level = LevelAbove(level);
  return level.front();
}

MerkleTree::MerkleTree(std::vector<Digest> leaf_hashes) {
  root_ = leaf_hashes.empty() ? Sha256::Of("") : Digest{};
  levels_.push_back(std::move(leaf_hashes));
  while (levels_.back().size() > 1) levels_.push_back(LevelAbove(levels_.back()));
  if (!levels_.back().empty()) root_ = levels_.back().front();
}

std::vector<Digest> MerkleTree::ProofOf(uint32_t position) const {
  AISLE_CHECK(position < size(), "no entry {} in a tree of {}", position, size());
  std::vector<Digest> proof;
  size_t at = position;
  for (const std::vector<Digest>& level : levels_) {
    const size_t neighbour = at ^ 1;
    if (neighbour < level.size()) proof.push_back(level[neighbour]);
    at >>= 1;
  }
  return proof;
}

Status VerifyInclusion(const Digest& leaf, uint32_t position, uint32_t size, std::span<const Digest> proof,
                       const Digest& root) {
  if (position >= size) return NotIncluded(position, size, "there is no such place");
  Digest running = leaf;
  uint32_t at = position;
  uint32_t last = size - 1;  // The last node of the level that `running` is on.
  for (const Digest& neighbour : proof) {
    if (last == 0) return NotIncluded(position, size, "it is too long");
    while (at == last && at % 2 == 0) {  // A lone last node goes up unchanged; last > 0, so this ends.
      at >>= 1;
      last >>= 1;
    }
    running = at % 2 == 1 ? NodeHash(neighbour, running) : NodeHash(running, neighbour);
    at >>= 1;
    last >>= 1;
  }
  if (last != 0) return NotIncluded(position, size, "it is too short");
  if (running != root) return NotIncluded(position, size, "it leads to another root");
  return OkStatus();
}

}  // namespace aisle::secagg

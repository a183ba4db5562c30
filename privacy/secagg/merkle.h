// Merkle trees over SHA-256, as Certificate Transparency has them (RFC 6962, section 2.1; RFC 9162, section 2.1): one
// digest names a whole list, and a short proof shows that an entry stands at its place in it. Leaves and inner nodes
// are hashed with different first bytes, so that neither can pass for the other.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/status.h"

namespace aisle::secagg {

// SHA-256(0x00 | bytes): the entry's digest in the tree.
Digest LeafHash(std::string_view bytes);

// Of a list of leaf hashes; of none, SHA-256 of nothing.
Digest MerkleRoot(std::span<const Digest> leaf_hashes);

// A tree held whole, for proofs of many entries: 2 digests per leaf.
class MerkleTree {
 public:
  explicit MerkleTree(std::vector<Digest> leaf_hashes);

  uint32_t size() const { return static_cast<uint32_t>(levels_.front().size()); }
  const Digest& root() const { return root_; }
  // Neighbours on the way from the leaf to the root, from below: at most 32. `position` < size(), else it is our bug.
  std::vector<Digest> ProofOf(uint32_t position) const;

 private:
  std::vector<std::vector<Digest>> levels_;  // From the leaves up to the root.
  Digest root_;
};

// A root alone doesn't say how many entries its tree has: whoever signs a root signs the size with it.
//
// InvalidArgument unless `proof` shows that the tree of `size` leaves with this root has `leaf` at `position`. The
// proof must be exactly as long as position and size say. (RFC 9162, section 2.1.3.2.)
Status VerifyInclusion(const Digest& leaf, uint32_t position, uint32_t size, std::span<const Digest> proof,
                       const Digest& root);

}  // namespace aisle::secagg

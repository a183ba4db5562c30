// Who is whose neighbour in the secure sum: a Harary graph (each store joined to the degree / 2 before it and the
// degree / 2 after it on a ring) over a random order of the stores (Bell et al. 2020, section 3.2).
//
// The order follows from a public seed that no single party chooses, and every store works it out for itself. Who can
// try many seeds before the others see one can look for a graph that suits it: how seeds are made is the caller's care.
// The recipe, byte for byte:
//
//   key    = HKDF-SHA256(ikm = the seed's 32 bytes, salt = "", info = "aisle/stream/secagg/graph", 32 bytes)
//   stream = AES-256-CTR key stream under that key, 128-bit big-endian counter from zero
//   ring   = [0, 1, ..., size - 1]
//   for i = size - 1 down to 1:
//     do r = next 8 bytes of the stream, little-endian, while r < 2^64 mod (i + 1)
//     swap ring[i] and ring[r mod (i + 1)]
//
// Stores a and b at places p and q of the ring are neighbours if their distance, min(|p - q|, size - |p - q|), is in
// [1, degree / 2]; if degree = size - 1, all are. The order is then irrelevant and still the same.
#pragma once

#include <cstdint>
#include <vector>

#include "base/digest.h"
#include "base/status.h"

namespace aisle::secagg {

// Symmetric, regular and connected. A position is a store's place in the cohort's roster.
class NeighbourGraph {
 public:
  // InvalidArgument unless degree is in [1, size - 1] and either even or size - 1; FindParameters gives no other.
  static StatusOr<NeighbourGraph> Make(uint32_t size, uint32_t degree, const Digest& seed);

  uint32_t size() const { return static_cast<uint32_t>(ring_.size()); }
  uint32_t degree() const { return degree_; }

  // `degree` positions, ascending. Positions are below size(), here and below, else it is our bug.
  std::vector<uint32_t> NeighboursOf(uint32_t position) const;
  bool AreNeighbours(uint32_t a, uint32_t b) const;

 private:
  NeighbourGraph(uint32_t degree, std::vector<uint32_t> ring);

  uint32_t degree_;
  std::vector<uint32_t> ring_;   // Place on the ring -> position.
  std::vector<uint32_t> place_;  // Position -> place on the ring.
};

}  // namespace aisle::secagg

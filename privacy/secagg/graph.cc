#include "privacy/secagg/graph.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/random.h"

namespace aisle::secagg {
namespace {

// Fisher and Yates, from the back.
std::vector<uint32_t> RandomOrder(uint32_t size, const Digest& seed) {
  std::vector<uint32_t> ring(size);
  std::iota(ring.begin(), ring.end(), 0u);
  AesCtrStream stream(SecretBytes::CopyOf(seed.view()), "secagg/graph");
  for (uint32_t i = size - 1; i > 0; --i) std::swap(ring[i], ring[stream.Below(uint64_t{i} + 1)]);
  return ring;
}

}  // namespace

StatusOr<NeighbourGraph> NeighbourGraph::Make(uint32_t size, uint32_t degree, const Digest& seed) {
  if (degree < 1 || degree >= size) {
    return InvalidArgument("in a graph of {} stores each has between 1 and {} neighbours, not {}", size,
                           size > 0 ? size - 1 : 0, degree);
  }
  if (degree % 2 != 0 && degree != size - 1) {
    return InvalidArgument("a ring of {} stores joins each to as many before as after it, not to {} in all", size,
                           degree);
  }
  return NeighbourGraph(degree, RandomOrder(size, seed));
}

NeighbourGraph::NeighbourGraph(uint32_t degree, std::vector<uint32_t> ring)
    : degree_(degree), ring_(std::move(ring)), place_(ring_.size()) {
  for (uint32_t place = 0; place < size(); ++place) place_[ring_[place]] = place;
}

std::vector<uint32_t> NeighbourGraph::NeighboursOf(uint32_t position) const {
  AISLE_CHECK(position < size(), "no store {} in a graph of {}", position, size());
  std::vector<uint32_t> neighbours;
  neighbours.reserve(degree_);
  const uint64_t place = place_[position];
  const uint32_t before = degree_ / 2;
  for (uint64_t step = 1; step <= degree_ - before; ++step) neighbours.push_back(ring_[(place + step) % size()]);
  for (uint64_t step = 1; step <= before; ++step) neighbours.push_back(ring_[(place + size() - step) % size()]);
  std::ranges::sort(neighbours);
  return neighbours;
}

bool NeighbourGraph::AreNeighbours(uint32_t a, uint32_t b) const {
  AISLE_CHECK(a < size() && b < size(), "no stores {} and {} in a graph of {}", a, b, size());
  const uint32_t ahead = place_[a] < place_[b] ? place_[b] - place_[a] : place_[a] - place_[b];
  const uint32_t distance = std::min(ahead, size() - ahead);
  return a != b && (degree_ == size() - 1 || distance <= degree_ / 2);
}

}  // namespace aisle::secagg

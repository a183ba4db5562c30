#include "privacy/secagg/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "tests/secagg-math/chi_square.h"

namespace aisle::secagg {
namespace {

using ::testing::ElementsAre;

Digest SeedOf(uint64_t number) { return Sha256::Of("seed " + std::to_string(number)); }

Digest PublishedSeed() {
  Digest seed;
  std::iota(seed.bytes.begin(), seed.bytes.end(), uint8_t{0});
  return seed;
}

// Any size and a degree that goes with it.
rc::Gen<std::pair<uint32_t, uint32_t>> AnyShape() {
  return rc::gen::mapcat(rc::gen::inRange<uint32_t>(2, 120), [](uint32_t size) {
    return rc::gen::map(rc::gen::inRange<uint32_t>(1, size), [size](uint32_t degree) {
      return std::pair{size, degree % 2 == 0 || degree == size - 1 ? degree : degree + 1};
    });
  });
}

// How many stores the first present one reaches over present ones.
size_t Reached(const NeighbourGraph& graph, const std::vector<bool>& present) {
  std::vector<bool> seen(graph.size(), false);
  std::vector<uint32_t> todo;
  for (uint32_t store = 0; store < graph.size() && todo.empty(); ++store) {
    if (present[store]) todo.push_back(store);
  }
  size_t reached = 0;
  if (!todo.empty()) seen[todo.front()] = true;
  while (!todo.empty()) {
    const uint32_t store = todo.back();
    todo.pop_back();
    ++reached;
    for (const uint32_t next : graph.NeighboursOf(store)) {
      if (present[next] && !seen[next]) todo.push_back(next);
      if (present[next]) seen[next] = true;
    }
  }
  return reached;
}

RC_GTEST_PROP(GraphTest, IsSymmetricRegularAndWithoutLoops, ()) {
  const auto [size, degree] = *AnyShape();
  const NeighbourGraph graph = NeighbourGraph::Make(size, degree, SeedOf(*rc::gen::arbitrary<uint32_t>())).value();
  std::vector<std::set<uint32_t>> neighbours(size);
  for (uint32_t store = 0; store < size; ++store) {
    const std::vector<uint32_t> listed = graph.NeighboursOf(store);
    RC_ASSERT(listed.size() == degree);
    RC_ASSERT(std::ranges::is_sorted(listed));
    neighbours[store] = {listed.begin(), listed.end()};
    RC_ASSERT(neighbours[store].size() == degree);
  }
  for (uint32_t a = 0; a < size; ++a) {
    RC_ASSERT(!neighbours[a].contains(a));
    for (uint32_t b = 0; b < size; ++b) {
      RC_ASSERT(neighbours[a].contains(b) == neighbours[b].contains(a));
      RC_ASSERT(neighbours[a].contains(b) == graph.AreNeighbours(a, b));
    }
  }
}

// What Harary's graphs are for: no choice of fewer stores than the degree cuts the others apart.
RC_GTEST_PROP(GraphTest, StaysConnectedWithoutAnyStoresFewerThanItsDegree, ()) {
  const auto [size, degree] = *AnyShape();
  const NeighbourGraph graph = NeighbourGraph::Make(size, degree, SeedOf(*rc::gen::arbitrary<uint32_t>())).value();
  std::vector<uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0u);
  const auto lost = *rc::gen::inRange<uint32_t>(0, degree);
  std::vector<bool> present(size, true);
  for (uint32_t i = 0; i < lost; ++i) {
    std::swap(order[i], order[*rc::gen::inRange(i, size)]);
    present[order[i]] = false;
  }
  RC_ASSERT(Reached(graph, present) == size - lost);
}

// By the recipe of the header, in another language and with another AES.
TEST(GraphTest, FollowsTheRecipe) {
  const NeighbourGraph graph = NeighbourGraph::Make(10, 4, PublishedSeed()).value();
  EXPECT_THAT(graph.NeighboursOf(0), ElementsAre(1, 4, 5, 6));
  EXPECT_THAT(graph.NeighboursOf(1), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(graph.NeighboursOf(2), ElementsAre(1, 4, 8, 9));
  EXPECT_THAT(graph.NeighboursOf(3), ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(graph.NeighboursOf(9), ElementsAre(2, 4, 7, 8));
  const NeighbourGraph large = NeighbourGraph::Make(1000, 6, PublishedSeed()).value();
  EXPECT_THAT(large.NeighboursOf(0), ElementsAre(141, 306, 654, 720, 784, 949));
  EXPECT_THAT(large.NeighboursOf(999), ElementsAre(87, 282, 319, 531, 613, 839));
}

TEST(GraphTest, TheCompleteGraphJoinsAll) {
  for (const uint32_t size : {2u, 3u, 4u, 31u, 32u}) {
    const NeighbourGraph graph = NeighbourGraph::Make(size, size - 1, SeedOf(1)).value();
    for (uint32_t a = 0; a < size; ++a) {
      std::vector<uint32_t> others(size);
      std::iota(others.begin(), others.end(), 0u);
      others.erase(others.begin() + a);
      EXPECT_EQ(graph.NeighboursOf(a), others);
    }
  }
}

TEST(GraphTest, AnotherSeedMakesAnotherGraph) {
  std::set<std::vector<uint32_t>> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    seen.insert(NeighbourGraph::Make(1000, 10, SeedOf(seed)).value().NeighboursOf(0));
  }
  EXPECT_EQ(seen.size(), 100);
}

// Any of the 256 others is as likely to be a store's neighbour: fixed seeds, one false alarm in a million. (Two
// different ones are counted per graph, which is 0.4 % more even than chance: next to nothing here.)
TEST(GraphTest, EveryPairIsAsLikely) {
  ChiSquare256 of_first;
  ChiSquare256 of_last;
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    const NeighbourGraph graph = NeighbourGraph::Make(257, 2, SeedOf(seed)).value();
    for (const uint32_t neighbour : graph.NeighboursOf(0)) of_first.Count(static_cast<uint8_t>(neighbour - 1));
    for (const uint32_t neighbour : graph.NeighboursOf(256)) of_last.Count(static_cast<uint8_t>(neighbour));
  }
  EXPECT_TRUE(of_first.LooksUniform()) << of_first.statistic();
  EXPECT_TRUE(of_last.LooksUniform()) << of_last.statistic();
}

TEST(GraphTest, RefusesShapesThatNoRingHas) {
  for (const auto& [size, degree] : std::vector<std::pair<uint32_t, uint32_t>>{
           {0, 0}, {1, 0}, {1, 1}, {10, 0}, {10, 10}, {10, 11}, {10, 3}, {11, 9}}) {
    EXPECT_EQ(NeighbourGraph::Make(size, degree, SeedOf(1)).status().code(), StatusCode::kInvalidArgument)
        << size << " " << degree;
  }
}

TEST(GraphDeathTest, PositionsAreThoseOfTheRoster) {
  const NeighbourGraph graph = NeighbourGraph::Make(10, 4, SeedOf(1)).value();
  EXPECT_DEATH(graph.NeighboursOf(10), "no store 10");
  EXPECT_DEATH(graph.AreNeighbours(0, 10), "0 and 10");
}

}  // namespace
}  // namespace aisle::secagg

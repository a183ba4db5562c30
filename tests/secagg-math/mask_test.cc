#include "privacy/secagg/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "base/crypto/aes_ctr.h"
#include "base/digest.h"
#include "privacy/secagg/graph.h"
#include "tests/secagg-math/chi_square.h"

namespace aisle::secagg {
namespace {

using ::testing::Each;
using Vector = std::vector<uint32_t>;

SecretBytes KeyOf(uint64_t number) { return SecretBytes::CopyOf(Sha256::Of("key " + std::to_string(number)).view()); }

// The key that two stores share.
SecretBytes PairKey(uint64_t cohort, uint32_t a, uint32_t b) {
  return SecretBytes::CopyOf(Sha256::Of(fmt::format("{} {} {}", cohort, std::min(a, b), std::max(a, b))).view());
}

Vector AnyVector(size_t length) { return *rc::gen::container<Vector>(length, rc::gen::arbitrary<uint32_t>()); }

// Coordinates [first, first + length) by the definition: all of the stream, word by word.
Vector MaskByDefinition(const SecretBytes& key, size_t first, size_t length) {
  AesCtr stream(key);
  std::vector<uint8_t> bytes((first + length) * 4);
  stream.Generate(bytes);
  Vector mask(length);
  for (size_t i = 0; i < length; ++i) {
    for (size_t byte = 0; byte < 4; ++byte) mask[i] |= uint32_t{bytes[(first + i) * 4 + byte]} << (8 * byte);
  }
  return mask;
}

// Computed in another language, with another AES; the key is 00 01 ... 1f.
TEST(MaskTest, GivesTheKnownAnswers) {
  SecretBytes key(kMaskKeySize);
  std::iota(key.Mutable().begin(), key.Mutable().end(), uint8_t{0});
  Vector values(100'000);
  ApplyMask(key, MaskSign::kAdd, 0, values);
  EXPECT_EQ(Vector(values.begin(), values.begin() + 6),
            (Vector{0xb60090f2, 0xd09f492a, 0x6a9af3a9, 0x80772edd, 0xae765df0, 0xe59fb94a}));
  EXPECT_EQ(values[2047], 0xa5fd04df);
  EXPECT_EQ(values[2048], 0x19318f5b);
  EXPECT_EQ(values[99'999], 0xa1b338f7);
  ApplyMask(key, MaskSign::kSubtract, 0, values);
  EXPECT_THAT(values, Each(0u));
}

RC_GTEST_PROP(MaskTest, AddsTheDefinedWords, ()) {
  const auto length = *rc::gen::inRange<size_t>(0, 9000);
  const auto first = *rc::gen::inRange<size_t>(0, 5000);
  const SecretBytes key = KeyOf(*rc::gen::arbitrary<uint32_t>());
  const Vector mask = MaskByDefinition(key, first, length);
  const auto start = *rc::gen::arbitrary<uint32_t>();
  Vector values(length, start);
  ApplyMask(key, MaskSign::kAdd, first, values);
  for (size_t i = 0; i < length; ++i) RC_ASSERT(values[i] == start + mask[i]);
  values.assign(length, start);
  ApplyMask(key, MaskSign::kSubtract, first, values);
  for (size_t i = 0; i < length; ++i) RC_ASSERT(values[i] == start - mask[i]);
}

// A vector that comes in chunks is masked chunk by chunk.
RC_GTEST_PROP(MaskTest, InChunksAsInOne, ()) {
  const auto length = *rc::gen::inRange<size_t>(1, 20'000);
  const SecretBytes key = KeyOf(*rc::gen::arbitrary<uint32_t>());
  Vector whole(length, 5);
  ApplyMask(key, MaskSign::kAdd, 0, whole);
  Vector chunks(length, 5);
  for (size_t at = 0; at < length;) {
    const size_t size = *rc::gen::inRange<size_t>(1, length - at + 1);
    ApplyMask(key, MaskSign::kAdd, at, std::span(chunks).subspan(at, size));
    at += size;
  }
  RC_ASSERT(chunks == whole);
}

RC_GTEST_PROP(MaskTest, ManyAtOnceAsOneAfterTheOther, ()) {
  const auto length = *rc::gen::inRange<size_t>(0, 40'000);
  const auto first = *rc::gen::inRange<size_t>(0, 100);
  const auto signs = *rc::gen::container<std::vector<MaskSign>>(rc::gen::element(MaskSign::kAdd, MaskSign::kSubtract));
  Vector one_by_one(length, 1);
  Vector at_once(length, 1);
  std::vector<Mask> masks;
  for (size_t i = 0; i < signs.size(); ++i) {
    masks.push_back({.key = KeyOf(i), .sign = signs[i]});
    ApplyMask(masks.back().key, signs[i], first, one_by_one);
  }
  ApplyMasks(masks, first, at_once);
  RC_ASSERT(at_once == one_by_one);
}

TEST(MaskTest, CoordinatesPastFourBillionHaveTheirOwnWords) {
  const uint64_t far = (uint64_t{1} << 33) + 3;
  Vector values(1);
  ApplyMask(KeyOf(1), MaskSign::kAdd, far, values);
  AesCtr stream(KeyOf(1));
  stream.Seek(far * 4);
  std::array<uint8_t, 4> word;
  stream.Generate(word);
  EXPECT_EQ(values[0], std::bit_cast<uint32_t>(word));
}

// A store's masks: its own, and one per neighbour, added by the lower position and subtracted by the higher.
std::vector<Mask> PairMasksOf(uint64_t cohort, const NeighbourGraph& graph, uint32_t store) {
  std::vector<Mask> masks;
  for (const uint32_t neighbour : graph.NeighboursOf(store)) {
    masks.push_back(
        {.key = PairKey(cohort, store, neighbour), .sign = store < neighbour ? MaskSign::kAdd : MaskSign::kSubtract});
  }
  return masks;
}

// Whatever the graph and whoever drops out, the sum of the masked vectors, without the survivors' own masks and without
// the masks between a survivor and a drop-out, is the sum of the survivors' vectors.
RC_GTEST_PROP(MaskTest, MasksCancelForEveryGraphAndDropOut, ()) {
  const auto size = *rc::gen::inRange<uint32_t>(2, 16);
  const auto half = *rc::gen::inRange<uint32_t>(0, size / 2);
  const NeighbourGraph graph =
      NeighbourGraph::Make(size, half == 0 ? size - 1 : 2 * half, Sha256::Of(std::to_string(half))).value();
  const uint64_t cohort = *rc::gen::arbitrary<uint64_t>();
  const auto dropped = *rc::gen::container<std::vector<bool>>(size, rc::gen::arbitrary<bool>());
  const size_t length = *rc::gen::inRange<size_t>(1, 10);
  Vector plain(length);
  Vector masked(length);
  for (uint32_t store = 0; store < size; ++store) {
    if (dropped[store]) continue;
    Vector own = AnyVector(length);
    for (size_t i = 0; i < length; ++i) plain[i] += own[i];
    ApplyMask(KeyOf(store), MaskSign::kAdd, 0, own);
    ApplyMasks(PairMasksOf(cohort, graph, store), 0, own);
    for (size_t i = 0; i < length; ++i) masked[i] += own[i];
  }
  for (uint32_t store = 0; store < size; ++store) {
    if (!dropped[store]) {
      ApplyMask(KeyOf(store), MaskSign::kSubtract, 0, masked);
      continue;
    }
    // What the drop-out's key rebuilds: the masks of its pairs with survivors, with its own sign, which is the opposite
    // of theirs.
    for (const uint32_t neighbour : graph.NeighboursOf(store)) {
      if (dropped[neighbour]) continue;
      ApplyMask(PairKey(cohort, store, neighbour), store < neighbour ? MaskSign::kAdd : MaskSign::kSubtract, 0, masked);
    }
  }
  RC_ASSERT(masked == plain);
}

// Whatever lies beneath. Fixed keys; over the 12 checks chance raises an alarm once in 80,000 times.
TEST(MaskTest, AMaskedVectorAloneIsUniform) {
  for (const uint32_t beneath : {0u, 1u, 0xffffffffu}) {
    std::array<ChiSquare256, 4> bytes;
    for (uint64_t key = 0; key < 200; ++key) {
      Vector values(1000, beneath);
      ApplyMask(KeyOf(key * 10 + beneath % 7), MaskSign::kAdd, 0, values);
      for (const uint32_t value : values) {
        for (size_t byte = 0; byte < 4; ++byte) bytes[byte].Count(static_cast<uint8_t>(value >> (8 * byte)));
      }
    }
    for (const ChiSquare256& byte : bytes) EXPECT_TRUE(byte.LooksUniform()) << beneath << ": " << byte.statistic();
  }
}

// One coordinate of many stores, as HQ sees it in one round.
TEST(MaskTest, OneCoordinateOverManyKeysIsUniform) {
  ChiSquare256 top;
  for (uint64_t key = 0; key < 50'000; ++key) {
    Vector values(1, 42);
    ApplyMask(KeyOf(key), MaskSign::kSubtract, 17, values);
    top.Count(static_cast<uint8_t>(values[0] >> 24));
  }
  EXPECT_TRUE(top.LooksUniform()) << top.statistic();
}

TEST(MaskDeathTest, KeysOfAnotherSizeAndCoordinatesPastTheEndAreOurBug) {
  Vector values(4);
  EXPECT_DEATH(ApplyMask(SecretBytes(16), MaskSign::kAdd, 0, values), "32 bytes");
  EXPECT_DEATH(ApplyMask(KeyOf(1), MaskSign::kAdd, uint64_t{1} << 62, values), "no mask has a coordinate");
}

}  // namespace
}  // namespace aisle::secagg

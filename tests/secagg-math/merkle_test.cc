#include "privacy/secagg/merkle.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace aisle::secagg {
namespace {

std::vector<Digest> Leaves(size_t count) {
  std::vector<Digest> leaves;
  for (size_t i = 0; i < count; ++i) leaves.push_back(LeafHash("entry " + std::to_string(i)));
  return leaves;
}

// The entries of Certificate Transparency's own tests (merkletree of the reference implementation of RFC 6962).
std::vector<Digest> PublishedLeaves(size_t count) {
  std::vector<Digest> leaves;
  for (const char* entry :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    if (leaves.size() < count) leaves.push_back(LeafHash(*FromHex(entry)));
  }
  return leaves;
}

constexpr const char* kPublishedRoots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                           "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                           "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                           "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                           "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                           "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                           "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                           "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                           "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

TEST(MerkleTest, GivesThePublishedRoots) {
  for (size_t count = 0; count <= 8; ++count) {
    EXPECT_EQ(MerkleRoot(PublishedLeaves(count)).Hex(), kPublishedRoots[count]) << count;
    EXPECT_EQ(MerkleTree(PublishedLeaves(count)).root().Hex(), kPublishedRoots[count]) << count;
  }
}

std::vector<std::string> ProofInHex(size_t count, uint32_t position) {
  std::vector<std::string> hex;
  for (const Digest& digest : MerkleTree(PublishedLeaves(count)).ProofOf(position)) hex.push_back(digest.Hex());
  return hex;
}

TEST(MerkleTest, GivesThePublishedProofs) {
  EXPECT_EQ(ProofInHex(1, 0), std::vector<std::string>{});
  EXPECT_EQ(ProofInHex(8, 0),
            (std::vector<std::string>{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(ProofInHex(8, 5),
            (std::vector<std::string>{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_EQ(ProofInHex(3, 2),
            (std::vector<std::string>{"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}));
  EXPECT_EQ(ProofInHex(5, 1),
            (std::vector<std::string>{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}));
}

// RFC 6962's own words: split at the largest power of two below the length.
Digest RootByDefinition(std::span<const Digest> leaves) {
  if (leaves.size() == 1) return leaves.front();
  size_t left = 1;
  while (left * 2 < leaves.size()) left *= 2;
  return Sha256::Of("\x01" + std::string(RootByDefinition(leaves.first(left)).view()) +
                    std::string(RootByDefinition(leaves.subspan(left)).view()));
}

TEST(MerkleTest, IsTheTreeOfTheDefinitionForEverySize) {
  for (size_t size = 1; size <= 130; ++size) {
    const std::vector<Digest> leaves = Leaves(size);
    EXPECT_EQ(MerkleRoot(leaves), RootByDefinition(leaves)) << size;
    EXPECT_EQ(MerkleTree(leaves).root(), RootByDefinition(leaves)) << size;
  }
}

TEST(MerkleTest, EveryProofHoldsForItsOwnPlaceAndSizeOnly) {
  constexpr uint32_t kSizeMax = 33;
  for (uint32_t size = 1; size <= kSizeMax; ++size) {
    const std::vector<Digest> leaves = Leaves(size);
    const MerkleTree tree(leaves);
    for (uint32_t position = 0; position < size; ++position) {
      const std::vector<Digest> proof = tree.ProofOf(position);
      for (uint32_t other = 0; other <= size; ++other) {
        EXPECT_EQ(VerifyInclusion(leaves[position], other, size, proof, tree.root()).ok(), other == position);
      }
      EXPECT_EQ(VerifyInclusion(leaves[(position + 1) % size], position, size, proof, tree.root()).ok(), size == 1);
    }
  }
}

// A proof says where in the tree its entry is, and how deep; sizes of the same shape on that path can't be told apart
// by it alone, which is why the root that is signed must name the size too.
TEST(MerkleTest, ProofsOfAnotherLengthAreRefused) {
  for (uint32_t size = 1; size <= 33; ++size) {
    const std::vector<Digest> leaves = Leaves(size);
    const MerkleTree tree(leaves);
    for (uint32_t position = 0; position < size; ++position) {
      std::vector<Digest> proof = tree.ProofOf(position);
      proof.push_back(tree.root());
      EXPECT_FALSE(VerifyInclusion(leaves[position], position, size, proof, tree.root()).ok());
      proof.pop_back();
      if (proof.empty()) continue;
      proof.pop_back();
      EXPECT_FALSE(VerifyInclusion(leaves[position], position, size, proof, tree.root()).ok());
    }
  }
  const MerkleTree tree(Leaves(8));
  EXPECT_FALSE(VerifyInclusion(Leaves(8)[3], 3, 4, tree.ProofOf(3), tree.root()).ok());
  EXPECT_FALSE(VerifyInclusion(Leaves(8)[3], 3, 9, tree.ProofOf(3), tree.root()).ok());
  EXPECT_FALSE(VerifyInclusion(Leaves(8)[3], 3, 0, {}, tree.root()).ok());
}

RC_GTEST_PROP(MerkleTest, AnyFlippedBitIsNoticed, ()) {
  const auto size = *rc::gen::inRange<uint32_t>(2, 300);
  const auto position = *rc::gen::inRange<uint32_t>(0, size);
  std::vector<Digest> leaves = Leaves(size);
  const MerkleTree tree(leaves);
  std::vector<Digest> proof = tree.ProofOf(position);
  RC_ASSERT(VerifyInclusion(leaves[position], position, size, proof, tree.root()).ok());
  Digest& flipped = proof[*rc::gen::inRange<size_t>(0, proof.size())];
  const auto bit = *rc::gen::inRange<size_t>(0, 256);
  flipped.bytes[bit / 8] = static_cast<uint8_t>(flipped.bytes[bit / 8] ^ 1 << bit % 8);
  RC_ASSERT(VerifyInclusion(leaves[position], position, size, proof, tree.root()).code() ==
            StatusCode::kInvalidArgument);
}

// An inner node's two digests, taken for an entry, hash to something else.
TEST(MerkleTest, AnInnerNodeNeverPassesForAnEntry) {
  const std::vector<Digest> leaves = Leaves(4);
  const MerkleTree four(leaves);
  const Digest left = MerkleRoot(std::span(leaves).first(2));
  const Digest right = MerkleRoot(std::span(leaves).subspan(2));
  EXPECT_NE(LeafHash(std::string(leaves[0].view()) + std::string(leaves[1].view())), left);
  // Only whoever skips LeafHash is fooled: this is why VerifyInclusion wants a leaf hash made by its caller.
  EXPECT_TRUE(VerifyInclusion(left, 0, 2, std::vector<Digest>{right}, four.root()).ok());
}

TEST(MerkleDeathTest, ThereIsNoProofOfNoEntry) {
  EXPECT_DEATH(MerkleTree(Leaves(3)).ProofOf(3), "no entry 3");
  EXPECT_DEATH(MerkleTree({}).ProofOf(0), "no entry 0");
}

}  // namespace
}  // namespace aisle::secagg

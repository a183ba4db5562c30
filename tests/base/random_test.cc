#include "base/random.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <set>
#include <vector>

#include "base/digest.h"

namespace aisle {
namespace {

SecretBytes Seed(char fill) { return SecretBytes::CopyOf(std::string(32, fill)); }

TEST(AesCtrStreamTest, IsAesCtrUnderTheDerivedKey) {
  // The stream is AES-256-CTR from counter 0 under HKDF(seed, "aisle/stream/" + purpose): computed here by other means.
  const SecretBytes key = HkdfSha256(Seed('a'), "", "aisle/stream/noise", 32);
  std::array<uint8_t, 64> expected{};
  for (size_t block = 0; block < 4; ++block) {
    std::array<uint8_t, 16> counter{};
    counter[15] = static_cast<uint8_t>(block);
    EVP_CIPHER_CTX* ecb = EVP_CIPHER_CTX_new();
    int written = 0;
    ASSERT_EQ(EVP_EncryptInit_ex(ecb, EVP_aes_256_ecb(), nullptr, reinterpret_cast<const uint8_t*>(key.Reveal().data()),
                                 nullptr),
              1);
    ASSERT_EQ(EVP_EncryptUpdate(ecb, expected.data() + 16 * block, &written, counter.data(), 16), 1);
    EVP_CIPHER_CTX_free(ecb);
  }
  AesCtrStream stream(Seed('a'), "noise");
  std::array<uint8_t, 64> drawn;
  stream.Fill(drawn);
  EXPECT_EQ(drawn, expected);
}

TEST(AesCtrStreamTest, IsTheSameInPiecesOfAnySize) {
  std::vector<uint8_t> whole(100'000);
  AesCtrStream(Seed('a'), "x").Fill(whole);
  AesCtrStream pieces(Seed('a'), "x");
  std::vector<uint8_t> joined;
  for (size_t size = 1; joined.size() < whole.size(); size = size * 3 + 1) {
    std::vector<uint8_t> piece(std::min(size, whole.size() - joined.size()));
    pieces.Fill(piece);
    joined.insert(joined.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(joined, whole);
}

TEST(AesCtrStreamTest, PurposesAndSeedsGiveUnrelatedStreams) {
  std::set<uint64_t> first;
  for (const char seed : {'a', 'b'}) {
    for (const char* purpose : {"x", "y", ""}) first.insert(AesCtrStream(Seed(seed), purpose).Draw64());
  }
  EXPECT_EQ(first.size(), 6);
}

TEST(RandomSourceTest, BelowIsUniform) {
  // Chi-square over 7 cells, 70,000 draws from a fixed seed; 22.46 is exceeded once in 1,000 for 6 degrees of freedom.
  AesCtrStream stream(Seed('c'), "below");
  std::array<double, 7> counts{};
  for (int i = 0; i < 70'000; ++i) counts[stream.Below(7)] += 1;
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - 10'000) * (count - 10'000) / 10'000;
  EXPECT_LT(chi_square, 22.46);
}

TEST(RandomSourceTest, BoundsHold) {
  SecureRandom random;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(random.Below(1), 0);
    EXPECT_LT(random.Below(UINT64_MAX), UINT64_MAX);
    const double fraction = random.Fraction();
    EXPECT_GE(fraction, 0);
    EXPECT_LT(fraction, 1);
  }
  EXPECT_NE(DrawKey(random).Reveal(), DrawKey(random).Reveal());
}

}  // namespace
}  // namespace aisle

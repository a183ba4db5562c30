#include "base/crypto/aead.h"

#include <gtest/gtest.h>

#include <cstring>

namespace aisle {
namespace {

// Hands out given bytes, over and over.
class FixedBytes final : public RandomSource {
 public:
  explicit FixedBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  void Fill(std::span<uint8_t> bytes) override {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(bytes_[at_++ % bytes_.size()]);
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

SecretBytes KeyOf(std::string_view hex) { return SecretBytes::CopyOf(*FromHex(hex)); }

constexpr std::string_view kKey = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16.
TEST(AeadTest, GivesThePublishedAnswer) {
  const std::string nonce = *FromHex("cafebabefacedbaddecaf888");
  const std::string plain = *FromHex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const std::string associated = *FromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  FixedBytes random(nonce);
  const std::string sealed = Aead(KeyOf(kKey)).Seal(plain, associated, random);
  EXPECT_EQ(ToHex(sealed),
            "cafebabefacedbaddecaf888"
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b");
}

// SP 800-38D's cipher at its edges, from the same appendix: no text at all (case 13), one block of zeros (case 14), no
// associated data (case 15).
TEST(AeadTest, GivesThePublishedAnswersWithoutAssociatedData) {
  const std::string zeros(64, '0');
  FixedBytes zero_nonce(std::string(12, '\0'));
  const Aead zero(KeyOf(zeros));
  EXPECT_EQ(ToHex(zero.Seal("", "", zero_nonce)), std::string(24, '0') + "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(ToHex(zero.Seal(std::string(16, '\0'), "", zero_nonce)),
            std::string(24, '0') + "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  FixedBytes random(*FromHex("cafebabefacedbaddecaf888"));
  const std::string sealed = Aead(KeyOf(kKey))
                                 .Seal(*FromHex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"),
                                       "", random);
  EXPECT_EQ(ToHex(sealed),
            "cafebabefacedbaddecaf888"
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
            "b094dac5d93471bdec1a502270e3cc6c");
}

TEST(AeadTest, OpensWhatItSealed) {
  SecureRandom random;
  const Aead aead(DrawKey(random));
  for (const size_t size : {0, 1, 15, 16, 17, 1000}) {
    const std::string plain(size, 'x');
    const std::string sealed = aead.Seal(plain, "place", random);
    EXPECT_EQ(sealed.size(), size + Aead::kOverhead);
    StatusOr<SecretBytes> opened = aead.Open(sealed, "place");
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->Reveal(), plain);
  }
}

TEST(AeadTest, NoticesEveryChangedBitAndEveryCut) {
  SecureRandom random;
  const Aead aead(DrawKey(random));
  const std::string sealed = aead.Seal("twelve bytes", "place", random);
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(aead.Open(changed, "place").status().code(), StatusCode::kDataLoss) << bit;
  }
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(aead.Open(sealed.substr(0, size), "place").status().code(), StatusCode::kDataLoss) << size;
  }
}

TEST(AeadTest, ASealedTextOpensNowhereElse) {
  SecureRandom random;
  const Aead aead(DrawKey(random));
  const std::string sealed = aead.Seal("text", "place", random);
  EXPECT_EQ(aead.Open(sealed, "other place").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Aead(DrawKey(random)).Open(sealed, "place").status().code(), StatusCode::kDataLoss);
}

TEST(AeadTest, TheSameTextIsSealedDifferentlyEachTime) {
  SecureRandom random;
  const Aead aead(DrawKey(random));
  EXPECT_NE(aead.Seal("text", "place", random), aead.Seal("text", "place", random));
}

// RFC 4231, test case 2, and agreement with the one-shot function.
TEST(MacTest, IsHmacSha256) {
  const Mac mac(SecretBytes::CopyOf("Jefe"));
  EXPECT_EQ(mac.Of("what do ya want ", "for nothing?").Hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const SecretBytes key = KeyOf(kKey);
  const Mac other(key);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(other.Of("text"), HmacSha256(key, "text"));
}

}  // namespace
}  // namespace aisle

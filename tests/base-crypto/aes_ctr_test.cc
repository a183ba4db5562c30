#include "base/crypto/aes_ctr.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/digest.h"

namespace aisle {
namespace {

SecretBytes Key(std::string_view hex) { return SecretBytes::CopyOf(FromHex(hex).value()); }
SecretBytes AnyKey() { return SecretBytes::CopyOf(std::string(32, 'k')); }

AesCtr::Counter CounterOf(std::string_view hex) {
  AesCtr::Counter counter;
  std::ranges::copy(FromHex(hex).value(), counter.begin());
  return counter;
}

std::string Next(AesCtr& stream, size_t size) {
  std::vector<uint8_t> bytes(size, 0xaa);
  stream.Generate(bytes);
  return {bytes.begin(), bytes.end()};
}

// SP 800-38A, appendix F.5.5 (CTR-AES256.Encrypt): the output blocks, which are the key stream.
TEST(AesCtrTest, GivesThePublishedAnswers) {
  AesCtr stream(Key("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
                CounterOf("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
  const std::string plain = *FromHex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  std::string sealed = Next(stream, plain.size());
  for (size_t i = 0; i < plain.size(); ++i) sealed[i] = static_cast<char>(sealed[i] ^ plain[i]);
  EXPECT_EQ(ToHex(sealed),
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
            "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
}

TEST(AesCtrTest, IsTheSameInPiecesOfAnySize) {
  AesCtr whole(AnyKey());
  AesCtr pieces(AnyKey());
  const std::string expected = Next(whole, 100'000);
  std::string joined;
  for (size_t size = 1; joined.size() < expected.size(); size = size * 3 + 1) {
    joined += Next(pieces, std::min(size, expected.size() - joined.size()));
  }
  EXPECT_EQ(joined, expected);
}

TEST(AesCtrTest, BeginsAnywhere) {
  AesCtr whole(AnyKey());
  const std::string expected = Next(whole, 70'000);
  AesCtr stream(AnyKey());
  for (const size_t offset : {0, 1, 15, 16, 17, 4095, 4096, 65'535, 65'536, 69'999, 3}) {
    stream.Seek(offset);
    const size_t size = std::min<size_t>(100, expected.size() - offset);
    EXPECT_EQ(Next(stream, size), expected.substr(offset, size)) << offset;
  }
}

TEST(AesCtrTest, CountersCarryOverAllBytesAndWrap) {
  AesCtr from_end(AnyKey(), CounterOf("ffffffffffffffffffffffffffffffff"));
  AesCtr from_start(AnyKey());
  from_end.Seek(16);
  EXPECT_EQ(Next(from_end, 64), Next(from_start, 64));
  AesCtr far(AnyKey());
  far.Seek(uint64_t{0xffffffff} * 16);
  Next(far, 16);
  AesCtr farther(AnyKey(), CounterOf("00000000000000000000000100000000"));
  EXPECT_EQ(Next(far, 48), Next(farther, 48));
}

TEST(AesCtrTest, KeysGiveUnrelatedStreams) {
  AesCtr one(AnyKey());
  AesCtr other(SecretBytes::CopyOf(std::string(32, 'l')));
  EXPECT_NE(Next(one, 32), Next(other, 32));
}

TEST(AesCtrDeathTest, AKeyHas32Bytes) { EXPECT_DEATH(AesCtr(SecretBytes(16)), "32 bytes"); }

}  // namespace
}  // namespace aisle

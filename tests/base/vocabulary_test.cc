// Small values: names, digests, durations, codecs, statuses.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/secret.h"

namespace aisle {
namespace {

TEST(NameTest, TakesOnlyWhatIsSafeAsAFileName) {
  for (const char* good : {"a", "7", "leeds-01", "a.b_c-d"}) EXPECT_TRUE(StoreId::Parse(good).ok()) << good;
  for (const char* bad : {"", "-a", ".a", "A", "a/b", "a b", "..", "é"}) EXPECT_FALSE(StoreId::Parse(bad).ok()) << bad;
  EXPECT_TRUE(StoreId::Parse(std::string(64, 'a')).ok());
  const Status long_name = StoreId::Parse(std::string(65, 'a')).status();
  EXPECT_NE(MessageOf(long_name).find("65"), std::string_view::npos);
}

TEST(DigestTest, KnownAnswers) {
  // FIPS 180-4 and RFC 4231 (case 2), RFC 5869 (case 1).
  EXPECT_EQ(Sha256::Of("abc").Hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HmacSha256(SecretBytes::CopyOf("Jefe"), "what do ya want for nothing?").Hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const SecretBytes key = SecretBytes::CopyOf(std::string(22, '\x0b'));
  const std::string salt = *FromHex("000102030405060708090a0b0c");
  const std::string info = *FromHex("f0f1f2f3f4f5f6f7f8f9");
  EXPECT_EQ(ToHex(HkdfSha256(key, salt, info, 42).Reveal()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(DigestTest, StartsAnewAfterFinish) {
  Sha256 hash;
  hash.Update("one");
  hash.Finish();
  hash.Update("ab");
  hash.Update("c");
  EXPECT_EQ(hash.Finish(), Sha256::Of("abc"));
}

TEST(DigestTest, HexGoesBothWaysAndRefusesTheRest) {
  const Digest digest = Sha256::Of("x");
  EXPECT_EQ(*Digest::FromHex(digest.Hex()), digest);
  EXPECT_FALSE(Digest::FromHex("abc").ok());
  EXPECT_FALSE(Digest::FromHex(std::string(64, 'g')).ok());
  EXPECT_FALSE(Digest::FromBytes("short").ok());
  EXPECT_TRUE(ConstantTimeEqual("same", "same"));
  EXPECT_FALSE(ConstantTimeEqual("same", "some"));
  EXPECT_FALSE(ConstantTimeEqual("same", "sam"));
}

TEST(SecretTest, MovingLeavesNothingBehind) {
  SecretBytes secret = SecretBytes::CopyOf("hidden");
  SecretBytes moved = std::move(secret);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): that is the promise.
  EXPECT_EQ(moved.Reveal(), "hidden");
  moved.Clear();
  EXPECT_TRUE(moved.empty());
}

TEST(DurationTest, ReadsAndRefuses) {
  EXPECT_EQ(*ParseDuration("90s"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(*ParseDuration("3d"), absl::Hours(72));
  EXPECT_EQ(*ParseDuration("0.5s"), absl::Milliseconds(500));
  for (const char* bad : {"", "5", "s", "-5s", "5 s", "1e3s", "nans", "5weeks"})
    EXPECT_FALSE(ParseDuration(bad).ok()) << bad;
}

TEST(ByteCountTest, ReadsAndRefuses) {
  EXPECT_EQ(*ParseByteCount("4096"), 4096);
  EXPECT_EQ(*ParseByteCount("64 MiB"), 64U << 20);
  EXPECT_EQ(*ParseByteCount("1.5 GiB"), 1'610'612'736);
  EXPECT_EQ(*ParseByteCount("200 kB"), 200'000);
  for (const char* bad : {"", "MiB", "-1", "1 XB", "1e9", "99999999 TiB"})
    EXPECT_FALSE(ParseByteCount(bad).ok()) << bad;
  EXPECT_EQ(FormatByteCount(1536), "1.5 KiB");
}

TEST(StatusTest, AnnotateKeepsTheCode) {
  const Status status = Annotate(NotFound("no {}", 7), "reading");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(MessageOf(status), "reading: no 7");
  EXPECT_TRUE(Annotate(OkStatus(), "x").ok());
}

RC_GTEST_PROP(CodecLaws, WhatIsWrittenIsRead,
              (uint8_t a, uint32_t b, uint64_t c, int64_t d, double e, const std::string& f)) {
  const std::string bytes = ByteWriter().U8(a).U32(b).U64(c).I64(d).F64(e).String(f).Put(Sha256::Of(f)).Take();
  ByteReader reader(bytes);
  RC_ASSERT(reader.U8() == a);
  RC_ASSERT(reader.U32() == b);
  RC_ASSERT(reader.U64() == c);
  RC_ASSERT(reader.I64() == d);
  RC_ASSERT(reader.F64() == e);
  RC_ASSERT(reader.String(f.size()) == f);
  RC_ASSERT(reader.ReadDigest() == Sha256::Of(f));
  RC_ASSERT(reader.Finish("x").ok());
}

RC_GTEST_PROP(CodecLaws, NoCutReadsPastTheEnd, (const std::string& bytes)) {
  ByteReader reader(bytes);
  while (reader.ok()) {
    reader.String(16);
    reader.U64();
  }
  RC_ASSERT(reader.status("x").code() == StatusCode::kDataLoss);
  RC_ASSERT(reader.U32() == 0);
}

TEST(CodecTest, LeftOversAndLongStringsAreRefused) {
  const std::string bytes = ByteWriter().String("four").U8(1).Take();
  ByteReader left_over(bytes);
  left_over.String(4);
  EXPECT_EQ(left_over.Finish("row").code(), StatusCode::kDataLoss);
  ByteReader too_long(bytes);
  EXPECT_EQ(too_long.String(3), "");
  EXPECT_FALSE(too_long.ok());
}

}  // namespace
}  // namespace aisle

#include "base/crypto/x25519.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/random.h"

namespace aisle {
namespace {

std::string Bytes(std::string_view hex) { return FromHex(hex).value(); }
SecretBytes Scalar(std::string_view hex) { return SecretBytes::CopyOf(Bytes(hex)); }
std::string Hex(const StatusOr<SecretBytes>& secret) { return secret.ok() ? ToHex(secret->Reveal()) : "refused"; }

// RFC 7748, section 5.2.
TEST(X25519Test, GivesThePublishedAnswers) {
  EXPECT_EQ(Hex(X25519(Scalar("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                       Bytes("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(Hex(X25519(Scalar("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                       Bytes("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"))),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

// RFC 7748, section 5.2: the result becomes the key, the key the peer's, again and again.
TEST(X25519Test, GivesThePublishedAnswersOfTheChain) {
  SecretBytes key = Scalar("0900000000000000000000000000000000000000000000000000000000000000");
  std::string peer(key.Reveal());
  for (int turn = 1; turn <= 1000; ++turn) {
    StatusOr<SecretBytes> shared = X25519(key, peer);
    ASSERT_TRUE(shared.ok());
    peer = std::string(key.Reveal());
    key = *std::move(shared);
    if (turn == 1) {
      EXPECT_EQ(ToHex(key.Reveal()), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(ToHex(key.Reveal()), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

// RFC 7748, section 6.1.
TEST(X25519Test, BothSidesReachThePublishedSecret) {
  const SecretBytes alice = Scalar("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const SecretBytes bob = Scalar("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  const std::string alice_public = X25519PublicKey(alice).value();
  const std::string bob_public = X25519PublicKey(bob).value();
  EXPECT_EQ(ToHex(alice_public), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(ToHex(bob_public), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(Hex(X25519(alice, bob_public)), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  EXPECT_EQ(Hex(X25519(bob, alice_public)), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(X25519Test, AnyTwoFreshKeysAgree) {
  SecureRandom random;
  for (int pair = 0; pair < 50; ++pair) {
    const SecretBytes a = DrawKey(random);
    const SecretBytes b = DrawKey(random);
    EXPECT_EQ(Hex(X25519(a, X25519PublicKey(b).value())), Hex(X25519(b, X25519PublicKey(a).value())));
  }
}

// Every encoding of a point of low order, canonical or not: with these the secret is zero for all keys.
TEST(X25519Test, RefusesPeersOfLowOrder) {
  SecureRandom random;
  const SecretBytes key = DrawKey(random);
  for (const char* low : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    std::string point = Bytes(low);
    EXPECT_TRUE(HasLowOrder(point)) << low;
    EXPECT_EQ(X25519(key, point).status().code(), StatusCode::kInvalidArgument) << low;
    point.back() = static_cast<char>(point.back() | 0x80);  // The top bit doesn't count.
    EXPECT_TRUE(HasLowOrder(point)) << low;
    EXPECT_EQ(X25519(key, point).status().code(), StatusCode::kInvalidArgument) << low;
  }
  EXPECT_TRUE(X25519(key, X25519PublicKey(key).value()).ok());
}

// Around 0 and around p = 2^255 - 19, with and without the top bit.
TEST(X25519Test, KnowsPointsOfLowOrderWithoutAnAgreement) {
  const SecretBytes key = SecretBytes::CopyOf(std::string(32, '\1'));
  for (const int others : {0x00, 0xff}) {
    for (unsigned first = 0; first < 256; ++first) {
      for (const int top : {0x00, 0x7f, 0x80, 0xff}) {
        std::string point(kX25519Size, static_cast<char>(others));
        point.front() = static_cast<char>(first);
        point.back() = static_cast<char>(top);
        EXPECT_EQ(HasLowOrder(point), !X25519(key, point).ok()) << ToHex(point);
      }
    }
  }
  EXPECT_FALSE(HasLowOrder(""));
  EXPECT_FALSE(HasLowOrder(std::string(33, '\0')));
}

TEST(X25519Test, RefusesKeysOfAnotherSize) {
  SecureRandom random;
  const SecretBytes key = DrawKey(random);
  for (const size_t size : {0, 31, 33}) {
    EXPECT_EQ(X25519PublicKey(SecretBytes(size)).status().code(), StatusCode::kInvalidArgument) << size;
    EXPECT_EQ(X25519(SecretBytes(size), std::string(32, 'x')).status().code(), StatusCode::kInvalidArgument) << size;
    EXPECT_EQ(X25519(key, std::string(size, 'x')).status().code(), StatusCode::kInvalidArgument) << size;
  }
}

}  // namespace
}  // namespace aisle

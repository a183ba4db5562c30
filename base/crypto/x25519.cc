#include "base/crypto/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>

#include "base/check.h"

namespace aisle {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

const uint8_t* Raw(std::string_view bytes) { return reinterpret_cast<const uint8_t*>(bytes.data()); }

StatusOr<Key> PrivateKey(const SecretBytes& bytes) {
  if (bytes.size() != kX25519Size) {
    return InvalidArgument("an X25519 private key has {} bytes, not {}", kX25519Size, bytes.size());
  }
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, Raw(bytes.Reveal()), kX25519Size));
  AISLE_CHECK(key != nullptr, "OpenSSL takes no X25519 key");
  return key;
}

// Some public key: copying it and setting another's bytes takes half the time of making one anew, for which OpenSSL
// first looks for who can.
EVP_PKEY* AnyPublicKey() {
  static EVP_PKEY* const key = [] {
    constexpr std::array<uint8_t, kX25519Size> kBytes{9};
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, kBytes.data(), kBytes.size());
  }();
  AISLE_CHECK(key != nullptr, "OpenSSL takes no X25519 key");
  return key;
}

StatusOr<Key> PublicKey(std::string_view bytes) {
  if (bytes.size() != kX25519Size) {
    return InvalidArgument("an X25519 public key has {} bytes, not {}", kX25519Size, bytes.size());
  }
  Key key(EVP_PKEY_dup(AnyPublicKey()));
  AISLE_CHECK(key != nullptr && EVP_PKEY_set1_encoded_public_key(key.get(), Raw(bytes), kX25519Size) == 1,
              "OpenSSL takes no X25519 key");
  return key;
}

// All bytes are looked at, whatever they are.
bool IsZero(std::string_view bytes) {
  unsigned any = 0;
  for (const char byte : bytes) any |= static_cast<unsigned char>(byte);
  return any == 0;
}

}  // namespace

StatusOr<X25519Key> X25519Key::FromBytes(const SecretBytes& private_key) {
  AISLE_ASSIGN_OR_RETURN(Key key, PrivateKey(private_key));
  Context ready(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  AISLE_CHECK(ready != nullptr && EVP_PKEY_derive_init(ready.get()) == 1);
  return X25519Key(std::shared_ptr<EVP_PKEY>(std::move(key)), std::shared_ptr<EVP_PKEY_CTX>(std::move(ready)));
}

std::string X25519Key::PublicKey() const {
  std::string bytes(kX25519Size, '\0');
  size_t size = bytes.size();
  AISLE_CHECK(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<uint8_t*>(bytes.data()), &size) == 1 &&
              size == kX25519Size);
  return bytes;
}

StatusOr<SecretBytes> X25519Key::AgreeWith(std::string_view peer_public_key) const {
  AISLE_ASSIGN_OR_RETURN(const Key peer, aisle::PublicKey(peer_public_key));
  const Context context(EVP_PKEY_CTX_dup(ready_.get()));
  AISLE_CHECK(context != nullptr && EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) == 1);
  SecretBytes shared(kX25519Size);
  size_t size = shared.size();
  // OpenSSL refuses the zero secret itself; we don't rely on it.
  const bool derived = EVP_PKEY_derive(context.get(), shared.Mutable().data(), &size) == 1 && size == kX25519Size;
  if (!derived || IsZero(shared.Reveal())) {
    ERR_clear_error();
    return InvalidArgument("the peer's X25519 public key is a point of low order: no secret can be shared with it");
  }
  return shared;
}

// A private key is a multiple of 8, so these are the points of the curve and of its twist whose order divides 8: 0, 1,
// two of order 8, p - 1; and p and p + 1, which are 0 and 1 again (RFC 7748, section 5: numbers from p upwards are
// taken modulo p, and the top bit is ignored).
bool HasLowOrder(std::string_view public_key) {
  using std::string_view_literals::operator""sv;
  static constexpr std::string_view kPoints[] = {
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"sv,
      "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"sv,
      "\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a"
      "\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00"sv,
      "\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b"
      "\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57"sv,
      "\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"sv,
      "\xed\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"sv,
      "\xee\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"sv};
  if (public_key.size() != kX25519Size) return false;
  std::string point(public_key);
  point.back() = static_cast<char>(point.back() & 0x7f);
  return std::ranges::find(kPoints, std::string_view(point)) != std::end(kPoints);
}

StatusOr<std::string> X25519PublicKey(const SecretBytes& private_key) {
  AISLE_ASSIGN_OR_RETURN(const X25519Key key, X25519Key::FromBytes(private_key));
  return key.PublicKey();
}

StatusOr<SecretBytes> X25519(const SecretBytes& private_key, std::string_view peer_public_key) {
  AISLE_ASSIGN_OR_RETURN(const X25519Key key, X25519Key::FromBytes(private_key));
  return key.AgreeWith(peer_public_key);
}

}  // namespace aisle

// Some of OpenSSL's calls, for everything in this program: those whose answer follows from the question alone, and that
// the parties of a world ask again and again. Headquarters and every neighbour verify the same signature, two stores
// reach the same secret from either side, and whoever was killed works it all out once more. In one process it is
// worked out once, by OpenSSL, and remembered by everything that went into it: the answers are the same, bit for bit.
//
// EVP_PKEY_verify with a key on P-256, EVP_PKEY_derive between X25519 keys, EVP_PKEY_new_raw_private_key of X25519,
// which works out the public half, EVP_KDF_derive with HKDF, and reading certificates and private keys from PEM. None
// of them draws randomness, so a world doesn't depend on what an earlier one left to be remembered. What draws some
// (making keys, signing) is done each time.
//
// One thing is taken from OpenSSL without asking: that it finds right what it has just signed itself (EVP_DigestSign),
// for that key, digest and signature. One in kVerifiedOf of these is verified all the same.
#pragma once

#include <cstdint>

namespace aisle::simulation {

inline constexpr uint64_t kVerifiedOf = 32;

struct CallsRemembered {
  uint64_t asked = 0;  // Calls of these kinds.
  uint64_t done = 0;   // Of them, those that OpenSSL worked out.
};
CallsRemembered RememberedCalls();  // Since the program began. One thread.

}  // namespace aisle::simulation

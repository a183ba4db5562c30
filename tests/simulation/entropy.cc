#define OPENSSL_SUPPRESS_DEPRECATED  // RAND_METHOD: the one way to hand randomness to all of OpenSSL.
#include "tests/simulation/entropy.h"

#include <openssl/rand.h>

#include "base/check.h"
#include "base/codec.h"

namespace aisle::simulation {
namespace {

RandomSource* source = nullptr;

int Fill(unsigned char* bytes, int size) {
  source->Fill({bytes, static_cast<size_t>(size)});
  return 1;
}
int Ready() { return 1; }

const RAND_METHOD* Seeded() {
  static const RAND_METHOD method = {
      .seed = nullptr, .bytes = Fill, .cleanup = nullptr, .add = nullptr, .pseudorand = Fill, .status = Ready};
  return &method;
}

}  // namespace

SecretBytes SeedBytes(uint64_t seed) {
  SecretBytes bytes(32);
  const std::string number = ByteWriter().U64(seed).Take();
  std::copy(number.begin(), number.end(), bytes.Mutable().begin());
  return bytes;
}

SeededEntropy::SeededEntropy(uint64_t seed) : stream_(SeedBytes(seed), "simulation/entropy") {
  AISLE_CHECK(source == nullptr, "one world at a time");
  source = &stream_;
  AISLE_CHECK(RAND_set_rand_method(Seeded()) == 1);
}

SeededEntropy::~SeededEntropy() {
  RAND_set_rand_method(RAND_OpenSSL());
  source = nullptr;
}

}  // namespace aisle::simulation

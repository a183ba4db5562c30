// Randomness for a whole program from one seed: while it lives, OpenSSL's generator is a stream of ours, so that keys,
// signatures and whatever else draws from it are the same in every run.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace aisle::simulation {

// One at a time, one thread.
class SeededEntropy {
 public:
  explicit SeededEntropy(uint64_t seed);
  ~SeededEntropy();
  SeededEntropy(const SeededEntropy&) = delete;
  SeededEntropy& operator=(const SeededEntropy&) = delete;

 private:
  AesCtrStream stream_;
};

// 32 bytes that follow from the seed.
SecretBytes SeedBytes(uint64_t seed);

}  // namespace aisle::simulation

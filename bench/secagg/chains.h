// The certificates of a chain for secagg_bench: real ones, and ones that cost nothing, so that what certificates cost
// can be told from what the protocol costs.
#pragma once

#include <memory>
#include <vector>

#include "base/identity/trusted_roots.h"
#include "base/ids.h"
#include "privacy/secagg/trust.h"

namespace aisle::secagg {

struct Chain {
  std::vector<Credentials> stores;
  Credentials headquarters;
  std::vector<Trust> trusts;  // Each store's own: nobody learns from another whom to trust.
  std::vector<std::unique_ptr<TrustedCertificates>> known;  // What these have proven, if certificates are real.
  Trust headquarters_trust;
};

// Ids in the order of the numbers.
StoreId BenchStore(uint32_t number);

// A signature is a MAC; a certificate is a text as long as a real one.
Chain CheapChain(uint32_t stores);
// ECDSA on P-256, X.509, issued by one authority. A store proves each certificate that it sees once, as agents do, and
// with `met` has seen all of them in earlier cohorts. Headquarters has read them when the stores connected.
Chain EcdsaChain(uint32_t stores, bool met);

}  // namespace aisle::secagg

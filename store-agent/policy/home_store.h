// The home-store rule: of all stores that a customer may shop in, one uses that customer's rows. What the ledger of
// that store says of the customer is then all that the chain has spent on that person.
//
// Rendezvous hashing (Thaler and Ravishankar 1998): the home is the candidate whose HMAC-SHA256(key, customer, store)
// is the largest. All stores of the chain that share customers have the same candidates and the same key, and so agree
// without a word between them; a store added or removed moves only the customers it gains or loses. The key is the
// chain's and headquarters never has it: who had it and a list of loyalty numbers could tell each one's home.
//
// Customers are known by the pseudonym they have in plans, so the pseudonyms must be the chain's, not the store's: see
// TableStore, customers.key.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/crypto/aead.h"
#include "base/ids.h"
#include "base/secret.h"
#include "base/status.h"
#include "store-agent/tables/columns.h"

namespace aisle {

// Not thread-safe.
class HomeStore {
 public:
  // InvalidArgument if `self` is no candidate, a candidate is named twice, or there are fewer than two or more than
  // kCandidatesMax. The order of `candidates` doesn't matter.
  static StatusOr<HomeStore> Make(const StoreId& self, std::vector<StoreId> candidates, const SecretBytes& chain_key);

  // Of a customer as plans see it.
  const StoreId& HomeOf(int64_t customer) const;
  bool IsHomeOf(int64_t customer) const { return HomeOf(customer) == self_; }

  // Leaves the rows of customers whose home is here, and rows of nobody (null), in their order. AISLE_CHECK that the
  // column is there and of customers.
  void KeepOwn(ColumnTable& table, std::string_view customer_column) const;

 private:
  HomeStore(StoreId self, std::vector<StoreId> candidates, const SecretBytes& key);
  StoreId self_;
  std::vector<StoreId> candidates_;
  Mac mac_;
};

}  // namespace aisle

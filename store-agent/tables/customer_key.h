// The key that customers' pseudonyms are made under: the store's own as a rule, the chain's where its file is put
// (store_key.h, ChainCustomerKeyPath). Private to this folder.
#pragma once

#include <string>

#include "store-agent/tables/table_store_state.h"

namespace aisle {

// Sets state.customer_key, and notes which key it was. `state` has its tables and forgotten customers already.
// FailedPrecondition if rows or forgotten customers are known by pseudonyms under another key.
Status SetCustomerKey(const std::string& folder, const SecretBytes& store_key, RandomSource& random,
                      TableStoreState& state);

}  // namespace aisle

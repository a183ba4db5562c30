#include "store-agent/policy/home_store.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "base/codec.h"
#include "store-agent/policy/customers.h"

namespace aisle {

StatusOr<HomeStore> HomeStore::Make(const StoreId& self, std::vector<StoreId> candidates,
                                    const SecretBytes& chain_key) {
  if (candidates.size() < 2 || candidates.size() > kCandidatesMax) {
    return InvalidArgument("the home-store rule has {} candidates; it must have 2 to {}", candidates.size(),
                           kCandidatesMax);
  }
  std::ranges::sort(candidates);
  if (const auto twice = std::ranges::adjacent_find(candidates); twice != candidates.end()) {
    return InvalidArgument("the home-store rule names {} twice", *twice);
  }
  if (!std::ranges::binary_search(candidates, self)) {
    return InvalidArgument("the home-store rule's candidates don't name this store, {}", self);
  }
  return HomeStore(self, std::move(candidates), HkdfSha256(chain_key, "", "aisle/home-store/v1", 32));
}

HomeStore::HomeStore(StoreId self, std::vector<StoreId> candidates, const SecretBytes& key)
    : self_(std::move(self)), candidates_(std::move(candidates)), mac_(key) {}

const StoreId& HomeStore::HomeOf(int64_t customer) const {
  const std::string head = ByteWriter().I64(customer).Take();
  const StoreId* home = nullptr;
  Digest highest;
  for (const StoreId& candidate : candidates_) {
    const Digest weight = mac_.Of(head, candidate.str());
    if (home != nullptr && weight <= highest) continue;
    home = &candidate;
    highest = weight;
  }
  return *home;
}

void HomeStore::KeepOwn(ColumnTable& table, std::string_view customer_column) const {
  const Column* customers = table.Find(customer_column);
  AISLE_CHECK(customers != nullptr && customers->type() == ColumnType::kCustomer);
  std::unordered_map<int64_t, bool> known;  // A customer has many rows.
  std::vector<bool> kept(table.rows);
  for (size_t row = 0; row < kept.size(); ++row) {
    const int64_t customer = customers->int64s()[row];
    const auto [found, is_new] = known.emplace(customer, true);
    if (is_new && customer >= 0) found->second = IsHomeOf(customer);
    kept[row] = found->second;
  }
  for (Column& column : table.columns) column.Keep(kept);
  table.rows = static_cast<uint64_t>(std::ranges::count(kept, true));
}

}  // namespace aisle

#include "store-agent/tables/customer_key.h"

#include <algorithm>

#include "base/storage/files.h"
#include "store-agent/tables/store_key.h"

namespace aisle {
namespace {

constexpr std::string_view kCheck = "customers-check";
constexpr std::string_view kCheckText = "aisle/customers-check/v1";

SecretBytes Derive(const SecretBytes& root) { return HkdfSha256(root, "", "aisle/customers", 32); }

std::string CheckOf(const SecretBytes& customer_key) {
  return std::string(HmacSha256(customer_key, kCheckText).view());
}

StatusOr<SecretBytes> CustomerKeyIn(const std::string& folder, const SecretBytes& store_key, RandomSource& random) {
  const std::string path = ChainCustomerKeyPath(folder);
  if (!FileExists(path)) return Derive(store_key);
  AISLE_ASSIGN_OR_RETURN(const SecretBytes chain_key, LoadStoreKey(path, false, random));
  return Derive(chain_key);
}

bool KnowsCustomers(const TableStoreState& state) {
  return !state.forgotten.empty() || std::ranges::any_of(state.tables, [](const auto& table) {
    return table.second.schema.customer && table.second.rows > 0;
  });
}

}  // namespace

Status SetCustomerKey(const std::string& folder, const SecretBytes& store_key, RandomSource& random,
                      TableStoreState& state) {
  AISLE_ASSIGN_OR_RETURN(state.customer_key, CustomerKeyIn(folder, store_key, random));
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> noted, state.database->Get(state.meta, kCheck));
  const std::string check = CheckOf(state.customer_key);
  const std::string known = noted ? *noted : CheckOf(Derive(store_key));  // No note: from before there was a choice.
  if (check != known && KnowsCustomers(state)) {
    return FailedPrecondition(
        "the rows in {} know customers by pseudonyms under another key than now: {} came, went or changed; put it back "
        "as it was, or move the folder away and take all files in again",
        folder, ChainCustomerKeyPath(folder));
  }
  if (noted == check) return OkStatus();
  return state.database->Put(state.meta, kCheck, check, Durability::kSynced);
}

}  // namespace aisle

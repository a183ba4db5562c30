// Who is at the other end: a name within one chain, carried in a certificate's URI SAN.
//
//   aisle://<chain>/<role>/<name>      aisle://northwind/store/store-012
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status.h"

namespace aisle {

struct ChainNameTag {
  static constexpr std::string_view kWhat = "chain name";
};
using ChainName = Name<ChainNameTag>;

enum class Role { kStore, kAdmin, kCoordinator };
std::string_view RoleName(Role role);  // "store", "admin", "coordinator".

struct Identity {
  ChainName chain;
  Role role = Role::kStore;
  std::string name;  // Obeys the rules of base/ids.h.

  auto operator<=>(const Identity&) const = default;
  // InvalidArgument unless `name` is a name.
  static StatusOr<Identity> Make(ChainName chain, Role role, std::string_view name);
  // The one accepted spelling, byte for byte; InvalidArgument for anything else (case, %-escapes, ports, empty parts).
  static StatusOr<Identity> ParseUri(std::string_view uri);
  std::string Uri() const;
};

// PermissionDenied naming both roles if `identity` has another one.
Status RequireRole(const Identity& identity, Role role);
// The store that `identity` names; PermissionDenied if it is no store.
StatusOr<StoreId> StoreOf(const Identity& identity);

}  // namespace aisle

#include "base/identity/identity.h"

#include <array>
#include <optional>

namespace aisle {
namespace {

constexpr std::string_view kScheme = "aisle://";
constexpr std::array<Role, 3> kRoles = {Role::kStore, Role::kAdmin, Role::kCoordinator};

std::optional<Role> RoleNamed(std::string_view text) {
  for (const Role role : kRoles) {
    if (RoleName(role) == text) return role;
  }
  return std::nullopt;
}

}  // namespace

std::string_view RoleName(Role role) {
  switch (role) {
    case Role::kStore:
      return "store";
    case Role::kAdmin:
      return "admin";
    case Role::kCoordinator:
      return "coordinator";
  }
  return "unknown";
}

StatusOr<Identity> Identity::Make(ChainName chain, Role role, std::string_view name) {
  AISLE_RETURN_IF_ERROR(CheckName("chain name", chain.str()));
  AISLE_RETURN_IF_ERROR(CheckName(fmt::format("{} name", RoleName(role)), name));
  return Identity{std::move(chain), role, std::string(name)};
}

StatusOr<Identity> Identity::ParseUri(std::string_view uri) {
  // The longest right one is well under this; so is what an error repeats.
  constexpr size_t kUriLengthMax = kScheme.size() + 2 * kNameLengthMax + 16;
  if (uri.size() > kUriLengthMax)
    return InvalidArgument("an identity of {} characters is over {}", uri.size(), kUriLengthMax);
  const auto refuse = [uri] {
    return InvalidArgument("'{}' is no identity; it needs to be aisle://<chain>/<store|admin|coordinator>/<name>", uri);
  };
  if (!uri.starts_with(kScheme)) return refuse();
  const std::string_view rest = uri.substr(kScheme.size());
  const size_t first = rest.find('/');
  const size_t second = first == std::string_view::npos ? first : rest.find('/', first + 1);
  if (second == std::string_view::npos) return refuse();
  const std::optional<Role> role = RoleNamed(rest.substr(first + 1, second - first - 1));
  if (!role.has_value()) return refuse();
  AISLE_ASSIGN_OR_RETURN(ChainName chain, ChainName::Parse(rest.substr(0, first)));
  return Make(std::move(chain), *role, rest.substr(second + 1));
}

std::string Identity::Uri() const { return fmt::format("{}{}/{}/{}", kScheme, chain, RoleName(role), name); }

Status RequireRole(const Identity& identity, Role role) {
  if (identity.role == role) return OkStatus();
  return PermissionDenied("{} '{}' may not do what needs a certificate of role {}", RoleName(identity.role),
                          identity.name, RoleName(role));
}

StatusOr<StoreId> StoreOf(const Identity& identity) {
  AISLE_RETURN_IF_ERROR(RequireRole(identity, Role::kStore));
  return StoreId::Parse(identity.name);
}

}  // namespace aisle

#include "base/identity/identity.h"

#include <gtest/gtest.h>

#include "tests/identity/forge.h"

namespace aisle {
namespace {

TEST(IdentityTest, IsWhatItsUriSays) {
  const Identity identity = Identity::ParseUri("aisle://northwind/store/store-012").value();
  EXPECT_EQ(identity.chain.str(), "northwind");
  EXPECT_EQ(identity.role, Role::kStore);
  EXPECT_EQ(identity.name, "store-012");
  EXPECT_EQ(identity.Uri(), "aisle://northwind/store/store-012");
}

TEST(IdentityTest, KnowsEveryRole) {
  for (const Role role : {Role::kStore, Role::kAdmin, Role::kCoordinator}) {
    const Identity identity = Identity::Make(testing::Chain("c"), role, "n").value();
    EXPECT_EQ(Identity::ParseUri(identity.Uri()).value(), identity);
  }
}

class RefusedUriTest : public ::testing::TestWithParam<std::string> {};

TEST_P(RefusedUriTest, IsNoIdentity) {
  EXPECT_EQ(Identity::ParseUri(GetParam()).status().code(), StatusCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedUriTest,
    ::testing::Values("", "aisle://", "aisle:///store/a", "aisle://c/store", "aisle://c/store/", "aisle://c//a",
                      "aisle://c/store/a/", "aisle://c/store/a/b", "aisle://c/store/a?x", "aisle://c/store/a#x",
                      "aisle://c/store/%61", "aisle://c/Store/a", "AISLE://c/store/a", "aisle://C/store/a",
                      "aisle://c:1/store/a", "aisle://u@c/store/a", "aisle://c/root/a", " aisle://c/store/a",
                      "aisle://c/store/a ", "spiffe://c/store/a", "https://c/store/a", "aisle://c/store/..",
                      std::string("aisle://c/store/a\0b", 19), "aisle://c/store/" + std::string(65, 'a'),
                      "aisle://c/store/" + std::string(100'000, 'a')));

TEST(IdentityTest, OfTheWrongRoleIsTurnedAwayByName) {
  const Identity store = testing::StoreIdentity("c", "s1");
  EXPECT_TRUE(RequireRole(store, Role::kStore).ok());
  const Status refused = RequireRole(store, Role::kAdmin);
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_NE(MessageOf(refused).find("s1"), std::string_view::npos);
}

TEST(IdentityTest, NamesAStoreOnlyIfItIsOne) {
  EXPECT_EQ(StoreOf(testing::StoreIdentity("c", "s1")).value().str(), "s1");
  const Identity admin = Identity::Make(testing::Chain("c"), Role::kAdmin, "s1").value();
  EXPECT_EQ(StoreOf(admin).status().code(), StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace aisle

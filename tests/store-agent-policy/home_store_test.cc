#include "store-agent/policy/home_store.h"

#include <gtest/gtest.h>

#include <map>

namespace aisle {
namespace {

StoreId Store(int number) { return StoreId::Parse(fmt::format("s{:03}", number)).value(); }

std::vector<StoreId> Stores(int count) {
  std::vector<StoreId> stores;
  for (int i = 1; i <= count; ++i) stores.push_back(Store(i));
  return stores;
}

SecretBytes Key(uint8_t fill) {
  SecretBytes key(32);
  for (uint8_t& byte : key.Mutable()) byte = fill;
  return key;
}

HomeStore At(int self, std::vector<StoreId> candidates, uint8_t key = 1) {
  return HomeStore::Make(Store(self), std::move(candidates), Key(key)).value();
}

TEST(HomeStoreTest, EveryCustomerIsAtHomeInExactlyOneStore) {
  const std::vector<HomeStore> stores = [] {
    std::vector<HomeStore> made;
    for (int i = 1; i <= 7; ++i) made.push_back(At(i, Stores(7)));
    return made;
  }();
  for (int64_t customer = 0; customer < 2000; ++customer) {
    EXPECT_EQ(std::ranges::count_if(stores, [&](const HomeStore& store) { return store.IsHomeOf(customer); }), 1);
  }
}

TEST(HomeStoreTest, StoresGetLikeShares) {
  // 7,000 customers over 7 stores under a fixed key, so no false alarms: the standard deviation of a share is 29.
  const HomeStore store = At(1, Stores(7));
  std::map<StoreId, int> shares;
  for (int64_t customer = 0; customer < 7000; ++customer) ++shares[store.HomeOf(customer * 7919)];
  for (const auto& [name, share] : shares) EXPECT_NEAR(share, 1000, 150) << name.str();
}

TEST(HomeStoreTest, TheOrderOfCandidatesDoesNotMatter) {
  std::vector<StoreId> reversed = Stores(5);
  std::ranges::reverse(reversed);
  const HomeStore one = At(1, Stores(5));
  const HomeStore other = At(1, reversed);
  for (int64_t customer = 0; customer < 200; ++customer) EXPECT_EQ(one.HomeOf(customer), other.HomeOf(customer));
}

TEST(HomeStoreTest, ANewStoreTakesCustomersAndMovesNoOthers) {
  const HomeStore before = At(1, Stores(5));
  const HomeStore after = At(1, Stores(6));
  int moved = 0;
  for (int64_t customer = 0; customer < 3000; ++customer) {
    if (before.HomeOf(customer) == after.HomeOf(customer)) continue;
    ++moved;
    EXPECT_EQ(after.HomeOf(customer), Store(6));
  }
  EXPECT_NEAR(moved, 500, 120);
}

TEST(HomeStoreTest, WithoutTheKeyHomesCannotBeTold) {
  const HomeStore ours = At(1, Stores(2), 1);
  const HomeStore theirs = At(1, Stores(2), 2);
  int same = 0;
  for (int64_t customer = 0; customer < 1000; ++customer) same += ours.HomeOf(customer) == theirs.HomeOf(customer);
  EXPECT_NEAR(same, 500, 100);
}

// Frozen: stores of different versions must agree, and a change would move customers to stores that know them not.
TEST(HomeStoreTest, KnownAnswers) {
  const HomeStore store = At(1, Stores(4));
  std::string homes;
  for (int64_t customer = 0; customer < 16; ++customer) homes += store.HomeOf(customer).str().back();
  EXPECT_EQ(homes, "3232232423431213") << "as Python's hmac has it";
}

TEST(HomeStoreTest, LeavesItsOwnCustomersRowsAndThoseOfNobody) {
  const HomeStore store = At(1, Stores(2));
  ColumnTable table{.name = "sales", .rows = 0, .columns = {}};
  table.columns.emplace_back("who", ColumnType::kCustomer);
  table.columns.emplace_back("price", ColumnType::kDouble);
  table.columns.emplace_back("photo", ColumnType::kBytes, 3);
  std::vector<int64_t> expected;
  for (int64_t row = 0; row < 300; ++row) {
    const int64_t customer = row % 50 == 0 ? kNullFingerprint : row % 41;
    table.columns[0].Append(customer);
    table.columns[1].Append(static_cast<double>(row));
    table.columns[2].AppendBytes(fmt::format("{:03}", row));
    ++table.rows;
    if (customer == kNullFingerprint || store.IsHomeOf(customer)) expected.push_back(row);
  }
  store.KeepOwn(table, "who");
  ASSERT_EQ(table.rows, expected.size());
  EXPECT_LT(table.rows, 250u);
  EXPECT_GT(table.rows, 50u);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(table.columns[1].doubles()[i], static_cast<double>(expected[i]));
    EXPECT_EQ(table.columns[2].bytes().substr(3 * i, 3), fmt::format("{:03}", expected[i]));
  }
  for (const Column& column : table.columns) EXPECT_EQ(column.rows(), table.rows);
}

TEST(HomeStoreTest, RefusesCandidatesThatMakeNoRule) {
  const auto code = [](int self, std::vector<StoreId> candidates) {
    return HomeStore::Make(Store(self), std::move(candidates), Key(1)).status().code();
  };
  EXPECT_EQ(code(1, {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(1, {Store(1)}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(1, {Store(1), Store(2), Store(1)}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(3, Stores(2)), StatusCode::kInvalidArgument) << "this store isn't among them";
  EXPECT_EQ(code(2, Stores(2)), StatusCode::kOk);
}

}  // namespace
}  // namespace aisle

#include "store-agent/supervisor/wipe_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace aisle {
namespace {

using ::testing::Each;

TEST(WipeTaskTest, RowsAreZeroWhereTheyLay) {
  v1::TableData table;
  for (int i = 0; i < 3; ++i) table.add_columns();
  table.mutable_columns(0)->set_int64_values(std::string(800, 'x'));
  table.mutable_columns(1)->set_double_values(std::string(800, 'y'));
  table.mutable_columns(2)->set_byte_values(std::string(800, 'z'));
  WipeRows(table);
  EXPECT_THAT(table.columns(0).int64_values(), Each('\0'));
  EXPECT_THAT(table.columns(1).double_values(), Each('\0'));
  EXPECT_THAT(table.columns(2).byte_values(), Each('\0'));
  EXPECT_EQ(table.columns(2).byte_values().size(), 800U);
}

TEST(WipeTaskTest, NothingIsLeftOfARequest) {
  v1::WorkerRequest request;
  request.mutable_train()->set_seed(std::string(32, 's'));
  request.mutable_train()->set_noise_seed(std::string(32, 'n'));
  request.mutable_train()->set_resume("checkpoint");
  request.mutable_train()->add_tables()->add_columns()->set_int64_values("12345678");
  WipeTask(request);
  EXPECT_EQ(request.ByteSizeLong(), 0U);
}

}  // namespace
}  // namespace aisle

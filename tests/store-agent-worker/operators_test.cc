#include "store-agent/worker/operators.h"

#include <gtest/gtest.h>

namespace aisle {
namespace {

TEST(OperatorsTest, LetsTensorMathematicsThroughInPlaceToo) {
  for (const char* name :
       {"aten::matmul", "aten::add", "aten::add_", "aten::index_put_", "aten::__getitem__", "aten::gru",
        "aten::embedding", "aten::dropout", "prim::If", "prim::Loop", "prim::GetAttr"}) {
    EXPECT_TRUE(IsAllowedOperator(name)) << name;
  }
}

TEST(OperatorsTest, RefusesWhateverTouchesTheWorldOrTheProcess) {
  for (const char* name : {"aten::from_file",
                           "aten::save",
                           "aten::load",
                           "aten::manual_seed",
                           "aten::set_grad_enabled",
                           "aten::backward",
                           "aten::as_strided",
                           "aten::as_strided_",
                           "aten::resize_",
                           "aten::set_",
                           "aten::empty",
                           "aten::empty_like",
                           "aten::set_data",
                           "aten::wait",
                           "aten::_batch_norm_impl_index",
                           "aten::native_batch_norm",
                           "prim::fork",
                           "prim::rpc_sync",
                           "prim::Print",
                           "prim::PythonOp",
                           "prim::CreateObject",
                           "prim::SetAttr",
                           "prim::CallMethod",
                           "prim::TimePoint",
                           "aten::get_gradients",
                           "aten::to_here",
                           "c10d::allreduce_",
                           "profiler::_record_function_enter",
                           "quantized::linear",
                           "",
                           "aten::",
                           "aten::__",
                           "aten::no_such_operator",
                           "matmul"}) {
    EXPECT_FALSE(IsAllowedOperator(name)) << name;
  }
}

TEST(OperatorsTest, HintsAtWhatToUseInstead) {
  EXPECT_NE(HintFor("prim::Print").find("metric"), std::string_view::npos);
  EXPECT_EQ(HintFor("aten::something"), "");
}

}  // namespace
}  // namespace aisle

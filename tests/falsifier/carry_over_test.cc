// Programs that try to carry something of one customer over to the next, past the clip.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/falsifier/pull_plan.h"

namespace aisle {
namespace {

using ::testing::HasSubstr;

// Ways for a program to carry something of one customer over to the next. Each is refused at the door or comes to
// nothing; there is no third way.
struct CarryOver {
  const char* name;
  const char* loss = nullptr;
  const char* prepare = nullptr;
};
class CarryOverTest : public ::testing::TestWithParam<CarryOver> {};

TEST_P(CarryOverTest, IsRefusedOrComesToNothing) {
  PullPlan plan;
  if (GetParam().loss != nullptr) plan.loss = GetParam().loss;
  if (GetParam().prepare != nullptr) plan.prepare = GetParam().prepare;
  PullWorker worker(plan);
  if (worker.Inspect().has_failure()) return;
  const std::vector<Pull> rows = {{1, 0, 0.3}, {2, 1, 0.3}, {3, 2, 0.3}};
  const std::vector<int32_t> all = worker.Update(rows);
  for (const int64_t who : {1, 2, 3}) {
    const std::vector<int32_t> others = worker.Update(Without(rows, who));
    EXPECT_TRUE(AreWithinDelta(all, others, worker.grid().quantizer.scale())) << who;
    const std::vector<int32_t> own = worker.Update(Only(rows, who));
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], others[i] + own[i]) << who << ", coordinate " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(, CarryOverTest,
                         ::testing::Values(CarryOver{"WritingAParameter", R"(
    self.w.detach().add_(batch["pull"].sum())
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingAView", R"(
    view = self.w.detach().view([2, 2])[0]
    view.fill_(100.0 * batch["pull"].sum())
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingThroughAList", R"(
    kept = [self.w.detach()]
    for tensor in kept:
        tensor.mul_(0.0).sub_(7.0)
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingThroughADictionary", R"(
    kept = {"w": self.w.detach()}
    kept["w"].copy_(torch.ones([4]) * 9.0)
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingByIndex", R"(
    flat = self.w.detach()
    flat[0] = 5.0
    return -batch["pull"] * torch.square(torch.index_select(self.w, 0, batch["axis"]) + 1.0))"},
                                           CarryOver{"WritingTheBatch", R"(
    batch["pull"].mul_(2.0)
    return -batch["pull"] * torch.index_select(self.w, 0, batch["axis"]))"},
                                           CarryOver{"WritingATableOfAll", nullptr, R"(
    pulls = tables["pulls"]
    size = tables["shop"]["size"]
    pull = pulls["pull"] * float(size[0])
    size.mul_(3.0)
    return {"unit": pulls["who"], "axis": pulls["axis"], "pull": pull.to(6)})"},
                                           CarryOver{"WritingAParameterWhilePreparing", nullptr, R"(
    pulls = tables["pulls"]
    pull = pulls["pull"] * (1.0 + float(self.w.sum()))
    self.w.detach().add_(pulls["pull"].sum())
    return {"unit": pulls["who"], "axis": pulls["axis"], "pull": pull.to(6)})"},
                                           CarryOver{"AddingATable", nullptr, R"(
    pulls = tables["pulls"]
    pull = pulls["pull"] * float(len(tables))
    tables["more"] = {"x": pulls["pull"]}
    return {"unit": pulls["who"], "axis": pulls["axis"], "pull": pull.to(6)})"},
                                           CarryOver{"NormalisingOverTheBatch", R"(
    pull = torch.batch_norm(batch["pull"].unsqueeze(1), None, None, None, None, True, 0.1, 0.00001, False).squeeze(1)
    return -pull * torch.index_select(self.w, 0, batch["axis"]))"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(BatchNormTest, IsRefusedByName) {
  PullPlan plan;
  plan.loss = R"(
    pull = torch.batch_norm(batch["pull"].unsqueeze(1), None, None, None, None, True, 0.1, 0.00001, False).squeeze(1)
    return -pull * torch.index_select(self.w, 0, batch["axis"]))";
  const v1::WorkerReply reply = PullWorker(plan).Inspect();
  EXPECT_EQ(reply.failure().reason(), v1::WorkerFailure::REASON_PLAN_INVALID);
  EXPECT_THAT(reply.failure().detail(), HasSubstr("aten::batch_norm"));
  EXPECT_THAT(reply.failure().detail(), HasSubstr("looks at the whole batch"));
}

}  // namespace
}  // namespace aisle

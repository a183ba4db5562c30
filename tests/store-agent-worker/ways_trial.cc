#include "tests/store-agent-worker/ways_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/check.h"
#include "base/random.h"
#include "plans/initial_weights.h"

namespace aisle {
namespace {

constexpr const char* kScore = "torch.nll_loss(torch.log_softmax(y, 1), batch[\"label\"], None, 0)";

std::vector<WayPlan> MakePlans() {
  const std::string score = fmt::format("    return {}\n", kScore);
  return {
      {"linear", 12, "w = 10, 12\nb = 10", "    y = torch.linear(batch[\"x\"], self.w, self.b)\n" + score},
      {"mlp", 12, "w1 = 16, 12\nb1 = 16\nw2 = 10, 16\nb2 = 10",
       "    h = torch.relu(torch.linear(batch[\"x\"], self.w1, self.b1))\n"
       "    y = torch.linear(h, self.w2, self.b2)\n" +
           score},
      // Where OpenBLAS multiplies few lanes by another kernel than many: then all runs have many.
      {"crowd", 12, "w1 = 16, 12\nb1 = 16\nw2 = 10, 16\nb2 = 10",
       "    h = torch.relu(torch.linear(batch[\"x\"], self.w1, self.b1))\n"
       "    y = torch.linear(h, self.w2, self.b2)\n" +
           score,
       1000},
      {"addmm", 12, "w1 = 16, 12\nb1 = 16\nw2 = 16, 10\nb2 = 10",
       "    h = torch.celu(torch.addmm(self.b1, batch[\"x\"], self.w1.t()))\n"
       "    y = torch.matmul(h, self.w2) + self.b2\n" +
           score},
      // One matrix for two layers, and a vector that is used in a way of its own.
      {"tied", 12, "w = 12, 12\nreaction = 12\nout = 10, 12",
       "    h = torch.tanh(torch.linear(batch[\"x\"] * self.reaction, self.w))\n"
       "    y = torch.linear(torch.tanh(torch.matmul(h, self.w.t())), self.out)\n" +
           score},
      {"embedding", 4, "table = 256, 6\nw = 10, 6\nb = 10",
       "    y = torch.linear(torch.embedding(self.table, batch[\"ids\"]).mean(1), self.w, self.b)\n" + score},
      {"gru", 6, "table = 256, 5\nwi = 12, 5\nbi = 12\nwh = 12, 4\nbh = 12\nw = 10, 4\nb = 10",
       "    e = torch.embedding(self.table, batch[\"ids\"])\n"
       "    h = torch.zeros([e.size(0), 4])\n"
       "    for t in range(e.size(1)):\n"
       "        i = torch.linear(e[:, t], self.wi, self.bi)\n"
       "        g = torch.linear(h, self.wh, self.bh)\n"
       "        r = torch.sigmoid(i[:, 0:4] + g[:, 0:4])\n"
       "        z = torch.sigmoid(i[:, 4:8] + g[:, 4:8])\n"
       "        n = torch.tanh(i[:, 8:12] + r * g[:, 8:12])\n"
       "        h = n + z * (h - n)\n"
       "    y = torch.linear(h, self.w, self.b)\n" +
           score},
      {"conv", 36, "c = 4, 1, 3, 3\nd = 4\ne = 6, 4, 3, 3\nw = 10, 6",
       "    h = torch.relu(torch.conv2d(batch[\"x\"].reshape([-1, 1, 6, 6]), self.c, self.d, [1, 1], [1, 1]))\n"
       "    h = torch.relu(torch.conv2d(torch.max_pool2d(h, [2, 2]), self.e))\n"
       "    y = torch.linear(h.flatten(1), self.w)\n" +
           score},
      {"in-place", 12, "w = 10, 12\nb = 10",
       "    y = torch.relu_(torch.linear(batch[\"x\"], self.w, self.b))\n" + score},
      {"mixing", 12, "w = 10, 12\nb = 10",
       "    x = batch[\"x\"]\n"
       "    y = torch.linear(x - 3.0 * x.mean(0, True), self.w, self.b)\n" +
           score},
      {"dropout", 12, "w = 10, 12\nb = 10",
       "    y = torch.linear(torch.dropout(batch[\"x\"], 0.5, self.training), self.w, self.b)\n" + score},
      {"looks", 12, "w = 10, 12\nb = 10",
       "    x = batch[\"x\"]\n"
       "    if bool((x > 0.99).any()):\n"
       "        x = x * 0.5\n"
       "    y = torch.linear(x, self.w, self.b)\n" +
           score},
  };
}

void AppendRaw(std::string& bytes, const auto& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

const std::vector<WayPlan>& WayPlans() {
  static const std::vector<WayPlan> plans = MakePlans();
  return plans;
}

const WayPlan& WayPlanNamed(std::string_view name) {
  const auto found = std::ranges::find(WayPlans(), name, &WayPlan::name);
  AISLE_CHECK(found != WayPlans().end(), "no plan {}", name);
  return *found;
}

Plan PlanOf(const WayPlan& way_plan) {
  std::string toml = fmt::format(R"([plan]
name = "ways"
version = 1
source = "ways.py"
[tables.points.columns]
who = {{type = "customer"}}
x = {{type = "bytes", width = {}}}
scale = {{type = "double", range = [0.5, 1.5]}}
label = {{type = "int64", range = [0, 9]}}
[training]
learning_rate = 1.0
[privacy]
secure_sum = false
mode = "customer"
sampling_rate = 1.0
customers_per_store = {}
clip_norm = 1.0
noise_multiplier = 1.0
delta = 1e-6
rounds_max = 10
[cohort]
min = 2
target = 4
)",
                                 way_plan.width, way_plan.customers);
  std::istringstream lines(way_plan.parameters);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find(" = ");
    toml += fmt::format("[[parameters]]\nname = \"{}\"\nshape = [{}]\ninit = \"uniform\"\nscale = 0.7\n",
                        line.substr(0, equals), line.substr(equals + 3));
  }
  StatusOr<Plan> plan = Plan::Parse(toml);
  AISLE_CHECK(plan.ok(), "{}", MessageOf(plan.status()));
  return *std::move(plan);
}

std::unique_ptr<Program> ProgramOf(const WayPlan& way_plan, const Plan& plan) {
  const std::string source = fmt::format(R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    t = tables["points"]
    x = t["x"].to(6) / 255.0 * t["scale"].to(6).unsqueeze(1)
    return {{"unit": t["who"], "x": x, "ids": t["x"].to(4), "label": t["label"]}}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:
{}
def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"count": torch.ones_like(batch["x"]).sum()}}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {{"x": batch["x"]}}
)",
                                         way_plan.loss);
  StatusOr<std::unique_ptr<Program>> program = Program::FromSource(source, plan.parameters);
  AISLE_CHECK(program.ok(), "{}", MessageOf(program.status()));
  AISLE_CHECK((*program)->SetWeights(MakeInitialWeights(plan).value()).ok());
  return *std::move(program);
}

Examples WayStore::Prepare(Program& program, const Plan& plan) const {
  tables_.Clear();
  v1::TableData& table = *tables_.Add();
  table.set_name("points");
  std::string who;
  std::string x;
  std::string scale;
  std::string label;
  int64_t customer = 0;
  uint64_t rows = 0;
  const uint32_t width = plan.tables[0].columns[1].width;
  for (const std::vector<WayRow>& owned : customers) {
    ++customer;
    for (const WayRow& row : owned) {
      AppendRaw(who, customer);
      AesCtrStream random(SecretBytes::CopyOf(std::string(32, static_cast<char>(row.seed))), "test");
      std::vector<uint8_t> drawn(width);
      random.Fill(drawn);
      x.append(drawn.begin(), drawn.end());
      AppendRaw(scale, row.scale);
      AppendRaw(label, row.label);
      ++rows;
    }
  }
  table.set_rows(rows);
  const auto add = [&](const char* name) {
    table.add_columns()->set_name(name);
    return table.mutable_columns(table.columns_size() - 1);
  };
  add("who")->set_int64_values(who);
  v1::ColumnData* bytes = add("x");
  bytes->set_width(width);
  bytes->set_byte_values(x);
  add("scale")->set_double_values(scale);
  add("label")->set_int64_values(label);
  StatusOr<Examples> examples = Examples::Prepare(program, plan, ViewsOf(tables_));
  AISLE_CHECK(examples.ok(), "{}", MessageOf(examples.status()));
  return *std::move(examples);
}

Units WayStore::Group() const {
  Units units;
  int64_t next = 0;
  for (const std::vector<WayRow>& owned : customers) {
    std::vector<int64_t> indices(owned.size());
    for (int64_t& index : indices) index = next++;
    units.Add(std::move(indices), {}, 1);
  }
  return units;
}

WayStore MakeStore(const std::vector<size_t>& sizes) {
  WayStore store;
  uint8_t seed = 1;
  for (const size_t size : sizes) {
    store.customers.emplace_back();
    for (size_t i = 0; i < size; ++i, ++seed) {
      store.customers.back().push_back({.seed = seed, .scale = 0.5 + seed % 7 * 0.2, .label = seed % 10});
    }
  }
  return store;
}

}  // namespace aisle

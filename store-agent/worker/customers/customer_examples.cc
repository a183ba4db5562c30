#include "store-agent/worker/customers/customer_examples.h"

#include <torch/script.h>

#include <algorithm>
#include <cstring>

#include "base/digest.h"
#include "store-agent/worker/dry_run.h"
#include "store-agent/worker/engine.h"
#include "store-agent/worker/tensor_allowance.h"

namespace aisle {
namespace {

constexpr std::string_view kMadeUpSeed = "aisle/worker/expected-form/v1...";  // 32 bytes; nothing of it is secret.

// A customer's own seed: whatever the others are, this one's numbers stay the same.
uint64_t SeedOf(uint64_t task, int64_t pseudonym) {
  const uint64_t words[] = {task, static_cast<uint64_t>(pseudonym)};
  const Digest digest = Sha256::Of({reinterpret_cast<const char*>(words), sizeof words});
  uint64_t seed = 0;
  std::memcpy(&seed, digest.bytes.data(), sizeof seed);
  return seed;
}

std::vector<int64_t> Moved(const std::vector<int64_t>& indices, int64_t by) {
  std::vector<int64_t> moved;
  for (const int64_t i : indices) moved.push_back(i + by);
  return moved;
}

bool HoldsOut(const Plan& plan) { return plan.validation.last > 0 || plan.validation.fraction > 0; }

// Puts the weights that were broadcast in the place of the present ones while it lives.
class BroadcastWeights {
 public:
  BroadcastWeights(Program& program, const std::vector<float>& broadcast)
      : program_(program), present_(program.TrainableValues()) {
    Put(broadcast);
  }
  ~BroadcastWeights() { Put(present_); }
  BroadcastWeights(const BroadcastWeights&) = delete;
  BroadcastWeights& operator=(const BroadcastWeights&) = delete;

 private:
  void Put(const std::vector<float>& values) {
    if (!values.empty()) std::memcpy(program_.flat().data_ptr<float>(), values.data(), values.size() * sizeof(float));
  }
  Program& program_;
  const std::vector<float> present_;
};

}  // namespace

StatusOr<std::string> ExpectedForm(Program& program, const Plan& plan) {
  AesCtrStream random(SecretBytes::CopyOf(kMadeUpSeed), "aisle/worker/form");
  const TableRows tables = MakeTables(plan, kDryRunRows, random);
  AISLE_ASSIGN_OR_RETURN(const Examples examples, Examples::Prepare(program, plan, ViewsOf(tables)));
  return examples.Form();
}

CustomerExamples::CustomerExamples(Program& program, const Plan& plan, const CustomerRows& rows, std::string form,
                                   RandomSource& random, const CustomerWatch& watch)
    : program_(program),
      plan_(plan),
      rows_(rows),
      form_(std::move(form)),
      seed_(random.Draw64()),
      watch_(watch),
      broadcast_(program.TrainableValues()) {}

CustomerExamples::Prepared CustomerExamples::Prepare(size_t customer, Program::SavedState& saved) {
  watch_.BeforeCustomer(customer);
  const TensorAllowance allowance(plan_.limits.OneCustomersMemory());
  const CustomerRows::Slice slice = rows_.SliceOf(customer);
  Prepared prepared{.examples = {}, .seed = SeedOf(seed_, rows_.pseudonym(customer))};
  at::manual_seed(prepared.seed);
  const StatusOr<Examples> examples = Examples::Prepare(program_, plan_, slice.views(), prepared.seed);
  const bool wrote = program_.WroteState(saved);
  if (wrote) program_.RestoreState(saved);
  if (wrote || !examples.ok() || examples->Form() != form_) return prepared;
  const Status copied = Guarded(
      "keeping examples", [&] { prepared.examples = examples->OfUnits(plan_.privacy.examples_per_customer_max); });
  if (!copied.ok()) prepared.examples.reset();
  return prepared;
}

CustomerExamples::Shared CustomerExamples::Find(size_t customer, Program::SavedState& saved) {
  const auto found = kept_.find(customer);
  if (found != kept_.end()) return found->second;
  auto prepared = std::make_shared<const Prepared>(Prepare(customer, saved));
  const size_t bytes = prepared->examples ? prepared->examples->bytes() : 0;
  const bool asked_again = plan_.privacy.mode == PrivacyMode::kLocalSgd;
  if (asked_again && kept_bytes_ + bytes <= plan_.limits.OneCustomersMemory()) {
    kept_[customer] = prepared;
    kept_bytes_ += bytes;
  }
  return prepared;
}

StatusOr<DrawnExamples> CustomerExamples::Of(std::span<const size_t> drawn, const std::atomic<bool>* stop) {
  DrawnExamples result;
  std::vector<Shared> parts;
  int64_t offset = 0;
  size_t bytes = 0;
  const BroadcastWeights weights(program_, broadcast_);
  const auto saved = program_.SaveState();
  for (const size_t customer : drawn) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return Cancelled("training was stopped");
    if (bytes > plan_.limits.OneCustomersMemory() / 4) break;
    ++result.taken;
    const Shared prepared = Find(customer, *saved);
    if (!prepared->examples) continue;
    const Examples& examples = *prepared->examples;
    result.units.Add(Moved(examples.training(), offset),
                     Moved(HoldsOut(plan_) ? examples.validation() : examples.training(), offset), prepared->seed,
                     customer);
    parts.push_back(prepared);
    offset += examples.size();
    bytes += examples.bytes();
  }
  watch_.AfterAll();
  std::vector<const Examples*> all;
  for (const Shared& part : parts) all.push_back(&*part->examples);
  if (!all.empty()) result.examples = Examples::Concatenate(all);
  return result;
}

}  // namespace aisle

#include "store-agent/worker/customers/customer_examples.h"

#include <torch/script.h>

#include <algorithm>
#include <cstring>

#include "base/digest.h"
#include "store-agent/worker/dry_run.h"
#include "store-agent/worker/engine.h"

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

std::vector<int64_t> Moved(const std::vector<int64_t>& indices, const std::vector<bool>& owned, int64_t by,
                           size_t max) {
  std::vector<int64_t> moved;
  for (const int64_t i : indices) {
    if (owned[static_cast<size_t>(i)] && moved.size() < max) moved.push_back(i + by);
  }
  return moved;
}

}  // namespace

StatusOr<std::string> ExpectedForm(Program& program, const Plan& plan) {
  AesCtrStream random(SecretBytes::CopyOf(kMadeUpSeed), "aisle/worker/form");
  const TableRows tables = MakeTables(plan, kDryRunRows, random);
  AISLE_ASSIGN_OR_RETURN(const Examples examples, Examples::Prepare(program, plan, ViewsOf(tables)));
  return examples.Form();
}

CustomerExamples::CustomerExamples(Program& program, const Plan& plan, const CustomerRows& rows, std::string form,
                                   RandomSource& random)
    : program_(program), plan_(plan), rows_(rows), form_(std::move(form)), seed_(random.Draw64()) {}

const CustomerExamples::Prepared& CustomerExamples::Prepare(size_t customer, Program::SavedState& saved) {
  const auto [found, fresh] = prepared_.try_emplace(customer);
  Prepared& prepared = found->second;
  if (!fresh) return prepared;
  prepared.slice = rows_.SliceOf(customer);
  prepared.seed = SeedOf(seed_, rows_.pseudonym(customer));
  at::manual_seed(prepared.seed);
  StatusOr<Examples> examples = Examples::Prepare(program_, plan_, prepared.slice.views(), prepared.seed);
  const bool wrote = program_.WroteState(saved);
  if (wrote) program_.RestoreState(saved);
  if (!wrote && examples.ok() && examples->Form() == form_) prepared.examples.emplace(*std::move(examples));
  return prepared;
}

StatusOr<DrawnExamples> CustomerExamples::Of(std::span<const size_t> drawn, const std::atomic<bool>* stop) {
  DrawnExamples result;
  std::vector<const Examples*> parts;
  int64_t offset = 0;
  const size_t max = plan_.privacy.examples_per_customer_max;
  const auto saved = program_.SaveState();
  for (const size_t customer : drawn) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) return Cancelled("training was stopped");
    const Prepared& prepared = Prepare(customer, *saved);
    if (!prepared.examples) continue;
    const Examples& examples = *prepared.examples;
    const std::vector<bool> owned = examples.OwnedByAUnit();
    const bool split = plan_.validation.last > 0 || plan_.validation.fraction > 0;
    result.units.Add(Moved(examples.training(), owned, offset, max),
                     Moved(split ? examples.validation() : examples.training(), owned, offset, max), prepared.seed);
    parts.push_back(&examples);
    offset += examples.size();
  }
  if (!parts.empty()) result.examples = Examples::Concatenate(parts);
  return result;
}

}  // namespace aisle

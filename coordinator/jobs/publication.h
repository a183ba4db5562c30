// From a round's sum to the next model: the server optimizer's step, done on plain vectors and blobs.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "aggregation/modular_sum.h"
#include "base/status.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/jobs/job_plan.h"

namespace aisle {

struct NextModel {
  BlobName weights;                         // Where training goes on from …
  BlobName published;                       // … and what is published: the same, or a mean over rounds.
  std::optional<BlobName> optimizer_state;  // None for a server optimizer that keeps nothing.
  std::map<std::string, double> metrics;    // Noised means over the units in the sum.
  double clip_norm = 0;                     // Of the next round, where clipping adapts; 0: the plan's own.
};

struct ModelBefore {
  BlobName weights;
  std::optional<BlobName> optimizer_state;
  double clip_norm = 0;  // Of the round that ends; 0: the plan's own.
  uint64_t version = 0;  // Models published before; 0: the initial weights, which are in no mean.
  BlobName published;    // As the latest.
};

// Deterministic: the same sum and the same model before give the same bytes, so a replay after a crash publishes the
// very same model. Writes blobs durably; nothing is published until the caller says so. Thread-safe. Weights move by
// the mean over the plan's public divisor. Metrics are means over the `stores` in the sum, or over its customers as far
// as the noised sum itself tells their number. A plan's average_rounds changes what is published, never how training
// goes on.
StatusOr<NextModel> MakeNextModel(const JobPlan& plan, const ModelBefore& before, const ModularSum& sum,
                                  uint32_t stores, BlobStore& blobs);

}  // namespace aisle

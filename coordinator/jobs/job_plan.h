// A job's plan, opened up once: parsed, checked, with the shape and grid of its update vector.
#pragma once

#include <span>
#include <string>

#include "aggregation/layout.h"
#include "aggregation/quantizer.h"
#include "aggregation/update_shape.h"
#include "base/identity/signing.h"
#include "base/status.h"
#include "coordinator/blobs/blob_store.h"
#include "coordinator/catalog/records.h"
#include "plans/plan.h"

namespace aisle {

struct JobPlan {
  Plan plan;
  BlobName bundle;
  BlobName initial_weights;
  Layout layout;     // Of the whole model.
  Layout trainable;  // Of what the update vector moves.
  UpdateShape shape;
  Quantizer quantizer;

  uint64_t update_size() const { return shape.length() * 4; }  // Bytes.
};

// From blobs that are here already. NotFound if one is missing; InvalidArgument if they don't make a plan that can run.
StatusOr<JobPlan> OpenJobPlan(const BlobStore& blobs, const Digest& bundle);

struct Submission {
  JobId job;
  Digest plan;
  std::string plan_signature;
  uint32_t rounds = 0;
  uint32_t priority = 0;
  uint32_t cohort_target = 0;  // 0: the plan's own.
  std::optional<BlobName> base_weights;
};

// The job's first record. Unauthenticated if no plan key signed the plan; InvalidArgument naming the number and its
// limit.
StatusOr<JobRecord> AdmitJob(const Submission& submission, const JobPlan& plan, std::span<const VerifyKey> plan_keys,
                             absl::Time now);

}  // namespace aisle

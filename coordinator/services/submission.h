// The door for jobs that an administrator submits.
#pragma once

#include "aisle/v1/admin.pb.h"
#include "coordinator/jobs/job_plan.h"

namespace aisle {

// Without the base model's weights, which take a look at the catalog. InvalidArgument names the field.
StatusOr<Submission> SubmissionOf(const v1::SubmitJobRequest& request);

}  // namespace aisle

#include "coordinator/services/submission.h"

#include "proto/convert/fleet.h"

namespace aisle {

StatusOr<Submission> SubmissionOf(const v1::SubmitJobRequest& request) {
  Submission submission{.plan_signature = request.plan_signature(),
                        .rounds = request.rounds(),
                        .priority = request.priority(),
                        .cohort_target = request.cohort_target()};
  AISLE_ASSIGN_OR_RETURN(submission.job, JobId::Parse(request.job()));
  AISLE_ASSIGN_OR_RETURN(submission.plan, DigestFromProto("plan_sha256", request.plan_sha256()));
  return submission;
}

}  // namespace aisle

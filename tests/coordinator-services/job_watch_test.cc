// What the data team sees of a job over the wire while it runs, and when it has failed.
#include <gtest/gtest.h>

#include "base/net/status_conversion.h"
#include "tests/coordinator-services/live_headquarters.h"

namespace aisle::test {
namespace {

v1::Job ShownBy(LiveHeadquarters& headquarters, const std::string& job) {
  Call call;
  v1::GetJobRequest request;
  request.set_job(job);
  v1::Job shown;
  EXPECT_TRUE(headquarters.admin().GetJob(&call, request, &shown).ok());
  return shown;
}

TEST(JobWatchTest, ShowsAJobThatFailedAndWhy) {
  LiveHeadquarters headquarters(
      {.reopen_min = absl::Milliseconds(1), .reopen_max = absl::Milliseconds(1), .aborts_in_a_row_max = 3});
  LiveStore store(headquarters, headquarters.Enrol("s1"));
  ASSERT_TRUE(headquarters.SubmitJob("demand", 4).ok());
  Call watching;
  v1::WatchJobRequest watch;
  watch.set_job("demand");
  const auto snapshots = headquarters.admin().WatchJob(&watching, watch);
  for (int refused = 0; refused < 3;) {
    const StatusOr<v1::CheckInResponse> answer = store.CheckIn();
    ASSERT_TRUE(answer.ok()) << answer.status();
    if (!answer->has_train()) continue;
    Call call;
    v1::ReportOutcomeRequest report;
    *report.mutable_round() = answer->train().round();
    report.mutable_refused()->set_reason(v1::REFUSAL_REASON_PRIVACY_BUDGET);
    report.mutable_refused()->set_detail("the year's epsilon is spent");
    v1::ReportOutcomeResponse reported;
    ASSERT_TRUE(store.fleet->ReportOutcome(&call, report, &reported).ok());
    ++refused;
  }
  v1::JobSnapshot snapshot;
  v1::JobSnapshot last;
  while (snapshots->Read(&snapshot)) last = snapshot;
  EXPECT_TRUE(snapshots->Finish().ok()) << "the stream ends with the job";
  for (const v1::Job& job : {last.job(), ShownBy(headquarters, "demand")}) {
    EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
    EXPECT_NE(job.state_reason().find("3 rounds in a row were aborted"), std::string::npos) << job.state_reason();
    EXPECT_NE(job.state_reason().find("1 refused"), std::string::npos) << job.state_reason();
    EXPECT_EQ(job.rounds_aborted(), 3);
    EXPECT_GT(job.ended_unix_ms(), 0);
  }
}

TEST(JobWatchTest, OfAnUnknownJobSaysSo) {
  LiveHeadquarters headquarters;
  Call watching;
  v1::WatchJobRequest watch;
  watch.set_job("nothing");
  const auto snapshots = headquarters.admin().WatchJob(&watching, watch);
  v1::JobSnapshot snapshot;
  EXPECT_FALSE(snapshots->Read(&snapshot));
  const Status finished = FromGrpc(snapshots->Finish());
  EXPECT_EQ(finished.code(), StatusCode::kNotFound);
  EXPECT_NE(MessageOf(finished).find("nothing"), std::string::npos);
}

}  // namespace
}  // namespace aisle::test

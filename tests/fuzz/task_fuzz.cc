// What a store keeps of its task, as a damaged disk might give it back: its record, and its place in a cohort.
#include <algorithm>

#include "base/check.h"
#include "privacy/secagg/member_state.h"
#include "store-agent/agent/task_record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::fuzz::task {

namespace {

void TryBytes(std::string_view input) {
  if (const StatusOr<agent::TaskRecord> record = agent::DecodeRecord(input); record.ok()) {
    AISLE_CHECK(agent::EncodeRecord(*record).Reveal() == input);
  }
  if (const StatusOr<secagg::Member> member = secagg::Member::Decode(input); member.ok()) {
    AISLE_CHECK(member->Encode().Reveal() == input);
  }
}

}  // namespace

// Both formats end with the SHA-256 of what is before it, which no fuzzer finds by trying: it is set right here.
void TryInput(std::string_view input) {
  TryBytes(input);
  const std::string body(input.substr(0, input.size() - std::min(input.size(), Digest::kSize)));
  TryBytes(body + std::string(Sha256::Of(body).view()));
}

std::vector<std::string> Seeds() {
  const RoundId round{.job = *JobId::Parse("demand"), .number = 7};
  const BlobName blob{.digest = Sha256::Of("blob"), .size = 400};
  const CohortTerms terms{.round = round, .plan = Sha256::Of("plan"), .length = 40, .cohort_min = 3};
  const agent::HeldUpdate held{.round = round, .update = blob, .sum = terms};
  std::vector<std::string> seeds;
  for (const agent::TaskRecord& record :
       {agent::TaskRecord(agent::ReleasingRecord{.round = round, .sum = terms}),
        agent::TaskRecord(agent::FinishedRecord{held}), agent::TaskRecord(agent::UploadedRecord{held}),
        agent::TaskRecord(agent::GivenUpRecord{round, Failed{FailureReason::kStorage, "disk full"}})}) {
    seeds.emplace_back(agent::EncodeRecord(record).Reveal());
  }
  for (const auto step : {&secagg::PlayedCohort::Deal, &secagg::PlayedCohort::Confirm, &secagg::PlayedCohort::Reveal}) {
    secagg::PlayedCohort played({.size = 4});
    (played.*step)();
    seeds.emplace_back(played.member(1).Encode().Reveal());
  }
  return seeds;
}

}  // namespace aisle::fuzz::task

AISLE_FUZZ_TARGET(task);

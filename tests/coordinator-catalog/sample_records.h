// Records with every field set to something that isn't its default.
#pragma once

#include "coordinator/catalog/records.h"

namespace aisle {

inline StoreId Store(std::string_view name) { return *StoreId::Parse(name); }
inline JobId Job(std::string_view name) { return *JobId::Parse(name); }
inline RoundId Round(std::string_view job, uint32_t number) { return {.job = Job(job), .number = number}; }
inline BlobName Blob(std::string_view content) { return {.digest = Sha256::Of(content), .size = content.size()}; }
inline absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'800'000'000 + seconds); }

inline StoreRecord SampleStore(std::string_view name = "berlin-7") {
  return {.id = Store(name),
          .state = StoreState::kEnrolled,
          .code = EnrolmentCode{.hash = Sha256::Of(name), .expires = At(60), .used = At(30)},
          .key_current = Sha256::Of("key"),
          .certificate_serial = "0a1b",
          .certificate_not_after = At(1000),
          .first_seen = At(31),
          .last_seen = At(99) + absl::Microseconds(7),
          .agent_version = "0.1.0",
          .rounds_selected = 5,
          .rounds_collected = 4,
          .last_refusal = "outside_hours: opens at 22:00",
          .revoke_reason = "stolen",
          .ledger = LedgerHead{.entries = 12, .digest = Sha256::Of("twelve")},
          .ledger_at = At(98),
          .ledger_trouble = "rolled back",
          .call_refused = "another box has its key",
          .call_refused_at = At(97)};
}

inline JobRecord SampleJob(std::string_view name = "demand") {
  return {.id = Job(name),
          .state = JobState::kRunning,
          .state_reason = "because",
          .plan = Blob("plan"),
          .plan_signature = std::string(64, 's'),
          .plan_name = "demand",
          .initial_weights = Blob("weights"),
          .optimizer_state = Blob("momentum"),
          .rounds_total = 20,
          .rounds_committed = 7,
          .rounds_aborted = 2,
          .aborted_in_a_row = 1,
          .next_round_number = 10,
          .model_version = 7,
          .priority = 3,
          .cohort_target = 12,
          .submitted_at = At(1),
          .ended_at = At(500),
          .version_floor = 600,
          .left_out = {{.store = Store("d"), .until_round = 12}}};
}

inline RoundRecord SampleRound(const RoundId& id) {
  return {.id = id,
          .phase = RoundPhase::kCommitted,
          .opened_at = At(10),
          .closed_at = At(20),
          .phase_closes_at = At(25),
          .stores_selected = 12,
          .stores_trained = 11,
          .stores_collected = 10,
          .stores_refused = 1,
          .stores_failed = 1,
          .abort_reason = "none",
          .metrics = {{"loss", 0.25}, {"rmse", -1.5}},
          .bytes_up = 1000,
          .bytes_down = 2000,
          .model_version = 7,
          .stores = {{.store = Store("a"), .outcome = StoreOutcome::kCollected},
                     {.store = Store("b"), .outcome = StoreOutcome::kRefused, .detail = "outside_hours"}},
          .phases = {{.phase = RoundPhase::kSelecting, .began = At(10)},
                     {.phase = RoundPhase::kTraining, .began = At(11), .expired = true}},
          .times = {{.trained = At(12), .collected = At(14), .stepped = At(15), .bytes_up = 12}, {.trained = At(13)}},
          .absent = {{.why = Absence::kUnwilling, .count = 9, .examples = {Store("c"), Store("d")}}},
          .cohort_min = 8,
          .cohort_target = 12,
          .update_size = 12,
          .restarts = 1,
          .commit_trouble = "the disk was full"};
}

inline ModelRecord SampleModel(std::string_view job, uint64_t version) {
  return {.job = Job(job),
          .version = version,
          .weights = Blob("weights"),
          .optimizer_state = Blob("momentum"),
          .round = Round(job, 9),
          .stores = 10,
          .plan = Sha256::Of("plan"),
          .epsilon_floor = 2.5,
          .epsilon_aggregate = 0.75,
          .delta = 1e-5,
          .privacy_unit = "store",
          .published_at = At(20),
          .metrics = {{"loss", 0.25}},
          .clip_norm = 0.75,
          .reached = Blob("reached")};
}

}  // namespace aisle

#include "coordinator/journal/entry_codec.h"

#include "aisle/v1/journal.pb.h"
#include "base/overloaded.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"

namespace aisle {
namespace {

void WriteOpened(const RoundOpened& opened, v1::RoundOpenedEntry* out) {
  const RoundPolicy& policy = opened.policy;
  out->set_cohort_min(policy.cohort_min);
  out->set_cohort_target(policy.cohort_target);
  out->set_selection_wanted(policy.selection_wanted);
  out->set_selecting_ms(absl::ToInt64Milliseconds(policy.selecting_for));
  out->set_training_ms(absl::ToInt64Milliseconds(policy.training_for));
  out->set_collecting_ms(absl::ToInt64Milliseconds(policy.collecting_for));
  out->set_update_size_bytes(policy.update_size);
  out->set_seed(opened.seed);
  out->set_turn_joined_max(policy.turn.joined_max);
  out->set_turn_first(policy.turn.first);
  out->set_turn_wait_ms(absl::ToInt64Milliseconds(policy.turn_wait));
  if (!policy.sum) return;
  out->mutable_sum()->set_plan_sha256(std::string(policy.sum->plan.view()));
  out->mutable_sum()->set_corrupt_permille(policy.sum->corrupt_permille);
  out->mutable_sum()->set_dropout_permille(policy.sum->dropout_permille);
  out->mutable_sum()->set_summing_ms(absl::ToInt64Milliseconds(policy.sum->summing_for));
  out->mutable_sum()->set_attempts_max(policy.sum->attempts_max);
}

StatusOr<SumPolicy> ReadSum(const v1::SumPolicyEntry& entry) {
  AISLE_ASSIGN_OR_RETURN(const Digest plan, DigestFromProto("plan_sha256", entry.plan_sha256()));
  return SumPolicy{.plan = plan,
                   .corrupt_permille = entry.corrupt_permille(),
                   .dropout_permille = entry.dropout_permille(),
                   .summing_for = absl::Milliseconds(entry.summing_ms()),
                   .attempts_max = entry.attempts_max()};
}

StatusOr<RoundOpened> ReadOpened(const v1::RoundOpenedEntry& entry) {
  RoundOpened opened{.policy = {.cohort_min = entry.cohort_min(),
                                .cohort_target = entry.cohort_target(),
                                .selection_wanted = entry.selection_wanted(),
                                .turn = {.joined_max = entry.turn_joined_max(), .first = entry.turn_first()},
                                .turn_wait = absl::Milliseconds(entry.turn_wait_ms()),
                                .selecting_for = absl::Milliseconds(entry.selecting_ms()),
                                .training_for = absl::Milliseconds(entry.training_ms()),
                                .collecting_for = absl::Milliseconds(entry.collecting_ms()),
                                .update_size = entry.update_size_bytes()},
                     .seed = entry.seed()};
  if (entry.has_sum()) {
    AISLE_ASSIGN_OR_RETURN(opened.policy.sum, ReadSum(entry.sum()));
  }
  return opened;
}

void WriteEvent(const Event& event, v1::JournalEntry* out) {
  std::visit(
      Overloaded{[&](const StoreOffered& offered) {
                   out->mutable_offered()->set_store(offered.store.str());
                   out->mutable_offered()->set_rounds_joined(offered.candidate.rounds_joined);
                 },
                 [&](const OutcomeReported& reported) {
                   out->mutable_reported()->set_store(reported.store.str());
                   OutcomeToProto(reported.outcome, out->mutable_reported()->mutable_report());
                 },
                 [&](const UpdateCollected& collected) {
                   out->mutable_collected()->set_store(collected.store.str());
                   out->mutable_collected()->set_sha256(std::string(collected.digest.view()));
                 },
                 [&](const SumStepTaken& taken) {
                   out->mutable_sum_step()->set_store(taken.store.str());
                   *out->mutable_sum_step()->mutable_report() = ToProto(taken.report);
                 },
                 [&](const DeadlinePassed& passed) {
                   out->mutable_deadline()->set_phase(static_cast<uint32_t>(passed.phase));
                 },
                 [&](const ModelPublished& published) {
                   out->mutable_published()->set_model_version(published.model_version);
                 },
                 [&](const CommitFailed& failed) {
                   out->mutable_commit_failed()->set_explanation(failed.explanation);
                   for (const StoreId& store : failed.at_fault) {
                     out->mutable_commit_failed()->add_at_fault(store.str());
                   }
                 },
                 [&](const RoundCancelled& cancelled) { out->mutable_cancelled()->set_reason(cancelled.reason); }},
      event);
}

StatusOr<Event> ReadEvent(const v1::JournalEntry& entry) {
  switch (entry.entry_case()) {
    case v1::JournalEntry::kOffered: {
      AISLE_ASSIGN_OR_RETURN(StoreId store, StoreId::Parse(entry.offered().store()));
      return StoreOffered{.store = std::move(store), .candidate = {.rounds_joined = entry.offered().rounds_joined()}};
    }
    case v1::JournalEntry::kReported: {
      AISLE_ASSIGN_OR_RETURN(StoreId store, StoreId::Parse(entry.reported().store()));
      AISLE_ASSIGN_OR_RETURN(TaskOutcome outcome, OutcomeFromProto(entry.reported().report()));
      return OutcomeReported{.store = std::move(store), .outcome = std::move(outcome)};
    }
    case v1::JournalEntry::kCollected: {
      AISLE_ASSIGN_OR_RETURN(StoreId store, StoreId::Parse(entry.collected().store()));
      AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestFromProto("sha256", entry.collected().sha256()));
      return UpdateCollected{.store = std::move(store), .digest = digest};
    }
    case v1::JournalEntry::kSumStep: {
      AISLE_ASSIGN_OR_RETURN(StoreId store, StoreId::Parse(entry.sum_step().store()));
      AISLE_ASSIGN_OR_RETURN(SumReport report, FromProto(entry.sum_step().report()));
      return SumStepTaken{.store = std::move(store), .report = std::move(report)};
    }
    case v1::JournalEntry::kDeadline: {
      const uint32_t phase = entry.deadline().phase();
      if (phase < 1 || phase > kPhaseCount) {
        return DataLoss("a journal entry names phase {}, which doesn't exist", phase);
      }
      return DeadlinePassed{.phase = static_cast<PhaseName>(phase)};
    }
    case v1::JournalEntry::kPublished:
      return ModelPublished{.model_version = entry.published().model_version()};
    case v1::JournalEntry::kCommitFailed: {
      CommitFailed failed{.explanation = entry.commit_failed().explanation()};
      for (const std::string& name : entry.commit_failed().at_fault()) {
        AISLE_ASSIGN_OR_RETURN(StoreId store, StoreId::Parse(name));
        failed.at_fault.push_back(std::move(store));
      }
      return failed;
    }
    case v1::JournalEntry::kCancelled:
      return RoundCancelled{.reason = entry.cancelled().reason()};
    default:
      return FailedPrecondition("a journal entry was written by a newer coordinator; start that one");
  }
}

}  // namespace

std::string EncodeJournalEntry(const JournalEntry& entry) {
  v1::JournalEntry message;
  message.set_at_unix_us(absl::ToUnixMicros(entry.at));
  std::visit(Overloaded{[&](const RoundOpened& opened) { WriteOpened(opened, message.mutable_opened()); },
                        [&](const Event& event) { WriteEvent(event, &message); }},
             entry.what);
  return message.SerializeAsString();
}

StatusOr<JournalEntry> DecodeJournalEntry(std::string_view bytes) {
  v1::JournalEntry message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return DataLoss("a journal entry of {} bytes is malformed", bytes.size());
  }
  const absl::Time at = absl::FromUnixMicros(message.at_unix_us());
  if (message.has_opened()) {
    AISLE_ASSIGN_OR_RETURN(RoundOpened opened, ReadOpened(message.opened()));
    return JournalEntry{.at = at, .what = std::move(opened)};
  }
  AISLE_ASSIGN_OR_RETURN(Event event, ReadEvent(message));
  return JournalEntry{.at = at, .what = std::move(event)};
}

}  // namespace aisle
